package store

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// called is live, from a person's number.
func called(id byte, state cdr.State, kind cdr.Kind, minute int) cdr.Record {
	r := live(id, state, kind, minute)
	r.Events[0].Facts.Src, r.Events[0].Facts.SrcE164, r.Events[0].Facts.SrcName = "020 7946 0123", "+442079460123", "Jane Roe"
	r.Events[0].Payload = []byte(`{"from":"+442079460123"}`)
	return r
}

// two returns a store that does f once between its read and its write, and one
// that does not.
func two(t *testing.T, f func(other *Store)) (held, other *Store, pool *pgxpool.Pool) {
	t.Helper()
	pool = pgtest.Pool(t)
	held, other = New(pool, quiet()), New(pool, quiet())
	mustSave(t, other, called(1, cdr.StateStarted, cdr.KindStarted, 1))
	var once sync.Once
	held.betweenReadAndWrite = func() { once.Do(func() { f(other) }) }
	return held, other, pool
}

func pruneNow(t *testing.T, s *Store) Pruned {
	t.Helper()
	p, err := s.Prune(t.Context(), Pruning{Before: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, func(int) {})
	if err != nil {
		t.Error(err)
	}
	return p
}

func eraseNow(t *testing.T, s *Store) Erased {
	t.Helper()
	e, err := s.Erase(t.Context(), "+442079460123", false, func(int) {})
	if err != nil {
		t.Error(err)
	}
	return e
}

func wantNoNumber(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if n := count(t, pool, `SELECT (SELECT count(*) FROM call c WHERE c::text LIKE '%7946%0123%' OR c.src_name IS NOT NULL)
		+ (SELECT count(*) FROM event e WHERE e::text LIKE '%7946%0123%' OR e.facts::text LIKE '%Jane%')`); n > 0 {
		t.Errorf("%d rows still hold the number or its owner's name", n)
	}
}

// TestPruneBesideHeldWriter prunes a call that a writer has folded already: the
// writer must not write its fold.
func TestPruneBesideHeldWriter(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { pruneNow(t, other) })
	mustSave(t, held, live(2, cdr.StateEnded, cdr.KindEnded, 5))
	if c := wantCall(t, s, "c1"); c.State != cdr.StateStarted || c.Events != 1 {
		t.Errorf("a pruned call was folded: %+v", c)
	}
	if n := count(t, pool, `SELECT count(*) FROM event WHERE (facts IS NOT NULL) = (event_id::text LIKE '02%')`); n != 2 {
		t.Errorf("%d of 2 events are as they should be: the first empty, the late one stored", n)
	}
	if p, err := s.Prune(t.Context(), Pruning{Before: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, func(int) {}); err != nil || p.Late != 1 {
		t.Errorf("%+v, %v: want one late event", p, err)
	}
	wantVerified(t, s)
}

// TestHeldPruneBesideWriter has a call change after prune read it: prune must
// leave it alone.
func TestHeldPruneBesideWriter(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { mustSave(t, other, live(2, cdr.StateEnded, cdr.KindEnded, 5)) })
	if p := pruneNow(t, held); p.Calls != 0 || p.Events != 0 {
		t.Errorf("%+v, want the changed call left to the next run", p)
	}
	if n := count(t, pool, `SELECT count(*) FROM event WHERE facts IS NULL`); n > 0 {
		t.Errorf("%d events were emptied", n)
	}
	if c := wantCall(t, s, "c1"); c.State != cdr.StateEnded || c.Events != 2 {
		t.Errorf("an event is lost: %+v", c)
	}
	wantVerified(t, s)
	if p := pruneNow(t, s); p.Calls != 1 || p.Events != 2 {
		t.Errorf("the next run: %+v", p)
	}
}

// TestEraseBesideHeldWriter erases from a call that a writer has folded with the
// number: the writer must fold again.
func TestEraseBesideHeldWriter(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { eraseNow(t, other) })
	mustSave(t, held, live(2, cdr.StateEnded, cdr.KindEnded, 5))
	if c := wantCall(t, s, "c1"); c.State != cdr.StateEnded || c.Events != 2 || c.Dst != "200" {
		t.Errorf("an event is lost: %+v", c)
	}
	wantNoNumber(t, pool)
	wantVerified(t, s)
}

// TestHeldEraseBesideWriter has a call change after erase folded it.
func TestHeldEraseBesideWriter(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { mustSave(t, other, called(2, cdr.StateEnded, cdr.KindEnded, 5)) })
	if e := eraseNow(t, held); e.Calls != 1 || e.Events != 2 {
		t.Errorf("%+v, want both events of the call", e)
	}
	if c := wantCall(t, s, "c1"); c.State != cdr.StateEnded || c.Events != 2 {
		t.Errorf("an event is lost: %+v", c)
	}
	wantNoNumber(t, pool)
	wantVerified(t, s)
}

// TestHeldEraseBesidePrune has a call pruned after erase folded it.
func TestHeldEraseBesidePrune(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { pruneNow(t, other) })
	if e := eraseNow(t, held); e.Calls != 1 {
		t.Errorf("%+v, want the row of the pruned call", e)
	}
	if n := count(t, pool, `SELECT count(*) FROM event WHERE facts IS NOT NULL`); n > 0 {
		t.Errorf("%d events have facts again", n)
	}
	wantNoNumber(t, pool)
	wantVerified(t, s)
}

// TestHeldEraseOfLateEvent has what came late for a pruned call emptied after
// erase read it: no version guards that.
func TestHeldEraseOfLateEvent(t *testing.T) {
	t.Parallel()
	held, s, pool := two(t, func(other *Store) { pruneNow(t, other) })
	pruneNow(t, s)
	mustSave(t, s, called(2, cdr.StateEnded, cdr.KindEnded, 5))
	eraseNow(t, held)
	if n := count(t, pool, `SELECT count(*) FROM event WHERE facts IS NOT NULL OR payload IS NOT NULL`); n > 0 {
		t.Errorf("%d emptied events say something again", n)
	}
	wantNoNumber(t, pool)
	wantVerified(t, s)
}

// TestRebuildKeepsErased decodes anew after an erasure.
func TestRebuildKeepsErased(t *testing.T) {
	t.Parallel()
	_, s, pool := two(t, nil)
	eraseNow(t, s)
	redecode := func(cdr.Event, Source) (cdr.Event, error) {
		return called(1, cdr.StateStarted, cdr.KindStarted, 1).Events[0], nil
	}
	if _, err := s.Rebuild(t.Context(), redecode, func(int) {}); err != nil {
		t.Error(err)
	}
	wantNoNumber(t, pool)
	wantVerified(t, s)
}
