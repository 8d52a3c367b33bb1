package ingest

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// spooling is a writer with a spool.
type spooling struct {
	*Writer
	spool *spool.Spool
	store *store.Store
	pool  *pgxpool.Pool
}

func newSpooling(t *testing.T, pool *pgxpool.Pool, o Options, so spool.Options) spooling {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), so)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sp.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Spool, o.Sources = sp, sourcesByName()
	s := store.New(pool, quiet())
	w := NewWriter(s, quiet(), o)
	t.Cleanup(w.Close)
	return spooling{w, sp, s, pool}
}

// drained waits until the spool is empty and the database is used again.
func (s spooling) drained(t *testing.T) {
	t.Helper()
	s.eventually(t, func() bool { return s.spool.Stats().Deliveries == 0 && !s.Away() })
}

// eventually waits for a condition.
func (s spooling) eventually(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it does not come to that: %+v, away %v", s.spool.Stats(), s.Away())
		}
	}
}

func (s spooling) wantSpooled(t *testing.T, d cdr.Delivery) {
	t.Helper()
	r, err := s.Write(t.Context(), d)
	if err != nil || r.Spooled != r.Received || r.Received == 0 {
		t.Errorf("%+v, %v; want it spooled", r, err)
	}
}

// TestSpooledWhileAway stops the database, delivers, and starts it again.
func TestSpooledWhileAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := pgxpool.New(t.Context(), server.URL(postgres.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := newSpooling(t, pool, Options{}, spool.Options{})
	if r, err := s.Write(t.Context(), delivery("before")); err != nil || r.Stored != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		s.wantSpooled(t, delivery("c"+itoa(i)))
	}
	if !s.Away() {
		t.Error("the database is not taken for away")
	}
	pgtest.Restart(t, server)
	s.drained(t)
	if r, err := s.Write(t.Context(), delivery("after")); err != nil || r.Stored != 1 {
		t.Errorf("after: %+v, %v", r, err)
	}
	if n := count(t, pool, `SELECT count(*) FROM call WHERE first_received_at = '2026-11-02 09:00:00Z'`); n != 22 {
		t.Errorf("%d calls with the time of their first receipt, want 22", n)
	}
	wantVerified(t, s.store)
}

// TestLateDatabase has another session lock the table: what is late is spooled.
func TestLateDatabase(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := newSpooling(t, pool, Options{Timeout: 200 * time.Millisecond}, spool.Options{})
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE event IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	s.wantSpooled(t, delivery("c1"))
	s.wantSpooled(t, delivery("c2")) // at once: the first was late
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.drained(t)
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// TestReadOnlyDatabase spools what a standby would refuse.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := newSpooling(t, pool, Options{}, spool.Options{})
	var name string
	if err := pool.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	set := func(value string) {
		if _, err := pool.Exec(t.Context(), `ALTER DATABASE "`+name+`" SET default_transaction_read_only = `+value); err != nil {
			t.Fatal(err)
		}
		pool.Reset()
	}
	set("on")
	s.wantSpooled(t, delivery("c1"))
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SET default_transaction_read_only = off`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `ALTER DATABASE "`+name+`" SET default_transaction_read_only = off`); err != nil {
		t.Fatal(err)
	}
	conn.Release()
	pool.Reset()
	s.drained(t)
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestOwnFaultIsSpooled has a table missing, as after a botched change by hand.
func TestOwnFaultIsSpooled(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := newSpooling(t, pool, Options{}, spool.Options{})
	if _, err := pool.Exec(t.Context(), `ALTER TABLE call RENAME TO hidden`); err != nil {
		t.Fatal(err)
	}
	s.wantSpooled(t, delivery("c1"))
	if n := count(t, pool, `SELECT count(*) FROM quarantine`); n != 0 {
		t.Errorf("%d pieces in quarantine: a fault of ours is no fault of the data", n)
	}
	if n := s.spool.Stats().Deliveries; n != 1 {
		t.Errorf("%d deliveries in the spool, want 1", n)
	}
}

// TestWaiting spools everything until the database is ready to be used.
func TestWaiting(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := newSpooling(t, pool, Options{Waiting: true}, spool.Options{})
	s.wantSpooled(t, delivery("c1"))
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 0 {
		t.Errorf("%d calls before the database is ready", n)
	}
	s.Connected()
	s.drained(t)
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestSpooledSourceGone keeps what came for a source that the configuration no
// longer has, and goes on with the others.
func TestSpooledSourceGone(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := newSpooling(t, pool, Options{Waiting: true}, spool.Options{})
	gone := delivery("c1")
	gone.Source = "long-gone"
	s.wantSpooled(t, gone)
	s.wantSpooled(t, delivery("c2"))
	s.Connected()
	s.drained(t)
	if n := count(t, pool, `SELECT count(*) FROM quarantine WHERE source = 'long-gone' AND reason LIKE '%not configured%'`); n != 1 {
		t.Errorf("%d pieces of the source that is gone, want 1", n)
	}
	if n := count(t, pool, `SELECT count(*) FROM call WHERE call_id = 'c2'`); n != 1 {
		t.Errorf("%d calls, want the other source's", n)
	}
}

func TestSpoolFull(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{Waiting: true}, spool.Options{MaxBytes: 1 << 16, SegmentBytes: 1 << 15})
	for i := range 10_000 {
		r, err := s.Write(t.Context(), delivery("c"+itoa(i)))
		if err == nil && r.Spooled == 1 {
			continue
		}
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, spool.ErrFull) {
			t.Errorf("error %v, want one that says both", err)
		}
		return
	}
	t.Error("the spool is never full")
}
