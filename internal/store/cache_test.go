package store

import (
	"fmt"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestCacheIsNotTheTruth changes a call behind the back of a store that has it in
// its cache, in every way there is: what comes next must be folded from what is
// there.
func TestCacheIsNotTheTruth(t *testing.T) {
	t.Parallel()
	redecode := func(e cdr.Event, _ Source) (cdr.Event, error) {
		facts := *e.Facts
		facts.Src = "other"
		e.Facts = &facts
		return e, nil
	}
	for name, change := range map[string]func(t *testing.T, other *Store){
		"another event": func(t *testing.T, other *Store) {
			mustSave(t, other, called(2, cdr.StateAnswered, cdr.KindAnswered, 2))
		},
		"the next event": func(t *testing.T, other *Store) { mustSave(t, other, called(3, cdr.StateEnded, cdr.KindEnded, 5)) },
		"prune":          func(t *testing.T, other *Store) { pruneNow(t, other) },
		"erase":          func(t *testing.T, other *Store) { eraseNow(t, other) },
		"rebuild": func(t *testing.T, other *Store) {
			if _, err := other.Rebuild(t.Context(), redecode, func(int) {}); err != nil {
				t.Fatal(err)
			}
		},
		"rows deleted": func(t *testing.T, other *Store) {
			if _, err := other.pool.Exec(t.Context(), `WITH gone AS (DELETE FROM call) DELETE FROM event`); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			s, other := New(pool, quiet()), New(pool, quiet())
			if err := s.Register(t.Context(), []Source{{Name: "s", Provider: "wavix"}}); err != nil {
				t.Fatal(err)
			}
			first := called(1, cdr.StateStarted, cdr.KindStarted, 1)
			mustSave(t, s, first)
			change(t, other)
			mustSave(t, s, called(3, cdr.StateEnded, cdr.KindEnded, 5), first)
			wantVerified(t, s)
			if n := count(t, pool, `SELECT count(*) FROM event WHERE event_id IN (SELECT event_id FROM event GROUP BY 1 HAVING count(*) > 1)`); n != 0 {
				t.Errorf("%d events are doubled", n)
			}
			if n := count(t, pool, `SELECT count(*) FROM event`); n < 2 {
				t.Errorf("%d events, want the one from before and the new one", n)
			}
		})
	}
}

// TestStrangersAreKnownAfterAll has a store that takes unknown calls for new ones
// meet calls that another has stored.
func TestStrangersAreKnownAfterAll(t *testing.T) {
	t.Parallel()
	first, second := live(1, cdr.StateStarted, cdr.KindStarted, 1), live(2, cdr.StateEnded, cdr.KindEnded, 5)
	mute := live(3, "", cdr.KindStream, 2)
	mute.Events[0].Facts = nil
	for name, comes := range map[string][]cdr.Record{
		"a repeat": {first}, "another event of the call": {second}, "both": {second, first}, "one without facts": {mute}, "all": {mute, second, first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			s := New(pool, quiet())
			mustSave(t, New(pool, quiet()), first)
			s.cache.strangers = trust
			outcomes := mustSave(t, s, comes...)
			if is := outcomes[len(outcomes)-1].Status == Duplicate; is != (comes[len(comes)-1].Events[0].ID == first.Events[0].ID) {
				t.Errorf("outcomes %v", outcomes)
			}
			want := 1
			for _, r := range comes {
				want += r.Events[0].Deliveries
			}
			if n := count(t, pool, `SELECT sum(deliveries)::int FROM event`); n != want {
				t.Errorf("%d deliveries are counted, want %d", n, want)
			}
			if s.cache.strangers != 0 && name != "one without facts" {
				t.Error("the store goes on guessing after it was wrong")
			}
			wantVerified(t, s)
		})
	}
}

// TestStrangersAreTrusted lets a store see many new calls, after which it takes
// the next for new without asking, until one is not.
func TestStrangersAreTrusted(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	var batch []cdr.Record
	for i := range trust {
		r := live(1, cdr.StateStarted, cdr.KindStarted, 1)
		r.Events[0].CallID = fmt.Sprint("call ", i)
		batch = append(batch, r)
	}
	mustSave(t, s, batch...)
	if !s.cache.expectsStrangers() {
		t.Error("many new calls are not enough")
	}
	s.cache.met(false, 0)
	if s.cache.expectsStrangers() {
		t.Error("one that was known is not enough")
	}
}

// TestFailedWriteLeavesTheCache has the database refuse a write: what was folded
// for it must not be taken for stored.
func TestFailedWriteLeavesTheCache(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, quiet())
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	if _, err := pool.Exec(t.Context(), `
		CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
		CREATE TRIGGER full_disk BEFORE UPDATE ON call FOR EACH ROW EXECUTE FUNCTION full_disk()`); err != nil {
		t.Fatal(err)
	}
	next := live(2, cdr.StateEnded, cdr.KindEnded, 5)
	if _, err := s.Save(t.Context(), []cdr.Record{next}); FaultOf(err) != FaultAway {
		t.Fatalf("error %v, want that of the full disk", err)
	}
	if _, err := pool.Exec(t.Context(), `DROP TRIGGER full_disk ON call`); err != nil {
		t.Fatal(err)
	}
	if o := mustSave(t, s, next); o[0].Status != Stored {
		t.Errorf("the event counts as seen: %v", o)
	}
	if c := wantCall(t, s, "c1"); c.Events != 2 {
		t.Errorf("%d events in the call, want 2", c.Events)
	}
	wantVerified(t, s)
}

// TestCacheCountsWhatItHolds lets one call change often: it fills the cache no
// more than once.
func TestCacheCountsWhatItHolds(t *testing.T) {
	t.Parallel()
	var c cache
	k := callKey{"s", "c"}
	call := &stored{events: make([]cdr.Event, 1), bytes: 100}
	for range cachedEvents {
		c.put(map[callKey]*stored{k: call})
		if call = c.take(k); call == nil {
			t.Fatal("the call is gone")
		}
	}
	if c.put(map[callKey]*stored{k: call}); c.events != 2 || c.bytes != 100 || len(c.old) != 0 {
		t.Errorf("one call counts as %d units of %d bytes, with %d calls in an old generation", c.events, c.bytes, len(c.old))
	}
}

// TestCacheReads counts what is read: a call that was just written is not.
func TestCacheReads(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	asked, hit := s.cache.asked, s.cache.hit
	for i := byte(2); i < 10; i++ {
		mustSave(t, s, live(i, cdr.StateAnswered, cdr.KindAnswered, int(i)))
	}
	if asked, hit := s.cache.asked-asked, s.cache.hit-hit; asked != 8 || hit != 8 {
		t.Errorf("%d of %d calls were in the cache, want all 8", hit, asked)
	}
}

func TestCacheBounds(t *testing.T) {
	t.Parallel()
	fill := func(c *cache, n int, of stored) {
		for i := range n {
			call := of
			c.put(map[callKey]*stored{{"s", fmt.Sprint(i)}: &call})
			if i%2 == 0 && c.take(callKey{"s", fmt.Sprint(i)}) != nil {
				c.put(map[callKey]*stored{{"s", fmt.Sprint(i)}: &call})
			}
		}
	}
	small := stored{events: make([]cdr.Event, 3), bytes: 1000}
	var c cache
	fill(&c, 30_000, small)
	if n := len(c.young) + len(c.old); n < cachedEvents/4 || n > 2*cachedEvents/4+2 {
		t.Errorf("%d calls of 4 units each are kept, want between one and two generations of %d units", n, cachedEvents)
	}
	if c.take(callKey{"s", "29998"}) == nil || c.take(callKey{"s", "29998"}) != nil {
		t.Error("the newest call is not there once")
	}
	if c.take(callKey{"s", "0"}) != nil {
		t.Error("the oldest call is still there")
	}
	c = cache{}
	fill(&c, 2000, stored{events: make([]cdr.Event, 1), bytes: callBytes})
	if n := len(c.young) + len(c.old); n > 2*cachedBytes/callBytes+2 {
		t.Errorf("%d calls of %d bytes are kept", n, callBytes)
	}
	for name, call := range map[string]stored{
		"many events": {events: make([]cdr.Event, callEvents+1)}, "many bytes": {bytes: callBytes + 1}, "pruned": {pruned: true},
	} {
		c = cache{}
		fill(&c, 1, call)
		if len(c.young) != 0 {
			t.Errorf("a call with %s is kept", name)
		}
	}
}

// TestCacheRests asks for calls that never come again: after a generation nothing
// is kept for a while.
func TestCacheRests(t *testing.T) {
	t.Parallel()
	var c cache
	rested := 0
	for i := range 20 * cachedEvents {
		k := callKey{"s", fmt.Sprint(i)}
		if c.take(k) != nil {
			t.Fatal("a call that was never put")
		}
		c.put(map[callKey]*stored{k: {events: make([]cdr.Event, 1)}})
		if c.young[k] == nil {
			rested++
		}
	}
	if rested < 10*cachedEvents || rested > 19*cachedEvents {
		t.Errorf("%d of %d calls were not kept, want most and not all", rested, 20*cachedEvents)
	}
}
