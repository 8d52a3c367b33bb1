package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestReadIsWhatTheStatementSays: what a page shows has as many rows as the SQL
// that it offers, for every report, and no more than were asked for.
func TestReadIsWhatTheStatementSays(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	for i := range 5 {
		insert(t, pool, aCall{
			Source: []string{"a", `it's \odd`}[i%2], CallID: fmt.Sprint(i), At: noon.Add(time.Duration(i) * 24 * time.Hour),
			Ended: new(noon.Add(time.Duration(i)*24*time.Hour + 90*time.Second)),
		})
	}
	for _, c := range []struct {
		request Request
		rows    int
	}{
		{Request{Kind: "usage", Bucket: "day"}, 5},
		{Request{Kind: "usage", Bucket: "day", By: []string{"source"}, Zone: "Asia/Kolkata"}, 5},
		{Request{Kind: "usage", Source: `it's \odd`, By: []string{"source", "country"}}, 1},
		{Request{Kind: "kpi", Bucket: "day", Source: "a"}, 3},
		{Request{Kind: "kpi"}, 1},
		{Request{Kind: "concurrency", Source: `it's \odd`}, 4},
		{Request{Kind: "concurrency"}, 10},
		{Request{Kind: "completeness"}, 2},
		{Request{Kind: "completeness", Source: "a"}, 1},
	} {
		c.request.From, c.request.To = "2026-10", "2026-11"
		all, err := Read(t.Context(), pool, c.request, noon, c.rows)
		if err != nil || len(all.Rows) != c.rows || all.More {
			t.Errorf("%+v: %d rows, more %v, %v; want %d", c.request, len(all.Rows), all.More, err, c.rows)
		}
		some, err := Read(t.Context(), pool, c.request, noon, c.rows-1)
		if err != nil || len(some.Rows) != c.rows-1 || !some.More {
			t.Errorf("%+v: %d rows, more %v, %v; want %d and more", c.request, len(some.Rows), some.More, err, c.rows-1)
		}
		statement, err := Statement(c.request, noon)
		if err != nil {
			t.Errorf("%+v: %v", c.request, err)
			continue
		}
		rows, err := pool.Query(t.Context(), statement)
		if err != nil {
			t.Errorf("%s: %v", statement, err)
			continue
		}
		got, err := pgx.CollectRows(rows, pgx.RowToMap)
		if err != nil || len(got) != c.rows {
			t.Errorf("%s: %d rows, %v; want %d", statement, len(got), err, c.rows)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, r := range []Request{{Kind: "cdr"}, {Kind: "usage", Bucket: "week"}, {Kind: "usage", Zone: "Mars"}, {Kind: "kpi", By: []string{"src"}}} {
		if _, err := Read(t.Context(), pool, r, time.Now(), 1); err == nil {
			t.Errorf("%+v: no error", r)
		}
		if _, err := Statement(r, time.Now()); err == nil {
			t.Errorf("statement of %+v: no error", r)
		}
	}
}
