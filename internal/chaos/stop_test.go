package chaos

import (
	"context"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestTerminated asks a receiver to stop under load, again and again.
func TestTerminated(t *testing.T) {
	t.Parallel()
	s := settings{database: pgtest.New(t), dir: t.TempDir()}
	r := start(t, s)
	l := startLoad(t, 16, r)
	rounds := either(2, 10)
	for range rounds {
		wantMore(t, l, "stored", 300, counts.stored)
		r.terminate(t)
		r.wantExit(t)
		r = start(t, s)
		l.aim(r)
	}
	wantMore(t, l, "stored", 300, counts.stored)
	l.stop()
	r.drained(t)
	t.Logf("stopped %d times", rounds)
	l.check(t, s)
}

// TestTerminatedInFlight has deliveries wait for the database while the receiver
// is asked to stop: they are finished. (Requests that net/http has not begun to
// read by then have no answer and come again.)
func TestTerminatedInFlight(t *testing.T) {
	t.Parallel()
	s := settings{database: pgtest.New(t), dir: t.TempDir(), more: []string{"CDRSTORE_LATE=20s"}}
	r := start(t, s)
	r.drained(t)
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE event, recording, message, quarantine IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	l := startLoad(t, 0, r)
	const inFlight = 64
	var all sync.WaitGroup
	var taken atomic.Int32
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got100Continue: func() { taken.Add(1) }, // the receiver reads the body
	})
	for range inFlight {
		d := l.next()
		for d.kind == "" {
			d = l.next()
		}
		d.expect = true
		all.Go(func() { l.post(ctx, r.url, d) })
	}
	eventually(t, 10*time.Second, "all in flight", func() bool {
		var waiting bool
		err := tx.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").Scan(&waiting)
		return err == nil && waiting && taken.Load() == inFlight
	})
	r.terminate(t)
	eventually(t, 10*time.Second, "no new connections are taken", func() bool { return r.ready(t).Code == 0 })
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	r.wantExit(t)
	if c := l.now(); c.acknowledged != inFlight || c.spooled > 0 {
		t.Errorf("%+v, want all %d that were in flight stored", c, inFlight)
	}
	l.check(t, s)
}
