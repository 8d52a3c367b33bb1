package store

import (
	"errors"
	"slices"
	"sync"

	"github.com/cdrstore/cdrstore/internal/pgarray"
)

// buffers are what a batch is built in and sent from. They are used again,
// because they would be a fifth of the garbage.
type buffers struct {
	changes
	columns    pgarray.Columns
	parameters []byte // of a statement
	wire       []byte // everything, as it is sent
}

// keptBytes is how long a buffer may be to be kept. A batch of 500 CDRs of DIDWW
// takes 2 MB, of which its payloads are 1 MB.
const keptBytes = 4 << 20

// bufferPool keeps buffers that are not used. Whoever takes some owns them.
type bufferPool struct{ free sync.Pool }

func (p *bufferPool) take() *buffers {
	if w, ok := p.free.Get().(*buffers); ok {
		return w
	}
	w := new(buffers)
	w.columns = pgarray.ColumnsOf(&w.events, &w.repeats, &w.calls.added, &w.calls.changed, &w.calls.notes)
	return w
}

// give takes buffers back, of which nobody has a part any more.
func (p *bufferPool) give(w *buffers) {
	w.columns.Empty(keptBytes)
	for _, b := range []*[]byte{&w.facts, &w.parameters, &w.wire} {
		if cap(*b) > keptBytes {
			*b = nil
		}
	}
	p.free.Put(w)
}

// loan is not a message: it has pgx build those that follow in memory of ours,
// where it would grow a buffer from a kilobyte each time and give it up. One
// without memory takes it back: of a short buffer pgx keeps hold.
type loan struct {
	memory *[]byte
	size   int
}

// Encode adds nothing.
func (l loan) Encode(out []byte) ([]byte, error) {
	if l.memory == nil {
		return append([]byte(nil), out...), nil
	}
	*l.memory = slices.Grow((*l.memory)[:0], len(out)+l.size)
	return append(*l.memory, out...), nil
}

// Decode fails: nobody sends it.
func (l loan) Decode([]byte) error { return errors.New("a loan is not a message") }

// Frontend says that it is ours to send.
func (l loan) Frontend() {}
