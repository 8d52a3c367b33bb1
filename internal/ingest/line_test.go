package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// partOf is a part with a record for each call.
func partOf(calls ...uint64) *part {
	return &part{calls: calls, records: make([]cdr.Record, len(calls))}
}

func mustAdd(t *testing.T, l *line, parts ...*part) {
	t.Helper()
	if err := l.add(t.Context(), parts, nil); err != nil {
		t.Fatal(err)
	}
}

// TestLineKeepsCallsApart has parts about one call wait for each other, whatever
// else passes them.
func TestLineKeepsCallsApart(t *testing.T) {
	t.Parallel()
	l := newLine(3)
	a, again, both, other, last := partOf(1), partOf(1), partOf(1, 2), partOf(3), partOf(2)
	mustAdd(t, l, a, again)
	first := l.take()
	if !slices.Equal(first, []*part{a, again}) {
		t.Fatal("what waits about one call is not written together")
	}
	mustAdd(t, l, both, other, last)
	second := l.take()
	if !slices.Equal(second, []*part{other}) {
		t.Fatalf("%d parts were taken, want only the one about another call: the last one is behind one that must wait", len(second))
	}
	if l.begin(partOf(4)) {
		t.Error("a part passed those that wait")
	}
	if l.take() != nil {
		t.Error("a call is in two batches")
	}
	l.end(first, 3)
	if third := l.take(); !slices.Equal(third, []*part{both, last}) {
		t.Errorf("%d parts were taken, want the two that had to wait", len(third))
	}
	if len(l.places) != 0 {
		t.Errorf("%d places are still taken, and nobody waits", len(l.places))
	}
}

// TestLineGathers has a batch wait for company, but not for ever.
func TestLineGathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(1)
		began, waited := time.Now(), make(chan time.Duration, 1)
		gather := func() {
			l.gather(3, time.Minute)
			waited <- time.Since(began)
		}
		begun := partOf(9)
		if !l.begin(begun) {
			t.Fatal("nobody is there, and it does not begin")
		}
		mustAdd(t, l, partOf(1))
		go l.await() // another one who would write
		synctest.Wait()
		go gather()
		for i := range uint64(3) {
			synctest.Wait()
			if len(waited) > 0 {
				t.Fatal("it does not wait for company")
			}
			mustAdd(t, l, partOf(2+i))
		}
		if d := <-waited; d > 0 {
			t.Errorf("it waited for %v, and all were there", d)
		}
		if gather(); <-waited != time.Minute {
			t.Error("nobody came, and it did not wait as long as it should")
		}
		go gather()
		synctest.Wait()
		l.close()
		if d := <-waited; d > time.Minute {
			t.Errorf("it waited for %v, and nobody can come any more", d)
		}
		l.end([]*part{begun}, 1)
	})
}

func TestLineBegins(t *testing.T) {
	t.Parallel()
	l := newLine(2)
	a, b := partOf(1), partOf(2)
	if !l.begin(a) || l.begin(partOf(1)) || !l.begin(b) {
		t.Error("want one batch for each of two calls, and no second one for the first")
	}
	if l.begin(partOf(3)) {
		t.Error("there are more batches than there may be")
	}
	l.end([]*part{a}, 1)
	if l.begin(partOf(3)) {
		t.Error("there are more batches than there may be from now on")
	}
	l.end([]*part{b}, 1)
	if !l.begin(partOf(1)) {
		t.Error("a call that was written is still in the way")
	}
}

// TestLineBatches takes no more into a batch than is good for it, and what is
// longer alone.
func TestLineBatches(t *testing.T) {
	t.Parallel()
	l := newLine(9)
	long := &part{records: make([]cdr.Record, 2*maxBatch)}
	half := &part{records: make([]cdr.Record, maxBatch/2)}
	mustAdd(t, l, long, half, half, partOf(1))
	for i, want := range []int{1, 2, 1} {
		parts := l.take()
		if len(parts) != want {
			t.Errorf("batch %d has %d parts, want %d", i, len(parts), want)
		}
		l.end(parts, 9)
	}
	for i := range uint64(maxBatch + 1) {
		mustAdd(t, l, partOf(i+2))
	}
	if parts := l.take(); len(parts) != maxBatch {
		t.Errorf("a batch has %d records, want %d", len(parts), maxBatch)
	}
}

// TestLineSecondBatch has one batch grow beside another, but for those that are so
// small that nothing is saved, and until it is worth two.
func TestLineSecondBatch(t *testing.T) {
	t.Parallel()
	l := newLine(2)
	if !l.begin(partOf(1, 2)) || !l.begin(partOf(3)) {
		t.Fatal("a small batch keeps another from beginning")
	}
	l.end([]*part{partOf(1, 2)}, 2)
	l.end([]*part{partOf(3)}, 2)

	first := partOf(1, 2, 3)
	if !l.begin(first) || l.begin(partOf(4)) {
		t.Fatal("want one batch, and none beside it")
	}
	for i := range uint64(many - 1) {
		mustAdd(t, l, partOf(10+i))
	}
	if parts := l.take(); parts != nil {
		t.Errorf("a batch of %d began beside another, which is too early", len(parts))
	}
	mustAdd(t, l, partOf(5))
	if parts := l.take(); len(parts) != many {
		t.Errorf("a batch of %d began, want all %d that wait", len(parts), many)
	}
	l.end([]*part{first}, 2)
	mustAdd(t, l, partOf(6))
	if parts := l.take(); parts != nil {
		t.Errorf("a batch of %d began beside one that is neither small nor long", len(parts))
	}
}

// TestLineLongBatch lets a small delivery pass a long one.
func TestLineLongBatch(t *testing.T) {
	t.Parallel()
	l := newLine(2)
	if !l.begin(&part{records: make([]cdr.Record, long)}) || !l.begin(partOf(1)) {
		t.Error("a small delivery waits for a long one")
	}
}

// TestLineHeldUp writes what waits beside a batch that is held up, and beside no
// other.
func TestLineHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(2)
		stuck := partOf(1, 2, 3)
		if !l.begin(stuck) {
			t.Fatal("nothing was in the way")
		}
		for i := range uint64(3) {
			begun := time.Now()
			mustAdd(t, l, partOf(4+i))
			if l.take() != nil {
				t.Fatal("a batch began beside one that is not held up yet")
			}
			if !l.await() || time.Since(begun) != heldUp {
				t.Errorf("a delivery waited %v for a batch that is held up", time.Since(begun))
			}
			l.end(l.take(), 2)
		}
		l.end([]*part{stuck}, 2)
		if next := partOf(1, 2, 3); !l.begin(next) || l.begin(partOf(4)) {
			t.Error("the next batch is taken for one that is held up")
		}
	})
}

// TestLineIsFull has the sender wait whose delivery finds no place.
func TestLineIsFull(t *testing.T) {
	t.Parallel()
	l := newLine(1)
	for i := range uint64(maxWaiting) {
		mustAdd(t, l, partOf(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.add(ctx, []*part{partOf(0)}, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	l.take()
	mustAdd(t, l, partOf(0))
}

func TestLineClosed(t *testing.T) {
	t.Parallel()
	l := newLine(2)
	mustAdd(t, l, partOf(1))
	l.close()
	if err := l.add(t.Context(), []*part{partOf(2)}, nil); !errors.Is(err, ErrClosed) || l.begin(partOf(3)) {
		t.Errorf("a closed line takes more: %v", err)
	}
	parts := l.take()
	if len(parts) != 1 {
		t.Fatal("what waited before is lost")
	}
	l.end(parts, 2)
	if l.await() {
		t.Error("there will never be more to write")
	}
}

// TestLineWakes has a writer wait for a call that a request writes by itself.
func TestLineWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(2)
		own := partOf(1)
		if !l.begin(own) {
			t.Fatal("nothing was in the way")
		}
		mustAdd(t, l, partOf(1))
		more := make(chan bool)
		go func() { more <- l.await() }()
		synctest.Wait()
		select {
		case <-more:
			t.Fatal("the call is being written, and its next part may begin")
		default:
		}
		l.end([]*part{own}, 2)
		if !<-more || len(l.take()) != 1 {
			t.Error("the writer does not get the part")
		}
	})
}

// TestLineClosedMeanwhile closes the line while a request writes by itself: that
// is waited for too, because the database is closed next.
func TestLineClosedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(2)
		own := partOf(1)
		l.begin(own)
		more := make(chan bool)
		go func() { more <- l.await() }()
		l.close()
		synctest.Wait()
		select {
		case <-more:
			t.Fatal("a part that was begun is not waited for")
		default:
		}
		l.end([]*part{own}, 2)
		if <-more {
			t.Error("there is more to write")
		}
	})
}

// TestLineUnderLoad has many senders and writers, and looks that no call is
// written twice at once, each in the order in which it came.
func TestLineUnderLoad(t *testing.T) {
	t.Parallel()
	const senders, each, calls, atOnce = 8, 400, 20, 3
	l := newLine(atOnce)
	var mu sync.Mutex
	writing, order := map[uint64]bool{}, map[string]int{}
	begin := func(parts []*part) {
		mu.Lock()
		defer mu.Unlock()
		own := map[uint64]bool{}
		for _, p := range parts {
			for _, c := range p.calls {
				if writing[c] && !own[c] {
					t.Errorf("call %d is in two batches", c)
				}
				writing[c], own[c] = true, true
				k := fmt.Sprint(p.places[0], c)
				if p.places[1] < order[k] {
					t.Errorf("call %d of a sender: part %d after part %d", c, p.places[1], order[k])
				}
				order[k] = p.places[1]
			}
		}
	}
	end := func(parts []*part) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range parts {
			for _, c := range p.calls {
				delete(writing, c)
			}
		}
	}
	written := 0
	var writers, sending sync.WaitGroup
	for range atOnce {
		writers.Go(func() {
			for l.await() {
				parts := l.take()
				begin(parts)
				end(parts)
				mu.Lock()
				written += len(parts)
				mu.Unlock()
				if len(parts) > 0 {
					l.end(parts, atOnce)
				}
			}
		})
	}
	for s := range senders {
		sending.Go(func() {
			random := rand.New(rand.NewPCG(uint64(s), 1))
			for i := range each {
				p := partOf(random.Uint64N(calls), random.Uint64N(calls))
				p.places = []int{s, i}
				if err := l.add(t.Context(), []*part{p}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	l.close()
	writers.Wait()
	if written != senders*each {
		t.Errorf("%d parts were written, want %d", written, senders*each)
	}
}

// TestSplit makes parts that can be written side by side of a long delivery.
func TestSplit(t *testing.T) {
	t.Parallel()
	w := &Writer{seed: maphash.MakeSeed()}
	var records []cdr.Record
	for i := range 2 * maxBatch {
		records = append(records, cdr.Record{Events: []cdr.Event{{CallID: fmt.Sprint("call ", i/2)}}})
	}
	parts := w.split(append(records, cdr.Record{Reject: &cdr.Reject{}}))
	if len(parts) != 3 {
		t.Fatalf("%d parts, want 3", len(parts))
	}
	seen, of := map[int]bool{}, map[uint64]*part{}
	for _, p := range parts {
		if len(p.records) < maxBatch/2 || len(p.records) != len(p.places) {
			t.Errorf("a part has %d records with %d places", len(p.records), len(p.places))
		}
		for _, place := range p.places {
			seen[place] = true
		}
		for _, c := range p.calls {
			if of[c] != nil && of[c] != p {
				t.Error("a call is in two parts")
			}
			of[c] = p
		}
	}
	if len(seen) != 2*maxBatch+1 || len(of) != maxBatch {
		t.Errorf("%d records of %d calls, want %d of %d", len(seen), len(of), 2*maxBatch+1, maxBatch)
	}
	if short := w.split(records[:maxBatch]); len(short) != 1 {
		t.Errorf("%d parts of a short delivery", len(short))
	}
}
