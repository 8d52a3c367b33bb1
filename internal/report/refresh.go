package report

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// refreshLock is held by the one process that refreshes; others have nothing to
// do meanwhile.
const refreshLock = 7_226_011_906

// step is about how many calls one transaction of the first computation reads.
const step = 200_000

// Keep brings the sums of function usage up to date every minute until the
// context ends. It needs a connection of its own for a moment each time. Reports
// are right without it, and only slower, so it logs what fails and goes on.
func Keep(ctx context.Context, databaseURL string, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := Refresh(ctx, databaseURL); err != nil && ctx.Err() == nil {
			log.Warn("the sums for usage reports were not refreshed; reports read calls instead", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Refresh brings the sums of function usage up to date once, in as many short
// transactions as that takes. It does nothing while another process does it.
func Refresh(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // which releases the lock
	// Before the snapshots of the transactions below: whoever waited for another's
	// work would find his own snapshot too old.
	var locked bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(refreshLock)).Scan(&locked); err != nil || !locked {
		return err
	}
	for {
		done, err := refreshStep(ctx, conn, step)
		if done || err != nil {
			return err
		}
	}
}

// refreshStep runs one transaction. It reports whether all calls are in the sums.
func refreshStep(ctx context.Context, conn *pgx.Conn, calls int) (done bool, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT refresh_usage($1)", calls).Scan(&done)
	})
	if err != nil {
		return false, fmt.Errorf("refresh the sums: %w", err)
	}
	return done, nil
}
