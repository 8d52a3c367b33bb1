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

// How Keep rests. The first computation, and that of a quarter of an hour in which
// much happens, read many calls, through the memory in which the indexes are that
// deliveries need: they may take longer, and deliveries should not.
const (
	restFor   = 4  // times as long as a step took, before the next of them
	lookFor   = 20 // times as long as looking for changes took, before the next look
	leastRest = time.Second
	mostRest  = time.Minute
)

// Keep brings the sums of function usage up to date, a little at a time, until the
// context ends. While it does it has a connection of its own. Reports are right
// without it, and only slower, so it logs what fails and goes on.
func Keep(ctx context.Context, databaseURL string, log *slog.Logger) {
	for {
		err := alone(ctx, databaseURL, func(conn *pgx.Conn) error { return tend(ctx, conn, step, wait) })
		if err != nil && ctx.Err() == nil {
			log.Warn("the sums for usage reports were not refreshed; reports read calls instead", slog.Any("error", err))
		}
		if wait(ctx, mostRest) != nil {
			return
		}
	}
}

// Refresh brings the sums of function usage up to date once, in as many short
// transactions as that takes, one right after another. It does nothing while
// another process does it.
func Refresh(ctx context.Context, databaseURL string) error {
	return alone(ctx, databaseURL, func(conn *pgx.Conn) error {
		for {
			if done, err := refreshStep(ctx, conn, step); done || err != nil {
				return err
			}
		}
	})
}

// alone does something for the sums over a connection, unless another process is
// at it.
func alone(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) error {
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
	return do(conn)
}

// tend does a step after another, each of about so many calls of the first
// computation, until one fails, or the rest between two.
func tend(ctx context.Context, conn *pgx.Conn, calls int, rest func(context.Context, time.Duration) error) error {
	for last := leastRest; ; {
		begin := time.Now()
		t, err := tendStep(ctx, conn, calls)
		if err != nil {
			return err
		}
		last = t.rest(time.Since(begin), last)
		if err := rest(ctx, last); err != nil {
			return err
		}
	}
}

// tended is what a step found.
type tended struct{ changed, more bool }

// rest is how long to wait after a step that took so long. Where much changes the
// next look comes soon, so that it is short; where nothing does, ever later.
func (t tended) rest(took, last time.Duration) time.Duration {
	switch {
	case t.more:
		return restFor * took
	case t.changed:
		return max(leastRest, lookFor*took)
	}
	return min(2*max(leastRest, last), mostRest)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tendStep runs one transaction: it notes what changed, and computes one quarter
// of an hour, or some calls of the first computation.
func tendStep(ctx context.Context, conn *pgx.Conn, calls int) (t tended, err error) {
	err = ofOneMoment(ctx, conn, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT changed, more FROM tend_usage($1)", calls).Scan(&t.changed, &t.more)
	})
	return t, err
}

// refreshStep runs one transaction. It reports whether all calls are in the sums.
func refreshStep(ctx context.Context, conn *pgx.Conn, calls int) (done bool, err error) {
	err = ofOneMoment(ctx, conn, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT refresh_usage($1)", calls).Scan(&done)
	})
	return done, err
}

func ofOneMoment(ctx context.Context, conn *pgx.Conn, do func(pgx.Tx) error) error {
	if err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, do); err != nil {
		return fmt.Errorf("refresh the sums: %w", err)
	}
	return nil
}
