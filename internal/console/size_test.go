package console

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Searches go by an index at any size: no plan reads all calls.
func TestPlans(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	fill(t, pool, 100_000)
	before := scanned(t, pool)
	for _, query := range []string{"number=%2B442071000017", "call_id=c17", "", "from=today", "number=%2B442071000017&source=acme&disposition=answered"} {
		start := time.Now()
		wantPage(t, get(t, c, "/calls?"+query))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %s", query, took)
		}
	}
	if after := scanned(t, pool); after != before {
		t.Errorf("%d sequential scans of call", after-before)
	}
}

// A file goes on over the pages in which it is read, and ends at its limit.
func TestLongFiles(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	fill(t, pool, csvLimit+10)
	for query, want := range map[string]int{"": csvLimit, "from=2026-11-20T11:00": 3600, "number=%2B442071000017": 10} {
		lines := strings.Split(strings.TrimSuffix(get(t, c, "/calls.csv?"+query).body, "\r\n"), "\r\n")
		slices.Sort(lines)
		if n := len(slices.Compact(lines)) - 1; n != want {
			t.Errorf("%q: %d different calls, want %d", query, n, want)
		}
	}
}

// scanned is how often the table call was read whole.
func scanned(t *testing.T, pool *pgxpool.Pool) (n int64) {
	t.Helper()
	// Connections report what they did when they end.
	pool.Reset()
	deadline := time.Now().Add(20 * time.Second)
	for busy := 1; busy > 0 && time.Now().Before(deadline); {
		err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&busy)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.QueryRow(t.Context(), "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'call'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// fill makes many calls, as many as COPY makes at once.
func fill(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	insertSource(t, pool, "acme", "GB")
	_, err := pool.Exec(t.Context(), `INSERT INTO call (source, call_id, provider, state, disposition, src, dst, src_e164, dst_e164, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		SELECT 'acme', 'c' || i, 'didlogic', 'ended', 'answered', '44207' || 1000000 + i % 5000, '1415' || 5550000 + i % 3000, '+44207' || 1000000 + i % 5000, '+1415' || 5550000 + i % 3000,
		       $1::timestamptz - i * interval '1 second', 'provider', 0, 1, 1, 1, now(), now(), now() FROM generate_series(1, $2) i`, noon(), n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "VACUUM ANALYZE call"); err != nil {
		t.Fatal(err)
	}
}
