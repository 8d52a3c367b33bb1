package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestRedecodeOvertaken takes the facts off the only event of a call, so that
// the call must go, while a receiver adds another event to it.
func TestRedecodeOvertaken(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	if err := s.Register(t.Context(), []Source{{Name: "s", Provider: "wavix"}}); err != nil {
		t.Fatal(err)
	}
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	var once sync.Once
	_, err := s.Rebuild(t.Context(), func(e cdr.Event, _ Source) (cdr.Event, error) {
		once.Do(func() { mustSave(t, s, live(2, cdr.StateEnded, cdr.KindEnded, 5)) })
		if e.ID == [16]byte{1} {
			e.Facts = nil
		}
		return e, nil
	}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if c := wantCall(t, s, "c1"); c.Events != 1 {
		t.Errorf("%d events in the call, want the one that says something", c.Events)
	}
	wantVerified(t, s)
}

// TestBatchIsFoldedAgainWhole lets a batch meet one call that another writer has
// changed: one more try is enough for all.
func TestBatchIsFoldedAgainWhole(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s, other := New(pool, quiet()), New(pool, quiet())
	var first, second []cdr.Record
	for i := range 8 {
		a, b := live(1, cdr.StateStarted, cdr.KindStarted, 1), live(2, cdr.StateEnded, cdr.KindEnded, 5)
		a.Events[0].CallID, b.Events[0].CallID = fmt.Sprint("c", i), fmt.Sprint("c", i)
		first, second = append(first, a), append(second, b)
	}
	mustSave(t, s, first...)
	answered := live(3, cdr.StateAnswered, cdr.KindAnswered, 2)
	answered.Events[0].CallID = "c3"
	mustSave(t, other, answered)
	tries := 0
	s.betweenReadAndWrite = func() { tries++ }
	mustSave(t, s, second...)
	if tries != 2 {
		t.Errorf("%d tries, want 2: one that is refused and one for all", tries)
	}
	if c := wantCall(t, s, "c3"); c.Events != 3 {
		t.Errorf("%d events in the call, want 3", c.Events)
	}
	wantVerified(t, s)
}
