package ingest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A second batch begins beside one of few records, for then there is little to do
// anyway, beside a long one or one that is held up (by a lock, say), for which
// nobody should have to wait, or when many wait. In between one larger batch a
// little later takes less of the processors than two.
const (
	few    = 2
	long   = maxBatch / 2
	many   = 48
	heldUp = 50 * time.Millisecond
)

// line is where parts wait to be written. A few batches are written side by side,
// whoever is free takes what is next; but a call is in one of them at most, and
// in the order in which it came, so that they do not get into each other's way.
type line struct {
	mu      sync.Mutex
	changed sync.Cond // that something waits, or nothing is in its way any more
	waiting []*part
	places  chan struct{}       // taken by those that wait
	calls   map[uint64]struct{} // that are being written
	queued  int                 // records that wait
	busy    int                 // records that are being written
	batches int                 // that are being written
	atOnce  int                 // how many may be
	late    *time.Timer         // runs while a batch is being written
	held    bool                // a batch is held up
	gathers int                 // of those who would write, how many wait for company
	closed  bool
}

func newLine(atOnce int) *line {
	l := &line{places: make(chan struct{}, maxWaiting), calls: map[uint64]struct{}{}, atOnce: atOnce}
	l.changed.L = &l.mu
	l.late = time.AfterFunc(heldUp, l.hold) // finds nothing yet
	return l
}

// add has parts wait to be written. Where too many do already it waits itself:
// the pressure goes back to the senders.
func (l *line) add(ctx context.Context, parts []*part, late <-chan time.Time) error {
	for _, p := range parts {
		select {
		case l.places <- struct{}{}:
		case <-late:
			return fmt.Errorf("%w: %w", ErrBusy, errLate)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
		if !l.append(p) {
			<-l.places
			return ErrClosed
		}
	}
	return nil
}

func (l *line) append(p *part) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, p)
	l.queued += len(p.records)
	if l.gathers > 0 {
		l.changed.Broadcast()
	} else {
		l.changed.Signal()
	}
	return true
}

// begin takes a part at once where nobody waits, nothing is in its way and the
// line is open.
func (l *line) begin(p *part) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.waiting) > 0 || !l.worthwhile() || l.blocked(p, nil) {
		return false
	}
	l.start([]*part{p})
	return true
}

// worthwhile reports whether another batch may begin.
func (l *line) worthwhile() bool {
	return l.batches == 0 || l.batches < l.atOnce && (l.busy <= few || l.busy >= long || l.queued >= many || l.held)
}

// await returns when there is something to write, or with false when there never
// will be and everything that was begun is written.
func (l *line) await() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.worthwhile() && slices.ContainsFunc(l.waiting, func(p *part) bool { return !l.blocked(p, nil) }) {
			return true
		}
		if l.closed && len(l.waiting) == 0 && l.batches == 0 {
			return false
		}
		l.changed.Wait()
	}
}

// gather returns when so many parts have come, or after a while.
func (l *line) gather(company int, atMost time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := false
	timer := time.AfterFunc(atMost, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		over = true
		l.changed.Broadcast()
	})
	defer timer.Stop()
	l.gathers++
	for want := len(l.waiting) + company; len(l.waiting) < want && !over && !l.closed; {
		l.changed.Wait()
	}
	l.gathers--
}

// take returns the next batch, which is empty where another was faster.
func (l *line) take() []*part {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.worthwhile() {
		return nil
	}
	var parts []*part
	var passed map[uint64]struct{} // calls of those that must wait longer: what comes later about them must too
	records, left := 0, l.waiting[:0]
	for i, p := range l.waiting {
		if len(parts) > 0 && records+len(p.records) > maxBatch {
			left = append(left, l.waiting[i:]...)
			break
		}
		if l.blocked(p, passed) {
			left = append(left, p)
			passed = with(passed, p.calls)
			continue
		}
		parts = append(parts, p)
		records += len(p.records)
	}
	clear(l.waiting[len(left):])
	l.waiting = left
	if len(parts) > 0 {
		l.start(parts)
		l.queued -= records
		for range parts {
			<-l.places
		}
	}
	return parts
}

func with(calls map[uint64]struct{}, more []uint64) map[uint64]struct{} {
	if calls == nil {
		calls = make(map[uint64]struct{}, len(more))
	}
	for _, c := range more {
		calls[c] = struct{}{}
	}
	return calls
}

func (l *line) start(parts []*part) {
	if l.batches++; l.batches == 1 {
		l.late.Reset(heldUp)
	}
	for _, p := range parts {
		l.busy += len(p.records)
		with(l.calls, p.calls)
	}
}

// blocked reports whether a call of a part is being written, or is among others.
func (l *line) blocked(p *part, others map[uint64]struct{}) bool {
	for _, c := range p.calls {
		if _, is := l.calls[c]; is {
			return true
		}
		if _, is := others[c]; is {
			return true
		}
	}
	return false
}

// end says that a batch was written, and how many may be from now on.
func (l *line) end(parts []*part, atOnce int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches--
	l.atOnce, l.held = atOnce, false
	if l.batches > 0 {
		l.late.Reset(heldUp)
	} else {
		l.late.Stop()
	}
	for _, p := range parts {
		l.busy -= len(p.records)
		for _, c := range p.calls {
			delete(l.calls, c)
		}
	}
	if len(l.waiting) > 0 || l.closed {
		l.changed.Broadcast()
	}
}

// hold notes that a batch takes long.
func (l *line) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batches > 0 {
		l.held = true
		l.changed.Broadcast()
	}
}

// close lets nothing more in.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}
