package period_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// call is what is billed of a call. Empty texts are null.
type call struct {
	source, id, account, trunk, currency, cost string
	at                                         time.Time
	live                                       bool // it has not ended
}

// put makes the row of a call what c says.
func put(t failer, pool *pgxpool.Pool, c call) {
	t.Helper()
	state, disposition := "ended", "answered"
	if c.live {
		state, disposition = "started", ""
	}
	run(t, pool, `
		INSERT INTO call (source, call_id, provider, account, trunk, currency, cost, call_time, state, disposition, direction, dst_country,
			src, dst, dst_e164, clock, billsec, charged_sec, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		VALUES ($1, $2, 'didww', nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, '')::numeric, $7, $8, nullif($9, ''), 'outbound', 'GB',
			'+15550001111', '+442079460123', '+442079460123', 'provider', 61, 120, 0, 1, 1, 1, $7, $7, $7)
		ON CONFLICT (source, call_id) DO UPDATE SET account = EXCLUDED.account, trunk = EXCLUDED.trunk, currency = EXCLUDED.currency,
			cost = EXCLUDED.cost, call_time = EXCLUDED.call_time, state = EXCLUDED.state, disposition = EXCLUDED.disposition, version = call.version + 1`,
		c.source, c.id, c.account, c.trunk, c.currency, c.cost, c.at, state, disposition)
}

func run(t failer, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(ctx(t), sql, args...); err != nil {
		t.Fatalf("%v", err)
	}
}

// one returns the text of the only value of a query.
func one(t failer, pool *pgxpool.Pool, sql string, args ...any) string {
	t.Helper()
	var value *string
	if err := pool.QueryRow(ctx(t), "SELECT ("+sql+")::text", args...).Scan(&value); err != nil {
		t.Fatalf("%v", err)
	}
	if value == nil {
		return "null"
	}
	return *value
}

func mustClose(t failer, pool *pgxpool.Pool, side, name, zone string) period.Closed {
	t.Helper()
	closed, err := period.Close(ctx(t), pool, period.Closing{Side: side, Name: name, Zone: zone})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return closed
}

func report(t failer, pool *pgxpool.Pool, side, name string, lines bool, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := period.Report(ctx(t), pool, side, name, lines, format, &b); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// wantSound verifies a side and returns how many lines are pending.
func wantSound(t failer, pool *pgxpool.Pool, side string) int64 {
	t.Helper()
	v, err := period.Verify(ctx(t), pool, side, 10)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if len(v.Faults) > 0 {
		t.Errorf("%s", strings.Join(v.Faults, "\n"))
	}
	return v.PendingLines
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}

func day(t failer, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return at
}

func name(i int) string { return fmt.Sprintf("2024-%02d", i) }

// connect returns connections of their own.
func connect(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Error(err)
	}
	return pool
}

// ctx is of a test, or of a run of rapid, which ends before its test.
func ctx(t failer) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}
