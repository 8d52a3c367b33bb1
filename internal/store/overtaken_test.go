package store

import (
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
