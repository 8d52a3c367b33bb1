package ingest

import (
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// poison makes the stored facts of a call unreadable: whatever comes for it is
// refused as our fault. Another receiver has stored it, so that ours must read.
func poison(t *testing.T, s spooling, callID string) {
	t.Helper()
	if err := store.New(s.pool, quiet()).SaveAll(t.Context(), s.read(t, delivery(callID))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE event SET facts = '"unreadable"' WHERE call_id = $1`, callID); err != nil {
		t.Fatal(err)
	}
}

// another is a later edition of a delivery's CDR.
func another(callID string) cdr.Delivery {
	d := delivery(callID)
	d.Body = append(d.Body[:len(d.Body)-1], `,"user_id":9}`...)
	d.ReceivedAt = d.ReceivedAt.Add(time.Minute)
	return d
}

// TestPoisonedEntryHoldsUpNothingNew has an entry in the spool that cannot be
// drained: those before it are, and new deliveries are stored at once.
func TestPoisonedEntryHoldsUpNothingNew(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{Waiting: true}, spool.Options{})
	poison(t, s, "bad")
	s.wantSpooled(t, delivery("before"))
	s.wantSpooled(t, another("bad"))
	s.Connected()
	s.eventually(t, func() bool { return !s.Away() && s.spool.Stats().Deliveries == 1 })
	if r, err := s.Write(t.Context(), delivery("new")); err != nil || r.Stored != 1 {
		t.Errorf("a new delivery: %+v, %v; want it stored", r, err)
	}
	if n := count(t, s.pool, `SELECT count(*) FROM call WHERE call_id IN ('before', 'new')`); n != 2 {
		t.Errorf("%d calls, want the one before the poisoned entry and the new one", n)
	}
}

// TestOwnFaultHarmsOneOnly has a batch with a delivery that is refused as our
// fault: its neighbours are stored.
func TestOwnFaultHarmsOneOnly(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{}, spool.Options{})
	poison(t, s, "bad")
	var parts []*part
	for _, d := range []cdr.Delivery{delivery("c1"), another("bad"), delivery("c2")} {
		parts = append(parts, &part{records: s.read(t, d), places: []int{0}, done: make(chan struct{})})
	}
	s.flush(parts)
	for i, p := range parts {
		<-p.done
		if failed := p.err != nil; failed != (i == 1) {
			t.Errorf("part %d: error %v", i, p.err)
		}
	}
}

// TestDrainGetsOverPanics drains into a store that panics. It must end in an
// error, not in the end of the process.
func TestDrainGetsOverPanics(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{Waiting: true}, spool.Options{})
	s.wantSpooled(t, delivery("c1"))
	if n, err := Drain(t.Context(), s.spool, store.New(nil, quiet()), sourcesByName()); err == nil || n != 0 {
		t.Errorf("%d drained, %v; want an error", n, err)
	}
	if n := s.spool.Stats().Deliveries; n != 1 {
		t.Errorf("%d deliveries in the spool, want the one that could not be stored", n)
	}
}

// TestDrainLongDeliveries drains deliveries of more records than a statement
// takes.
func TestDrainLongDeliveries(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{Waiting: true}, spool.Options{})
	long := func(name string, n int) cdr.Delivery {
		d := delivery(name)
		body := d.Body
		for i := 1; i < n; i++ {
			body = append(append(body, '\n'), delivery(name+itoa(i)).Body...)
		}
		d.Body = body
		return d
	}
	for i, n := range []int{1, 2 * maxRecords, 3, maxRecords - 1, 2} {
		s.wantSpooled(t, long("d"+itoa(i)+"-", n))
	}
	s.Connected()
	s.drained(t)
	if n := count(t, s.pool, `SELECT count(*) FROM call`); n != 3*maxRecords+5 {
		t.Errorf("%d calls, want %d", n, 3*maxRecords+5)
	}
}

// TestFormerName drains what was spooled under a name that is an alias now.
func TestFormerName(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{Waiting: true}, spool.Options{})
	d := delivery("c1")
	d.Source = "former"
	s.wantSpooled(t, d)
	sources := sourcesByName()
	sources["former"] = sources["didlogic"]
	if n, err := Drain(t.Context(), s.spool, s.store, sources); err != nil || n != 1 {
		t.Fatalf("%d drained, %v", n, err)
	}
	if n := count(t, s.pool, `SELECT count(*) FROM call WHERE source = 'didlogic'`); n != 1 {
		t.Errorf("%d calls under the name of today, want 1", n)
	}
}
