package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestEveryChangeIsFound does one after another all that can change a call, and
// expects the mark of each transaction that has, which function changes goes by.
func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, quiet())
	old := cdrOf(9, "0.5", 7)
	steps := []struct {
		name string
		do   func(ctx context.Context) error
		want string // gone?, old quarter of call_time
	}{
		{"new call", save(s, live(2, cdr.StateRinging, cdr.KindRinging, 16)), "false -"},
		{"another event", save(s, live(3, cdr.StateEnded, cdr.KindEnded, 20)), "false -"},
		{"an earlier start, in another quarter", save(s, live(1, cdr.StateStarted, cdr.KindStarted, 14)), "false 09:15"},
		{"a CDR", save(s, cdrOf(8, "0.4", 21)), "false -"},
		{"the CDR's older edition, late", save(s, old), "false -"},
		{"the older edition again", save(s, old), ""},
		{"an earlier receipt, which changes the order", save(s, receivedAt(cdrOf(8, "0.4", 21), 6)), "false -"},
		{"tampering and rebuild", func(ctx context.Context) error {
			if _, err := pool.Exec(ctx, `UPDATE call SET cost = 99, call_time = '2026-11-02 07:00Z'`); err != nil {
				return err
			}
			_, err := s.Rebuild(ctx, nil, func(int) {})
			return err
		}, "false 07:00"},
		{"rebuild of what is right", func(ctx context.Context) error {
			_, err := s.Rebuild(ctx, nil, func(int) {})
			return err
		}, ""},
		{"erase", func(ctx context.Context) error {
			_, err := s.Erase(ctx, "+442079460123", false, func(int) {})
			return err
		}, "false -"},
		{"prune", func(ctx context.Context) error {
			_, err := s.Prune(ctx, Pruning{Before: time.Now().Add(time.Hour)}, func(int) {})
			return err
		}, "false -"},
		{"erase of a pruned call", func(ctx context.Context) error {
			_, err := s.Erase(ctx, "+442079460200", false, func(int) {})
			return err
		}, "false -"},
		{"a call without events, and rebuild", func(ctx context.Context) error {
			if _, err := pool.Exec(ctx, `DELETE FROM event; UPDATE call SET pruned_at = NULL`); err != nil {
				return err
			}
			_, err := s.Rebuild(ctx, nil, func(int) {})
			return err
		}, "true 09:00"},
	}
	for _, step := range steps {
		before := text(t, pool, `SELECT pg_current_xact_id()::text`)
		if err := step.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := text(t, pool, `
			SELECT coalesce(string_agg(format('%s %s', (c.call_id IS NULL)::text,
				coalesce(to_char(date_bin('15 min', n.old_call_time, 'epoch') AT TIME ZONE 'UTC', 'HH24:MI'), '-')), ','), '')
			FROM (
				SELECT source, call_id, max(old_call_time) AS old_call_time
				FROM (SELECT source, call_id, xid, NULL::timestamptz AS old_call_time FROM event
				      UNION ALL SELECT source, call_id, xid, old_call_time FROM call_change) marks
				WHERE xid > $1::text::xid8
				GROUP BY source, call_id
			) n LEFT JOIN call c USING (source, call_id)`, before)
		if got != step.want {
			t.Errorf("%s: changes %q, want %q", step.name, got, step.want)
		}
	}
}

// save saves a record whose call is between two people's numbers.
func save(s *Store, r cdr.Record) func(context.Context) error {
	r.Events[0].Facts.Src, r.Events[0].Facts.Dst = "+442079460123", "+442079460200"
	return func(ctx context.Context) error {
		_, err := s.Save(ctx, []cdr.Record{r})
		return err
	}
}

func receivedAt(r cdr.Record, minute int) cdr.Record {
	r.SetReceipt(time.Date(2026, 11, 2, 9, minute, 0, 0, time.UTC))
	return r
}

func text(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	one, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return one
}
