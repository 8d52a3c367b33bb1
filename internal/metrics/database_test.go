package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// insertCalls adds calls of a source whose times are so many minutes apart,
// back from now; every tenth has not ended.
const insertCalls = `
INSERT INTO call (source, call_id, provider, state, disposition, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
SELECT $1, 'c' || i, 'didww', CASE WHEN i % 10 = 0 THEN 'answered' ELSE 'ended' END, CASE WHEN i % 10 <> 0 THEN 'answered' END,
       at, 'provider', 0, 1, 1, 1, at, at + interval '1 minute', at
FROM (SELECT i, now() - i * $3::interval AS at FROM generate_series(1, $2::int) i) x`

func addCalls(t *testing.T, pool *pgxpool.Pool, source string, n int, apart string) {
	t.Helper()
	execute(t, pool, insertCalls, source, n, apart)
}

func execute(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func addPiece(t *testing.T, pool *pgxpool.Pool, source string, replayed bool) {
	t.Helper()
	execute(t, pool, `INSERT INTO quarantine
		SELECT $1, gen_random_uuid(), '', 'POST', '', '', '', ''::bytea, 'broken', now(), 1, CASE WHEN $2 THEN now() END`, source, replayed)
}

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	d := NewDatabase(pool, []string{"didww", "wavix"}, quiet())
	c := &clock{at: time.Now()}
	d.now = c.now
	empty := map[string]float64{
		"cdrstore_database_metrics_ok": 1, "cdrstore_quarantine_unread didww": 0, "cdrstore_quarantine_unread wavix": 0,
		"cdrstore_calls_in_progress didww": 0, "cdrstore_calls_in_progress wavix": 0,
		"cdrstore_calls_ended_last_hour didww": 0, "cdrstore_calls_answered_last_hour wavix": 0,
	}
	wantFigures(t, figures(t, d), empty)
	addCalls(t, pool, "didww", 100, "1 hour") // two of the last 24 have not ended
	addCalls(t, pool, "former", 40, "1 minute")
	execute(t, pool, "UPDATE call SET call_time = now() - interval '50 minutes' WHERE source = 'didww' AND call_id = 'c1'")
	execute(t, pool, `INSERT INTO call (source, call_id, provider, state, disposition, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		SELECT 'former', 'busy' || i, 'didww', 'ended', 'busy', now(), 'provider', 0, 1, 1, 1, now(), now(), now() FROM generate_series(1, 2) i`)
	addPiece(t, pool, "didww", false)
	addPiece(t, pool, "didww", true)
	addPiece(t, pool, "former", false)
	c.forward(freshFor - time.Second)
	wantFigures(t, figures(t, d), empty)
	c.forward(time.Second)
	got := figures(t, d)
	wantFigures(t, got, map[string]float64{
		"cdrstore_database_metrics_ok": 1, "cdrstore_quarantine_unread didww": 1, "cdrstore_quarantine_unread wavix": 0, "cdrstore_quarantine_unread former": 1,
		"cdrstore_calls_in_progress didww": 2, "cdrstore_calls_in_progress wavix": 0, "cdrstore_calls_in_progress former": 4,
		"cdrstore_calls_ended_last_hour didww": 1, "cdrstore_calls_ended_last_hour former": 38, "cdrstore_calls_ended_last_hour wavix": 0,
		"cdrstore_calls_answered_last_hour former": 36, "cdrstore_calls_answered_last_hour wavix": 0,
	})
	if len(got) != 13 {
		t.Errorf("%v", got)
	}
}

// A table that is locked, and one that is not there, cost a second and their own
// figure; the scrape goes on, and the log says so once.
func TestDatabaseThatDoesNotTell(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var log bytes.Buffer
	d := NewDatabase(pool, []string{"didww"}, slog.New(slog.NewTextHandler(&log, nil)))
	c := &clock{at: time.Now()}
	d.now = c.now
	lock, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE call IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got := figures(t, d)
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	wantFigures(t, got, map[string]float64{"cdrstore_database_metrics_ok": 0, "cdrstore_quarantine_unread didww": 0})
	if _, there := got["cdrstore_calls_in_progress didww"]; there || len(got) != 2 {
		t.Errorf("%v", got)
	}
	c.forward(freshFor)
	figures(t, d)
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "read calls in progress") {
		t.Errorf("log: %s", log.String())
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.forward(freshFor)
	wantFigures(t, figures(t, d), map[string]float64{"cdrstore_database_metrics_ok": 1, "cdrstore_calls_in_progress didww": 0})
}

func TestLastReceipts(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	execute(t, pool, `INSERT INTO source (name, provider) VALUES ('today', 'didww'), ('lately', 'didww'), ('long ago', 'didww'), ('never', 'didww')`)
	addCalls(t, pool, "today", 3, "2 hours")
	execute(t, pool, `INSERT INTO usage_quarter (quarter, source, provider, attempts, answered, billed_unknown, cost_unknown, last_end)
		VALUES (now() - interval '3 days', 'lately', 'didww', 1, 1, 0, 0, NULL), (now() - interval '4 days', 'lately', 'didww', 1, 1, 0, 0, now() - interval '5 days'),
		       (now() - interval '9 days', 'long ago', 'didww', 1, 1, 0, 0, now()), (now() - interval '1 day', 'today', 'didww', 1, 1, 0, 0, now())`)
	got, err := LastReceipts(t.Context(), pool)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if ago := time.Since(got["today"]); ago < 119*time.Minute || ago > 121*time.Minute {
		t.Errorf("today: %v", ago)
	}
	if ago := time.Since(got["lately"]); ago < 71*time.Hour || ago > 73*time.Hour {
		t.Errorf("lately: %v", ago)
	}
}

// recorder keeps the statements that go to the database.
type recorder struct {
	db.DBTX
	statements []string
}

func (r *recorder) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.statements = append(r.statements, sql)
	return r.DBTX.Query(ctx, sql, args...)
}

// No statement that scrapes cause reads a table whole, also with many calls.
func TestNothingIsReadWhole(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	addCalls(t, pool, "didww", 20_000, "10 minutes")
	execute(t, pool, `INSERT INTO quarantine SELECT 'didww', gen_random_uuid(), '', 'POST', '', '', '', ''::bytea, 'broken', now(), 1, now() FROM generate_series(1, 5000)`)
	execute(t, pool, "ANALYZE call, quarantine")
	r := &recorder{DBTX: pool}
	d := NewDatabase(pool, nil, quiet())
	d.q = db.New(r)
	wantFigures(t, figures(t, d), map[string]float64{"cdrstore_calls_in_progress didww": 14})
	if len(r.statements) != 3 {
		t.Fatalf("%d statements", len(r.statements))
	}
	for _, sql := range r.statements {
		rows, err := pool.Query(t.Context(), "EXPLAIN "+sql)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "call_by_time") && !strings.Contains(plan, "quarantine_unread") {
			t.Errorf("%s\n%s", sql, plan)
		}
	}
}
