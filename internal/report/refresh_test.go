package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// refreshOnce runs one step of the computation.
func refreshOnce(t testing.TB, pool *pgxpool.Pool, calls int) bool {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	done, err := refreshStep(t.Context(), conn, calls)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// refresh computes all, some calls at a time.
func refresh(t testing.TB, pool *pgxpool.Pool, calls int) {
	t.Helper()
	for !refreshOnce(t, pool, calls) {
	}
}

// TestTendInSteps: the first computation rests between its steps; where it ends
// early what was done stays, and reports are right all the same.
func TestTendInSteps(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for i := range 6 {
		insert(t, pool, aCall{Source: "a", CallID: fmt.Sprint(i), At: at(t, "2026-10-05T12:00:00Z").Add(time.Duration(i) * time.Hour)})
	}
	tendUntil := func(enough func(rests []time.Duration) bool) (rests []time.Duration) {
		end := errors.New("enough")
		for {
			err := alone(t.Context(), url, func(conn *pgx.Conn) error {
				return tend(t.Context(), conn, 1, func(_ context.Context, d time.Duration) error {
					if rests = append(rests, d); enough(rests) {
						return end
					}
					return nil
				})
			})
			switch {
			case errors.Is(err, end):
				return rests
			case err != nil: // else the server has not yet seen that the last connection is closed
				t.Fatal(err)
			}
		}
	}
	rests := tendUntil(func(rests []time.Duration) bool { return len(rests) == 2 })
	early := number(t, pool, "SELECT count(*) FROM usage_quarter")
	if slices.Min(rests) <= 0 || early == 0 || early == 6 {
		t.Errorf("after rests %v %d of 6 quarters have sums", rests, early)
	}
	attempts := "SELECT attempts FROM usage('2026-10-01', '2026-11-01', 'all', 'UTC')"
	if n := number(t, pool, attempts); n != 6 {
		t.Errorf("in between usage counts %d of 6 calls", n)
	}
	tendUntil(func([]time.Duration) bool {
		return number(t, pool, "SELECT count(*) FROM usage_state WHERE covered_from = '-infinity'") == 1
	})
	if sums, n := number(t, pool, "SELECT count(*) FROM usage_quarter"), number(t, pool, attempts); sums != 6 || n != 6 {
		t.Errorf("%d of 6 quarters have sums; usage counts %d", sums, n)
	}
}

// TestStaleQuarters: a change makes its quarter of an hour stale, which is computed
// when it was quiet, or stale for long, and not each time that somebody looks.
func TestStaleQuarters(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z"), Cost: known("1"), Currency: "USD"})
	refresh(t, pool, 10)
	for i, due := range []string{"'0', '1 hour'", "'1 hour', '0'"} {
		cost := i + 2
		change(t, pool, cost)
		for looks := range 3 {
			changed, more := tendOnce(t, pool, "'1 hour', '1 hour'")
			if !changed && looks == 0 || more {
				t.Errorf("look %d: changed %v, more %v", looks, changed, more)
			}
			if stale := lines(t, pool, "SELECT to_char(quarter AT TIME ZONE 'UTC', 'HH24:MI') FROM usage_stale"); !slices.Equal(stale, []string{"12:00"}) {
				t.Errorf("look %d: stale are %v", looks, stale)
			}
			if sums, is := number(t, pool, "SELECT cost::bigint FROM usage_quarter"), usageCost(t, pool); sums != cost-1 || is != cost {
				t.Errorf("look %d: the sums say %d and usage %d, want %d and %d", looks, sums, is, cost-1, cost)
			}
		}
		for began := time.Now(); watermarkHeldBack(t, pool); tendOnce(t, pool, "'1 hour', '1 hour'") {
			if time.Since(began) > time.Minute {
				t.Fatal("what a look has found is found again and again")
			}
		}
		if _, more := tendOnce(t, pool, due); more {
			t.Errorf("%s: more to do after the only quarter", due)
		}
		if sums, is := number(t, pool, "SELECT cost::bigint FROM usage_quarter"), usageCost(t, pool); sums != cost || is != cost {
			t.Errorf("%s: the sums say %d and usage %d, want %d", due, sums, is, cost)
		}
	}
}

// TestBusyQuarterWaits: each change that is found makes a quarter busy again.
func TestBusyQuarterWaits(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z"), Cost: known("1"), Currency: "USD"})
	refresh(t, pool, 10)
	change(t, pool, 2)
	tendOnce(t, pool, "'1 minute', '1 hour'")
	if _, err := pool.Exec(t.Context(), "UPDATE usage_stale SET marked_at = now() - interval '2 minutes'"); err != nil {
		t.Fatal(err)
	}
	change(t, pool, 3)
	tendOnce(t, pool, "'1 minute', '1 hour'")
	if n := number(t, pool, "SELECT count(*) FROM usage_stale WHERE marked_at > since"); n != 1 {
		t.Errorf("%d quarters are known as busy", n)
	}
	if sums := number(t, pool, "SELECT cost::bigint FROM usage_quarter"); sums != 1 {
		t.Errorf("a quarter was computed while calls in it changed: it says %d", sums)
	}
}

// TestLookingWritesNothing: where nothing changes a look leaves nothing behind.
func TestLookingWritesNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z")})
	refresh(t, pool, 10)
	for watermarkHeldBack(t, pool) { // by transactions of other tests, for a while
		refresh(t, pool, 10)
	}
	version := lines(t, pool, "SELECT xmin::text FROM usage_state")
	for range 3 {
		if changed, more := tendOnce(t, pool, "'1 minute', '15 minutes'"); changed || more {
			t.Errorf("changed %v, more %v", changed, more)
		}
	}
	if after := lines(t, pool, "SELECT xmin::text FROM usage_state"); !slices.Equal(after, version) {
		t.Errorf("usage_state was written by %v after %v", after, version)
	}
}

func TestRest(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name             string
		t                tended
		took, last, want time.Duration
	}{
		{"more to do", tended{more: true}, 500 * ms, time.Minute, 2 * time.Second},
		{"changes, soon seen", tended{changed: true}, 10 * ms, time.Minute, time.Second},
		{"changes, long looked for", tended{changed: true}, 200 * ms, time.Second, 4 * time.Second},
		{"nothing at first", tended{}, ms, 40 * ms, 2 * time.Second},
		{"nothing again", tended{}, ms, 8 * time.Second, 16 * time.Second},
		{"nothing for long", tended{}, ms, 50 * time.Second, time.Minute},
	} {
		if is := c.t.rest(c.took, c.last); is != c.want {
			t.Errorf("%s: %v, want %v", c.name, is, c.want)
		}
	}
}

// TestWaitEnds: nobody waits for the rest of a receiver that stops.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	began := time.Now()
	if err := wait(t.Context(), 5*time.Millisecond); err != nil || time.Since(began) < 5*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// tendOnce runs one step with what makes a quarter due.
func tendOnce(t testing.TB, pool *pgxpool.Pool, due string) (changed, more bool) {
	t.Helper()
	err := pgx.BeginTxFunc(t.Context(), pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT changed, more FROM tend_usage(10, "+due+")").Scan(&changed, &more)
	})
	if err != nil {
		t.Fatal(err)
	}
	return changed, more
}

// change gives all calls another cost, as the store does.
func change(t testing.TB, pool *pgxpool.Pool, cost int) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO call_change (source, call_id) SELECT source, call_id FROM call"); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "UPDATE call SET cost = $1", cost)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func usageCost(t testing.TB, pool *pgxpool.Pool) int {
	t.Helper()
	return number(t, pool, "SELECT cost::bigint FROM usage('2026-10-01', '2026-11-01', 'all', 'UTC')")
}

func number(t testing.TB, pool *pgxpool.Pool, query string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// watermarkHeldBack reports whether transactions of other tests, in other databases
// of the server, keep what has changed above the watermark.
func watermarkHeldBack(t testing.TB, pool *pgxpool.Pool) bool {
	t.Helper()
	return number(t, pool, "SELECT count(*) FROM usage_state, usage_changed(watermark)") > 0
}
