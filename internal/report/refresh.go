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

// restFor is how many times as long as a step Keep rests before the next one. The
// first computation reads all calls, through the memory in which the indexes are
// that deliveries need: it may take longer, and they should not.
const restFor = 2

// Keep brings the sums of function usage up to date every minute until the
// context ends. It needs a connection of its own for a moment each time. Reports
// are right without it, and only slower, so it logs what fails and goes on.
func Keep(ctx context.Context, databaseURL string, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := inSteps(ctx, databaseURL, step, rest); err != nil && ctx.Err() == nil {
			log.Warn("the sums for usage reports were not refreshed; reports read calls instead", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// rest waits after a step that took so long.
func rest(ctx context.Context, took time.Duration) error {
	select {
	case <-time.After(restFor * took):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Refresh brings the sums of function usage up to date once, in as many short
// transactions as that takes, one right after another. It does nothing while
// another process does it.
func Refresh(ctx context.Context, databaseURL string) error {
	return inSteps(ctx, databaseURL, step, func(context.Context, time.Duration) error { return nil })
}

// inSteps refreshes, reading about so many calls in a transaction, and rests
// between two.
func inSteps(ctx context.Context, databaseURL string, calls int, rest func(context.Context, time.Duration) error) error {
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
		begin := time.Now()
		done, err := refreshStep(ctx, conn, calls)
		if done || err != nil {
			return err
		}
		if err := rest(ctx, time.Since(begin)); err != nil {
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
