package byhand

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

const maxTries = 5

// save stores the records of a request and says which of them were new.
func (h handler) save(ctx context.Context, records []cdr.Record) (stored []bool, err error) {
	for try := 1; ; try++ {
		stored, err = h.try(ctx, records)
		if err == nil || try == maxTries || !isConflict(err) {
			return stored, err
		}
		h.log.Warn("another request was in the way: trying again", slog.Any("error", err))
	}
}

// isConflict reports whether a transaction was ended for another's sake.
func isConflict(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

func (h handler) try(ctx context.Context, records []cdr.Record) ([]bool, error) {
	stored := make([]bool, len(records))
	rows := rowsOf(records)
	err := pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		if err := insert(ctx, tx, rows); err != nil {
			return fmt.Errorf("insert rows: %w", err)
		}
		var events []*cdr.Event
		for _, r := range rows {
			if !r.isNew {
				continue
			}
			stored[r.record] = true
			if r.event != nil && r.event.Facts != nil {
				events = append(events, r.event)
			}
		}
		if err := updateCalls(ctx, tx, events); err != nil {
			return fmt.Errorf("update calls: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store %d records: %w", len(records), err)
	}
	return stored, nil
}

// insert adds rows, or counts those that are there, and notes which are new.
func insert(ctx context.Context, tx pgx.Tx, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	if len(rows) == 1 {
		return tx.QueryRow(ctx, rows[0].sql, rows[0].args...).Scan(&rows[0].isNew)
	}
	var batch pgx.Batch
	for i := range rows {
		batch.Queue(rows[i].sql, rows[i].args...).QueryRow(func(found pgx.Row) error {
			return found.Scan(&rows[i].isNew)
		})
	}
	return tx.SendBatch(ctx, &batch).Close()
}

// updateCalls merges new events, in the order of their calls, into those.
func updateCalls(ctx context.Context, tx pgx.Tx, events []*cdr.Event) error {
	if len(events) == 0 {
		return nil
	}
	if len(events) == 1 {
		_, err := tx.Exec(ctx, upsertCall, callArgs(events[0])...)
		return err
	}
	var batch pgx.Batch
	for _, e := range events {
		batch.Queue(upsertCall, callArgs(e)...)
	}
	return tx.SendBatch(ctx, &batch).Close()
}
