package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// ledger is what was sent and what was answered.
type ledger struct {
	mu      sync.Mutex
	records map[string]*entry // by mark
	counts  counts
	wrong   []string // answers that may never be
	errors  map[string]int
	took    []time.Duration
}

type entry struct {
	record
	sent, acknowledged int
}

type counts struct {
	deliveries   int // requests
	acknowledged int // answered 200
	spooled      int // of them, kept on disk
	refused      int // answered 503 with Retry-After
	unanswered   int // the connection broke
}

func newLedger() *ledger {
	return &ledger{records: map[string]*entry{}, errors: map[string]int{}}
}

func (l *ledger) sent(d delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.deliveries++
	for _, r := range d.records {
		if l.records[r.mark] == nil {
			l.records[r.mark] = &entry{record: r}
		}
		l.records[r.mark].sent++
	}
}

func (l *ledger) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.unanswered++
	l.errors[root(err)]++
	return false
}

// root is the innermost error, without addresses.
func root(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

func (l *ledger) answered(d delivery, res *http.Response, body []byte, took time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		l.counts.refused++
		return false
	case res.StatusCode != http.StatusOK:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %s", res.Status, body))
		return false
	}
	a, err := d.check(body)
	if err != nil {
		l.wrong = append(l.wrong, err.Error())
	}
	l.counts.acknowledged++
	if a.Spooled > 0 {
		l.counts.spooled++
	}
	l.took = append(l.took, took)
	for _, r := range d.records {
		l.records[r.mark].acknowledged++
	}
	return true
}

// now returns the counts of this moment.
func (l *ledger) now() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// stored is how many were acknowledged as being in the database.
func (c counts) stored() int { return c.acknowledged - c.spooled }

// latency returns the median and the longest time until a 200.
func (l *ledger) latency() (median, longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.took) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(l.took))
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
}
