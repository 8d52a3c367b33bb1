package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

type callKey struct{ source, callID string }

// expected is what must be in the database of a target.
type expected struct {
	rows    map[callKey]simulate.Row
	cdrs    int       // in batches, whose calls are not listed in rows
	records int       // that were acknowledged, repeats too
	since   time.Time // what was received before was not sent
}

// expect adds what came of a round.
func (b *bench) expect(to *target, t traffic, stories map[int]bool, records int) {
	e := b.expected[to.database]
	if e == nil {
		e = &expected{rows: map[callKey]simulate.Row{}}
		b.expected[to.database] = e
	}
	e.records += records
	for s := range stories {
		e.cdrs += t.cdrs[s]
		for _, r := range t.rows[s] {
			e.rows[callKey{r.Source, r.CallID}] = r
		}
	}
}

// check compares a database with what was sent to it: every row once, every
// repeat counted. Where the receiver wrote it, every call must also be the fold
// of its events.
func (b *bench) check(ctx context.Context, to *target, folded bool) error {
	e := b.expected[to.database]
	pool, err := pgxpool.New(ctx, to.database)
	if err != nil {
		return err
	}
	defer pool.Close()
	var counted int
	if err := pool.QueryRow(ctx, deliveriesSQL, e.since).Scan(&counted); err != nil {
		return fmt.Errorf("count the deliveries: %w", err)
	}
	if counted != e.records {
		return fmt.Errorf("%s counted %d records, %d were acknowledged", to.name, counted, e.records)
	}
	if err := e.compare(ctx, pool); err != nil {
		return fmt.Errorf("%s: %w", to.name, err)
	}
	if !folded {
		return nil
	}
	found, err := store.New(pool, slog.New(slog.NewTextHandler(io.Discard, nil))).Verify(ctx, func(store.Difference) {}, func(int) {})
	if err == nil && found.Differences > 0 {
		err = fmt.Errorf("%s: %d calls are not the fold of their events", to.name, found.Differences)
	}
	return err
}

const deliveriesSQL = `
SELECT coalesce(sum(deliveries), 0)
FROM (SELECT deliveries, received_at FROM event
      UNION ALL SELECT deliveries, received_at FROM recording
      UNION ALL SELECT deliveries, received_at FROM message
      UNION ALL SELECT deliveries, received_at FROM quarantine) rows
WHERE received_at >= $1`

const rowsSQL = `
SELECT source, call_id, sum(calls)::int, sum(events)::int, sum(recordings)::int
FROM (SELECT source, call_id, 1 AS calls, 0 AS events, 0 AS recordings, first_received_at AS received_at FROM call
      UNION ALL SELECT source, call_id, 0, 1, 0, received_at FROM event
      UNION ALL SELECT source, call_id, 0, 0, 1, received_at FROM recording) rows
WHERE received_at >= $1
GROUP BY source, call_id`

// compare counts the rows of every call.
func (e *expected) compare(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, rowsSQL, e.since)
	if err != nil {
		return err
	}
	var is simulate.Row
	seen, others := 0, 0
	_, err = pgx.ForEachRow(rows, []any{&is.Source, &is.CallID, &is.Calls, &is.Events, &is.Recordings}, func() error {
		want, listed := e.rows[callKey{is.Source, is.CallID}]
		switch {
		case !listed:
			others += is.Events
		case is != want:
			return fmt.Errorf("call %s of %s has %d, %d and %d rows in call, event and recording, should have %d, %d and %d",
				is.CallID, is.Source, is.Calls, is.Events, is.Recordings, want.Calls, want.Events, want.Recordings)
		default:
			seen++
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case seen != len(e.rows):
		return fmt.Errorf("%d of %d calls are missing", len(e.rows)-seen, len(e.rows))
	case others != e.cdrs:
		return fmt.Errorf("%d CDRs of batches are there, should be %d", others, e.cdrs)
	}
	return nil
}
