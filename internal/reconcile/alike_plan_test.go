package reconcile_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestAlikeGoesByTime: also in a table that nobody has analyzed yet, looking for a
// call without its id must not read all calls of the source.
func TestAlikeGoesByTime(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	text, err := os.ReadFile("../../queries/reconcile.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, sql, _ := strings.Cut(string(text), "-- name: AlikeCalls :many")
	for name, value := range map[string]string{"n": "ARRAY[1]", "started_at": "ARRAY[now()]", "src": "ARRAY['1']", "dst": "ARRAY['2']", "billsec": "ARRAY[3]", "source": "'a'"} {
		sql = regexp.MustCompile(`@`+name+`\b`).ReplaceAllString(sql, value)
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO call (source, call_id, provider, state, disposition, call_time, started_at, clock, events, cdrs, legs, version, first_received_at, last_received_at, changed_at)
		SELECT 'a', n, 'didww', 'ended', 'answered', now() + n * interval '1 second', now(), 'provider', 1, 1, 0, 1, now(), now(), now() FROM generate_series(1, 5000) n`); err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(t.Context(), "EXPLAIN "+sql)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "call_by_time") || strings.Contains(plan, "call_pkey") {
		t.Error(plan)
	}
}
