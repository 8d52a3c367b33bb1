package number

import (
	"strings"
	"sync"
)

// generation is how many numbers a half of a Memo holds. Two halves are 4 MB.
const generation = 8192

// Memo remembers how numbers were read, because the messages about a call repeat
// its numbers and reading one costs more than all the rest of a message. It
// forgets the numbers that have not been asked for the longest. The zero Memo is
// empty and ready, a nil one remembers nothing; any number of goroutines may use
// one.
type Memo struct {
	mu         sync.Mutex
	young, old map[question]answer
}

type question struct {
	plan   Plan
	plus   bool
	digits string
}

type answer struct{ number, country string }

// E164 returns what p.E164 returns.
func (m *Memo) E164(p Plan, sent string) (number, country string) {
	if m == nil {
		return p.E164(sent)
	}
	digits, plus := clean(sent)
	if !possible(digits) {
		return "", ""
	}
	q := question{p, plus, digits}
	a, known := m.recall(q)
	if !known {
		a.number, a.country = p.read(digits, plus)
		m.keep(q, a)
	}
	return a.number, a.country
}

func (m *Memo) recall(q question) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, known := m.young[q]
	if known {
		return a, true
	}
	if a, known = m.old[q]; known {
		m.add(q, a)
	}
	return a, known
}

func (m *Memo) keep(q question, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(q, a)
}

// add puts an answer among the young ones. When there are enough of them they
// become the old ones, and those that were old are forgotten.
func (m *Memo) add(q question, a answer) {
	if len(m.young) >= generation {
		m.young, m.old = m.old, m.young
		clear(m.young)
	}
	if m.young == nil {
		m.young = map[question]answer{}
	}
	q.digits = strings.Clone(q.digits) // not to keep the body that it is a part of
	m.young[q] = a
}
