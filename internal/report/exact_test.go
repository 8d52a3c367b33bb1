package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

// plainUsage adds up calls without any sums kept beside them.
const plainUsage = `
	SELECT to_char(date_trunc('hour', call_time, 'Europe/London') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), source, account, CASE WHEN cost IS NOT NULL THEN currency END,
		count(*)::text, trim_scale(sum(billsec))::text, trim_scale(sum(cost))::text, count(*) FILTER (WHERE cost IS NULL)::text
	FROM call WHERE state = 'ended' AND call_time >= '2026-10-04 23:00Z' AND call_time < '2026-10-06 23:00Z'
	GROUP BY 1, 2, 3, 4`

const keptUsage = `
	SELECT to_char(bucket_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), source, account, currency, attempts::text, trim_scale(billsec)::text, trim_scale(cost)::text, cost_unknown::text
	FROM usage('2026-10-05', '2026-10-07', 'hour', 'Europe/London', 'source', 'account')`

// TestUsageIsExactBesideWriters: several writers save CDRs, correct them, move
// calls to other hours, erase numbers and rebuild; another process refreshes the
// sums. Whatever a snapshot sees, usage is the sum of its calls.
func TestUsageIsExactBesideWriters(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now()
	stores := []*store.Store{store.New(pool, slog.New(slog.DiscardHandler)), store.New(pool, slog.New(slog.DiscardHandler))}
	var writers, others sync.WaitGroup
	var enough atomic.Bool
	for w := range 4 {
		writers.Go(func() { writeCalls(t, stores[w%2], uint64(w), &enough) })
	}
	others.Go(func() { refreshAlways(ctx, t, pool, "SELECT refresh_usage(50)") })
	others.Go(func() { refreshAlways(ctx, t, pool, "SELECT tend_usage(50, '5 ms', '50 ms')") })
	others.Go(func() { refreshAlways(ctx, t, pool, "SELECT tend_usage(50, '20 ms', '1 s')") })
	others.Go(func() { spoilAndRebuild(ctx, t, pool, stores[0]) })
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	defer enough.Store(true)
	compared, clean := 0, 0
	for running := true; running; compared++ {
		select {
		case <-done:
			running = false
		default:
		}
		if usesSums(t, pool) {
			clean++
		}
		enough.Store(compared > 20 && clean > 10)
	}
	cancel()
	others.Wait()
	// Transactions of other tests, in other databases of the server, hold the
	// watermark back for a while.
	for used := false; !used; used = usesSums(t, pool) {
		refresh(t, pool, 100)
		if t.Context().Err() != nil || time.Since(began) > 5*time.Minute {
			t.Fatal("in the end the sums are not used")
		}
	}
	t.Logf("compared %d times, %d of them beside sums", compared, clean)
}

// usesSums compares usage with the plain sums of one snapshot. It reports whether
// some of them came from usage_quarter.
func usesSums(t *testing.T, pool *pgxpool.Pool) bool {
	t.Helper()
	var used bool
	err := pgx.BeginTxFunc(t.Context(), pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		want, got := lines(t, tx, plainUsage), lines(t, tx, keptUsage)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("usage is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return tx.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM usage_quarter WHERE quarter >= (usage_covered()).covered_from
			AND quarter NOT IN (SELECT usage_dirty((usage_covered()).watermark)))`).Scan(&used)
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// writeCalls saves versions of some hundred calls, whose later ones cost
// something else or began at another time, until the reader has compared enough.
func writeCalls(t *testing.T, s *store.Store, seed uint64, enough *atomic.Bool) {
	r := rand.New(rand.NewPCG(seed, 3))
	for i := 0; i < 150 || !enough.Load() && i < 20_000; i++ {
		var batch []cdr.Record
		for range 1 + r.IntN(6) {
			batch = append(batch, drawRecord(r, seed, i))
		}
		if _, err := s.Save(t.Context(), batch); err != nil {
			t.Errorf("save: %v", err)
			return
		}
	}
}

func drawRecord(r *rand.Rand, seed uint64, i int) cdr.Record {
	id := fmt.Sprintf("%d-%d", r.Uint64N(seed+1), r.IntN(120))
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(36*60)) * time.Minute)
	facts := &cdr.Facts{
		Provider: "wavix", Account: []string{"x", "y"}[r.IntN(2)], Src: "442079460100", StartedAt: start, EndedAt: start.Add(time.Minute), State: cdr.StateEnded, Ends: cdr.EndsCall,
		Disposition: cdr.Answered, Billsec: decimal.NewNullDecimal(decimal.NewFromInt(int64(r.IntN(60)))),
		Cost: decimal.NewNullDecimal(decimal.New(int64(r.IntN(1000)), -3)), Currency: []string{"USD", "EUR"}[r.IntN(2)],
	}
	e := cdr.Event{
		Source: []string{"a", "b"}[r.IntN(2)], CallID: id, Kind: cdr.KindCDR, ProviderKind: "cdr", RecordKey: id, OccurredAt: start, Clock: cdr.ClockProvider,
		ReceivedAt: start.Add(time.Duration(r.IntN(9000)) * time.Second), Deliveries: 1, Facts: facts, Payload: []byte(`{}`),
	}
	e.LastReceivedAt = e.ReceivedAt
	copy(e.ID[:], fmt.Sprintf("%d %d %d", seed, i, r.IntN(1000000)))
	return cdr.Record{Events: []cdr.Event{e}}
}

// refreshAlways does something for the sums again and again. Several of them get
// in each other's way, which must only make one fail.
func refreshAlways(ctx context.Context, t *testing.T, pool *pgxpool.Pool, how string) {
	conn, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	if err != nil {
		t.Errorf("connect: %v", err)
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for ctx.Err() == nil {
		err := ofOneMoment(t.Context(), conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), how)
			return err
		})
		var refused *pgconn.PgError
		if err != nil && (!errors.As(err, &refused) || refused.Code != "40001" && refused.Code != "40P01") {
			t.Errorf("refresh: %v", err)
			return
		}
	}
}

// spoilAndRebuild changes calls past the store, as an operator's mistake would,
// in quarters that no later event touches, and lets rebuild mend them.
func spoilAndRebuild(ctx context.Context, t *testing.T, pool *pgxpool.Pool, s *store.Store) {
	for ctx.Err() == nil {
		if _, err := s.Erase(t.Context(), "+442079460100", false, func(int) {}); err != nil && store.FaultOf(err) != store.FaultAgain {
			t.Errorf("erase: %v", err)
			return
		}
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `WITH spoilt AS (
					UPDATE call SET cost = 12345, version = version + 1 WHERE hashtext(call_id) % 7 = 0 RETURNING source, call_id)
				INSERT INTO call_change (source, call_id) SELECT source, call_id FROM spoilt ON CONFLICT DO NOTHING`)
			return err
		})
		if err != nil {
			var refused *pgconn.PgError
			if errors.As(err, &refused) && refused.Code == "40P01" {
				continue
			}
			t.Errorf("spoil: %v", err)
			return
		}
		if _, err := s.Rebuild(t.Context(), nil, func(int) {}); err != nil && store.FaultOf(err) != store.FaultAgain {
			t.Errorf("rebuild: %v", err)
			return
		}
	}
}

// TestRefreshRefusals: it wants one snapshot, and sums of another cluster are not
// used.
func TestRefreshRefusals(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), "SELECT refresh_usage()"); err == nil || !strings.Contains(err.Error(), "REPEATABLE READ") {
		t.Errorf("in READ COMMITTED: %v", err)
	}
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z")})
	refresh(t, pool, 10)
	if _, err := pool.Exec(t.Context(), "UPDATE usage_state SET cluster = 'other'; UPDATE usage_quarter SET attempts = 99"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := lines(t, pool, "SELECT attempts::text FROM usage('2026-10-01', '2026-11-01', 'all', 'UTC')"); !slices.Equal(got, []string{"1"}) {
			t.Errorf("after a restore usage is %v", got)
		}
		refresh(t, pool, 10)
	}
	if got := lines(t, pool, "SELECT count(*)::text FROM usage_state"); got[0] != "1" {
		t.Errorf("usage_state has %s rows", got[0])
	}
}

// TestUsageWithoutRights: who may not learn which cluster this is still gets a
// report.
func TestUsageWithoutRights(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z")})
	refresh(t, pool, 10)
	if _, err := pool.Exec(t.Context(), `REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public;
		GRANT USAGE ON SCHEMA public TO pg_signal_backend; GRANT SELECT ON ALL TABLES IN SCHEMA public TO pg_signal_backend`); err != nil {
		t.Fatal(err)
	}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SET LOCAL ROLE pg_signal_backend"); err != nil {
			return err
		}
		for _, report := range []string{"usage('2026-10-01', '2026-11-01', 'all', 'UTC')", "concurrency('2026-10-01', '2026-11-01', 'UTC')", "kpi('2026-10-01', '2026-11-01', 'day', 'UTC')", "completeness('2026-10-01', '2026-11-01', 'UTC')"} {
			if _, err := tx.Exec(t.Context(), "SELECT * FROM "+report); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRefreshByOne: while one process refreshes another leaves it alone.
func TestRefreshByOne(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	states := func() string {
		var n string
		if err := conn.QueryRow(t.Context(), "SELECT count(*)::text FROM usage_state").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock($1)", int64(refreshLock)); err != nil {
		t.Fatal(err)
	}
	if err := Refresh(t.Context(), url); err != nil || states() != "0" {
		t.Errorf("beside another: %v, %s states", err, states())
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock($1)", int64(refreshLock)); err != nil {
		t.Fatal(err)
	}
	if err := Refresh(t.Context(), url); err != nil || states() != "1" {
		t.Errorf("alone: %v, %s states", err, states())
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() { Keep(ctx, url, slog.New(slog.DiscardHandler)); close(kept) }()
	cancel()
	<-kept
}

// TestOwnChangesCount: a transaction sees its own changes in usage, whose id lies
// above its snapshot.
func TestOwnChangesCount(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: at(t, "2026-10-05T12:00:00Z"), Cost: known("1"), Currency: "USD"})
	refresh(t, pool, 10)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO call_change (source, call_id) VALUES ('a', '1')"); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), "UPDATE call SET cost = 2"); err != nil {
			return err
		}
		if got := lines(t, tx, "SELECT cost::text FROM usage('2026-10-01', '2026-11-01', 'all', 'UTC')"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("usage is %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
