package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/feed"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// replica is what somebody knows who only reads changes.
type replica struct {
	calls  map[string]string
	cursor string
	seen   int
}

func (r *replica) read(ctx context.Context, pool *pgxpool.Pool, limit int) error {
	before := r.seen
	next, err := feed.Read(ctx, pool, r.cursor, limit, func(c feed.Change) error {
		r.seen++
		if c.Call == nil {
			delete(r.calls, c.Source+" "+c.CallID)
		} else {
			r.calls[c.Source+" "+c.CallID] = string(c.Call)
		}
		return nil
	})
	r.cursor = next
	if err == nil && limit > 0 && r.seen-before > limit {
		err = fmt.Errorf("%d changes, limit %d", r.seen-before, limit)
	}
	return err
}

// TestNothingIsMissed has writers of several kinds, some of whose transactions
// stay open while others commit, and a reader that polls all the while with
// limits of all sizes. At the end it must know every call as it is.
func TestNothingIsMissed(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	done := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 3 {
		s := store.New(pool, slog.New(slog.DiscardHandler))
		writers.Go(func() {
			for i := range 60 {
				if _, err := s.Save(t.Context(), records(w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Go(func() { remove(t, pool) })
	for i := range 2 {
		writers.Go(func() { slowly(t, pool, i) })
	}
	go func() {
		writers.Wait()
		close(done)
	}()

	r := replica{calls: map[string]string{}}
	for running, polls := true, 0; running; polls++ {
		select {
		case <-done:
			running = false
		default:
		}
		if err := r.read(t.Context(), pool, polls%7*3); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, pool)
	if err := r.read(t.Context(), pool, 0); err != nil {
		t.Fatal(err)
	}
	want := calls(t, pool)
	if len(want) < 100 || len(r.calls) != len(want) {
		t.Errorf("the reader knows %d calls of %d", len(r.calls), len(want))
	}
	for key, call := range want {
		if r.calls[key] != call {
			t.Errorf("the reader knows of %s\n%s\nand it is\n%s", key, r.calls[key], call)
		}
	}
	t.Logf("%d changes of %d calls", r.seen, len(want))
}

// settle waits until everything that is committed is shown: transactions of other
// tests, in other databases of the server, hold that up.
func settle(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var last string
	if err := pool.QueryRow(ctx, `SELECT pg_current_xact_id()::text`).Scan(&last); err != nil {
		t.Fatal(err)
	}
	for shown := false; !shown; {
		err := pool.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 FROM pg_sleep(0.005)`, last).Scan(&shown)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// records are events of some of a few hundred calls.
func records(writer, i int) []cdr.Record {
	at := time.Date(2026, 11, 2, 9, i%60, 0, 0, time.UTC)
	var all []cdr.Record
	for n := range 1 + rand.N(4) {
		e := cdr.Event{
			Source: "s", CallID: fmt.Sprint("c", rand.N(200)), ID: [16]byte{byte(writer), byte(i), byte(n)},
			Kind: cdr.KindStarted, ProviderKind: "started", OccurredAt: at, Clock: cdr.ClockProvider, Payload: []byte(`{}`),
			Facts: &cdr.Facts{Provider: "wavix", State: cdr.StateStarted, StartedAt: at},
		}
		if n == 3 {
			e.Facts = nil // changes nothing, and may be the first of its call
		}
		r := cdr.Record{Events: []cdr.Event{e}, Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: at}}
		r.SetReceipt(at)
		all = append(all, r)
	}
	return all
}

// slowly adds calls in transactions that get their id early and commit late.
func slowly(t *testing.T, pool *pgxpool.Pool, writer int) {
	for i := range 15 {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SELECT pg_current_xact_id()`); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), `SELECT pg_sleep(0.02)`); err != nil {
				return err
			}
			return addCall(t.Context(), tx, fmt.Sprintf("slow-%d-%d", writer, i))
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func addCall(ctx context.Context, tx pgx.Tx, id string) error {
	_, err := tx.Exec(ctx, `WITH e AS (
			INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, problems)
			VALUES ('s', $1, gen_random_uuid(), 'started', 'started', '', now(), 'provider', now(), now(), 1, '{}'))
		INSERT INTO call (source, call_id, provider, state, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		VALUES ('s', $1, 'wavix', 'started', now(), 'provider', 0, 1, 0, 1, now(), now(), now())`, id)
	return err
}

// remove takes events away and has rebuild remove the calls that have none.
func remove(t *testing.T, pool *pgxpool.Pool) {
	s := store.New(pool, slog.New(slog.DiscardHandler))
	for i := range 5 {
		id := fmt.Sprint("c", i)
		if _, err := pool.Exec(t.Context(), `DELETE FROM event WHERE call_id = $1`, id); err != nil {
			t.Error(err)
		}
		if _, err := s.Rebuild(t.Context(), nil, func(int) {}); err != nil && store.FaultOf(err) != store.FaultAgain {
			t.Error(err)
		}
	}
}

func calls(t *testing.T, pool *pgxpool.Pool) map[string]string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT source || ' ' || call_id, to_jsonb(c)::text FROM call c`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var key, call string
	if _, err := pgx.ForEachRow(rows, []any{&key, &call}, func() error {
		all[key] = call
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLateCommitIsShown holds a transaction open that began before another, which
// must be shown after it.
func TestLateCommitIsShown(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	late, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback(t.Context()) //nolint:errcheck // it is committed when all goes well
	if err := addCall(t.Context(), late, "late"); err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return addCall(t.Context(), tx, "early") }); err != nil {
		t.Fatal(err)
	}
	r := replica{calls: map[string]string{}}
	if err := r.read(t.Context(), pool, 0); err != nil || r.seen > 0 {
		t.Fatalf("%d changes are shown beside an older transaction: %v", r.seen, err)
	}
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	settle(t, pool)
	if err := r.read(t.Context(), pool, 0); err != nil || len(r.calls) != 2 {
		t.Fatalf("%d of 2 calls are shown: %v", len(r.calls), err)
	}
	if err := r.read(t.Context(), pool, 0); err != nil || r.seen != 2 {
		t.Errorf("%d changes, want 2, each once: %v", r.seen, err)
	}
	now, err := feed.Now(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	r.cursor = now
	if err := r.read(t.Context(), pool, 0); err != nil || r.seen != 2 {
		t.Errorf("something is behind the present cursor: %d changes, %v", r.seen, err)
	}
}

// TestCursorIsGoodAfterFailure stops in the middle and goes on.
func TestCursorIsGoodAfterFailure(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		for i := range 30 {
			if err := addCall(t.Context(), tx, fmt.Sprintf("c.ä-%d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, pool)
	full := fmt.Errorf("disk full")
	seen := map[string]bool{}
	cursor := ""
	for tries := 0; len(seen) < 30 && tries < 30; tries++ {
		n := 0
		cursor, err = feed.Read(t.Context(), pool, cursor, 0, func(c feed.Change) error {
			if n++; n > 4 {
				return full
			}
			if seen[c.CallID] {
				t.Errorf("%s comes twice", c.CallID)
			}
			seen[c.CallID] = true
			return nil
		})
		if (err == full) != (len(seen) < 30) { //nolint:errorlint // it is passed on as it is
			t.Fatalf("%d seen: %v", len(seen), err)
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d calls, want 30", len(seen))
	}
}

func TestCursorIsRefused(t *testing.T) {
	t.Parallel()
	pool, other := pgtest.Pool(t), pgtest.Pool(t)
	mine, err := feed.Now(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := feed.Now(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	cluster, _, _ := strings.Cut(mine, ".")
	for _, c := range []struct{ cursor, want string }{
		{foreign, "the cursor is of another cluster"},
		{cluster + ".99999999999", "the cursor is of another cluster"},
		{cluster + ".99999999999999999999", "'" + cluster + ".99999999999999999999' is no cursor"},
		{"yesterday", "'yesterday' is no cursor"},
		{mine + ".zz.00", "is no cursor"},
		{mine + ".00", "is no cursor"},
		{"o'clock", "'o''clock' is no cursor"},
		{mine + ".73.ff", "invalid byte sequence"},
	} {
		_, err := feed.Read(t.Context(), pool, c.cursor, 0, func(feed.Change) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.cursor, err, c.want)
		}
	}
	if _, err := feed.Read(t.Context(), pool, mine, 0, func(feed.Change) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestShowsTheRow compares what a change shows with the contract of the table.
func TestShowsTheRow(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return addCall(t.Context(), tx, "one") }); err != nil {
		t.Fatal(err)
	}
	settle(t, pool)
	if _, err := pool.Exec(t.Context(), `UPDATE call SET cost = 0.10, billsec = 61, src = '+4420'`); err != nil {
		t.Fatal(err)
	}
	var shown []map[string]any
	_, err := feed.Read(t.Context(), pool, "", 0, func(c feed.Change) error {
		row := map[string]any{}
		shown = append(shown, row)
		return json.Unmarshal(c.Call, &row)
	})
	if err != nil || len(shown) != 1 {
		t.Fatalf("%d changes, %v", len(shown), err)
	}
	if row := shown[0]; row["call_id"] != "one" || row["cost"] != 0.1 || row["src"] != "+4420" || row["dst"] != nil || len(row) < 40 {
		t.Errorf("got %v", row)
	}
}

// TestRestoredFromDump: a dump brings transaction ids of another cluster, which
// would be shown only when this one has come so far. The hint of the error mends
// it.
func TestRestoredFromDump(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, change := range []string{
		`UPDATE event SET xid = '8000000000'`,
		`INSERT INTO call_change (source, call_id, xid) SELECT source, call_id, '8000000000' FROM call`,
	} {
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return addCall(t.Context(), tx, change) }); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		r := replica{calls: map[string]string{}}
		err := r.read(t.Context(), pool, 0)
		var said *pgconn.PgError
		if !errors.As(err, &said) || !strings.Contains(said.Message, "restored from a dump") {
			t.Fatalf("after %s: %v", change, err)
		}
		_, mend, _ := strings.Cut(said.Hint, "Say once: ")
		if _, err := pool.Exec(t.Context(), mend); err != nil {
			t.Fatal(err)
		}
		settle(t, pool)
		if err := r.read(t.Context(), pool, 0); err != nil || len(r.calls) != len(calls(t, pool)) {
			t.Errorf("after %s: %d of %d calls are shown: %v", change, len(r.calls), len(calls(t, pool)), err)
		}
	}
}

// TestOwnTransactionIsNoDump: what reads in the transaction that writes has the
// highest id there is.
func TestOwnTransactionIsNoDump(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if err := addCall(t.Context(), tx, "mine"); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `SELECT * FROM changes()`)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNowIsBehindWhatWasKept: the id of a transaction that wrote nothing may be
// given again after a crash, so the present cursor must not be behind it.
func TestNowIsBehindWhatWasKept(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return addCall(t.Context(), tx, "one") }); err != nil {
		t.Fatal(err)
	}
	settle(t, pool)
	before, err := feed.Now(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, pool) // takes an id
	if after, err := feed.Now(t.Context(), pool); err != nil || after != before {
		t.Errorf("%s, then %s, %v", before, after, err)
	}
	r := replica{calls: map[string]string{}, cursor: before}
	if err := r.read(t.Context(), pool, 0); err != nil || r.seen > 0 {
		t.Errorf("%d changes are behind the present cursor, %v", r.seen, err)
	}
}

// TestPageCostsTheSame pages through one large transaction: the rows and index
// pages that a page of the feed reads must not grow with what is left of it.
func TestPageCostsTheSame(t *testing.T) {
	t.Parallel()
	const all, page = 20_000, 100
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		WITH ids AS (SELECT lpad(i::text, 9, '0') AS id, i FROM generate_series(1, $1::integer) i), events AS (
			INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, facts, problems)
			SELECT 'didww', id, md5(id || leg)::uuid, 'ended', 'x', leg, now(), 'provider', now(), now(), 1, '{}', '{}' FROM ids, unnest(ARRAY['a', 'b']) leg
		)
		INSERT INTO call (source, call_id, provider, state, disposition, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		SELECT 'didww', id, 'didww', 'ended', 'unknown', now(), 'provider', 2, 2, 0, 1, now(), now(), now() FROM ids WHERE i % 7 > 0`, all); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "ANALYZE event, call"); err != nil {
		t.Fatal(err)
	}
	cursor, seen := "", 0
	for range 3 {
		var plan []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			}
		}
		var text []byte
		if err := pool.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM changes($1, $2)", cursor, page).Scan(&text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &plan); err != nil {
			t.Fatal(err)
		}
		if blocks := plan[0].Plan.Hit + plan[0].Plan.Read; blocks > 20*page {
			t.Errorf("after %d calls a page of %d reads %d blocks", seen, page, blocks)
		}
		next, err := feed.Read(t.Context(), pool, cursor, all/3, func(feed.Change) error { seen++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		cursor = next
	}
	if seen != all-all/7 {
		t.Errorf("%d calls, want %d: those without a row have no change to show", seen, all-all/7)
	}
}
