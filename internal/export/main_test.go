package export

import (
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// fill adds ended calls, a second and a bit apart, some of them at the same moment.
func fill(t testing.TB, pool *pgxpool.Pool, calls int) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `
		INSERT INTO call (source, call_id, provider, direction, src, dst, src_name, trunk, state, disposition, call_time, started_at,
		                  answered_at, ended_at, clock, duration, billsec, charged_sec, rate, cost, currency, sip_code, legs, events,
		                  cdrs, version, first_received_at, last_received_at, changed_at)
		SELECT (ARRAY['didww', 'wavix'])[1 + i % 2], md5(i::text), 'didww', 'outbound', '+4420' || i, '+1212' || i, 'Name ' || i, 'trunk-' || i % 10,
		       'ended', 'answered', at, at, at + interval '5 s', at + interval '65.25 s', 'provider', 65.25, 60.25, 61, 0.0125, i * 0.000123, 'USD', 200, 0, 1,
		       1, 1, at, at, at
		FROM (SELECT i, timestamptz '2026-10-01 00:00Z' + i / 3 * interval '1.000007 s' AS at FROM generate_series(1, $1) i) x`, calls)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "ANALYZE call"); err != nil {
		t.Fatal(err)
	}
}

func silent(int64, int64) {}

// entries are the names in a directory.
func entries(t testing.TB, dir string) string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	return fmt.Sprint(names)
}
