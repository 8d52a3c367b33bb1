package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

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
// changed: nothing of it is kept, and one more try is enough for all. Where Citus
// is loaded it is told where the transaction begins and ends.
func TestBatchIsFoldedAgainWhole(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string]int{"Postgres": 0, "Citus": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.New(t)
			s, other := New(singlePool(t, url, name == "Citus"), quiet()), New(singlePool(t, url, false), quiet())
			foldAgain(t, s, other)
			if n := count(t, s.pool, `SELECT count(*)::int FROM pg_prepared_statements WHERE statement IN ('BEGIN', 'COMMIT')`); n != statements {
				t.Errorf("%d of BEGIN and COMMIT were said, want %d", n, statements)
			}
		})
	}
}

// singlePool returns a pool of one connection. Where it is for Citus it has a
// setting by which Citus is known.
func singlePool(t *testing.T, url string, citus bool) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	if citus {
		config.ConnConfig.RuntimeParams["citus.shard_count"] = "32"
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func foldAgain(t *testing.T, s, other *Store) {
	t.Helper()
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
	s.betweenReadAndWrite = func() {
		if tries++; tries == 2 {
			if n := count(t, s.pool, `SELECT count(*)::int FROM event`); n != 9 {
				t.Errorf("%d events after a try that was refused, want 9", n)
			}
		}
	}
	mustSave(t, s, second...)
	if tries != 2 {
		t.Errorf("%d tries, want 2: one that is refused and one for all", tries)
	}
	if c := wantCall(t, s, "c3"); c.Events != 3 {
		t.Errorf("%d events in the call, want 3", c.Events)
	}
	wantVerified(t, s)
}

// TestRepeatOfNothing counts a repeat of an event that is gone meanwhile: it is
// new then.
func TestRepeatOfNothing(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 2))
	if n := count(t, s.pool, `SELECT deliveries FROM event`); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}
	s.betweenReadAndWrite = func() {
		s.betweenReadAndWrite = nil
		if _, err := s.pool.Exec(t.Context(), `DELETE FROM event; DELETE FROM call`); err != nil {
			t.Error(err)
		}
	}
	if o := mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 3)); o[0].Status != Stored {
		t.Errorf("%v, want it to be new", o)
	}
	if n := count(t, s.pool, `SELECT deliveries FROM event`); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
	wantVerified(t, s)
}
