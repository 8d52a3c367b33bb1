package ingest

import (
	"slices"
	"sync"
	"time"
)

// pace says how long a batch waits for company. On a fast disk not at all: it
// gathers what came while the one before was written, and waiting was never
// faster. Where every commit takes long (a sync of milliseconds, a database across
// a network), it waits until as many came as were just answered, if they do soon.
type pace struct {
	mu     sync.Mutex
	wait   time.Duration
	size   int               // deliveries of the last batch
	excess [64]time.Duration // what the last batches took beyond their work
	next   int               // place of the oldest of them
}

// What the work on a batch takes at most, about; what beyond it makes commits
// slow; and how long a pause may be.
const (
	batchWork  = 500 * time.Microsecond
	recordWork = 50 * time.Microsecond
	slowCommit = time.Millisecond
	maxPause   = 2 * time.Millisecond
	tellingly  = 50 // records of a batch whose work does not yet hide the commit
)

// note takes down how long a batch took, and reports whether commits are slow.
// Batches that were held up by something else change nothing: the least of the
// last ones is the commit's share. They are many, because on a machine whose
// processors have more to do than they can each batch takes long, and one that
// is short by luck must be among them.
func (p *pace) note(deliveries, records int, took time.Duration) (slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = deliveries
	if records > tellingly {
		return p.wait > 0
	}
	p.excess[p.next] = took - batchWork - time.Duration(records)*recordWork
	p.next = (p.next + 1) % len(p.excess)
	p.wait = 0
	if least := slices.Min(p.excess[:]); least > slowCommit {
		p.wait = min(least/2, maxPause)
	}
	return p.wait > 0
}

// pause is how many deliveries to wait for, and how long at most.
func (p *pace) pause() (company int, atMost time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size, p.wait
}

// alone reports whether a delivery that finds nobody else should go at once: the
// one before had no company either.
func (p *pace) alone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size <= 1
}
