package period

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/span"
)

// Closing is what to close.
type Closing struct {
	Side      string // Cost or Price
	Name      string // a month like 2026-10, or a day like 2026-10-05
	Zone      string // in which the name is meant; never empty
	NotBefore string // a day like 2026-01-01 in Zone, before which calls are never billed; empty: as the first close has said
	DryRun    bool   // only say what would be written
}

// Closed is what became of it.
type Closed struct {
	Period  Period    // ClosedAt is zero after a dry run
	Already bool      // it was closed before
	Gap     time.Time // end of the period before it, UTC, where that is earlier than its start: calls in between are adjustments; zero: no gap
	Totals  []Total
}

// Close closes a period of one side: it writes a line for each call of it, and
// for each difference between what was billed before and what calls are now. A
// period that was closed already is returned as it is. It is an error when the
// period is not over by the database's clock, is before or within what is closed
// of that side, or was closed in another zone. All is written or nothing.
func Close(ctx context.Context, pool *pgxpool.Pool, c Closing) (Closed, error) {
	p, err := parse(c.Side, c.Name, c.Zone)
	if err != nil {
		return Closed{}, err
	}
	// Read committed, whatever the default: each statement after the lock sees
	// what was committed while it waited, and nothing fails because others write.
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
	if c.DryRun {
		options = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	}
	var closed Closed
	err = pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		q := db.New(tx)
		if !c.DryRun {
			if err := q.LockPeriods(ctx); err != nil {
				return fmt.Errorf("wait for others that close: %w", err)
			}
		}
		var err error
		if closed, err = already(ctx, q, p, c.NotBefore); err != nil || closed.Already {
			return err
		}
		gap, err := p.allow(ctx, q, c.NotBefore)
		if err != nil {
			return err
		}
		if c.DryRun {
			closed, err = p.preview(ctx, q)
		} else {
			closed, err = p.write(ctx, q)
		}
		closed.Gap = gap
		return err
	})
	if err != nil {
		return Closed{}, fmt.Errorf("close %s %s: %w", c.Side, c.Name, err)
	}
	return closed, nil
}

// already returns the period when it was closed before.
func already(ctx context.Context, q *db.Queries, p Period, notBefore string) (Closed, error) {
	row, err := q.Period(ctx, db.PeriodParams{Side: p.Side, Name: p.Name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Closed{}, nil
	}
	if err != nil {
		return Closed{}, fmt.Errorf("look whether it is closed: %w", err)
	}
	if row.Tz != p.Zone {
		return Closed{}, fmt.Errorf("it was closed in time zone %s, and cannot be closed again in %s", row.Tz, p.Zone)
	}
	closed := Closed{Period: stored(row), Already: true}
	if err := closed.Period.sameStart(notBefore); err != nil {
		return Closed{}, err
	}
	if err := closed.Period.check(ctx, q); err != nil {
		return Closed{}, err
	}
	closed.Totals, err = totals(ctx, q, closed.Period)
	return closed, err
}

// allow returns an error when a period must not be closed now, else the gap that
// is before it. It sets NotBefore.
func (p *Period) allow(ctx context.Context, q *db.Queries, notBefore string) (gap time.Time, err error) {
	over, err := q.PeriodIsOver(ctx, null(p.To))
	if err != nil {
		return gap, fmt.Errorf("read the database's clock: %w", err)
	}
	if over == nil || !*over {
		return gap, fmt.Errorf("it is not over: it ends at %s", p.To.Format(time.RFC3339))
	}
	row, err := q.LastPeriod(ctx, p.Side)
	if errors.Is(err, pgx.ErrNoRows) {
		return gap, p.startAt(notBefore)
	}
	if err != nil {
		return gap, fmt.Errorf("read the last closed period: %w", err)
	}
	last := stored(row)
	switch {
	case !p.To.After(last.From):
		return gap, fmt.Errorf("%s is closed, and is later: what is not billed yet becomes adjustments of the next period", last.Name)
	case p.From.Before(last.To):
		err := fmt.Errorf("it overlaps %s, which is closed up to %s", last.Name, last.To.Format(time.RFC3339))
		if last.Zone != p.Zone {
			err = fmt.Errorf("%w in time zone %s: all periods of a side follow one another, so that it is billed in one zone; use --tz %s", err, last.Zone, last.Zone)
		}
		return gap, err
	case p.From.After(last.To):
		gap = last.To
	}
	p.NotBefore = last.NotBefore
	return gap, p.sameStart(notBefore)
}

// sameStart returns an error when a day is given and is not what the first close
// has said.
func (p Period) sameStart(notBefore string) error {
	if notBefore == "" {
		return nil
	}
	day, err := span.Day(notBefore, p.Zone)
	if err != nil {
		return fmt.Errorf("not before: %w", err)
	}
	if !day.From.Equal(p.NotBefore) {
		return errors.New("not before: only the first close of a side says from when calls are billed")
	}
	return nil
}

// startAt sets NotBefore by what the first close says.
func (p *Period) startAt(notBefore string) error {
	if notBefore == "" {
		return nil
	}
	day, err := span.Day(notBefore, p.Zone)
	if err != nil {
		return fmt.Errorf("not before: %w", err)
	}
	if !day.From.Before(p.To) {
		return fmt.Errorf("not before: %s is after the period", notBefore)
	}
	p.NotBefore = day.From.UTC()
	return nil
}

// write closes a period in the caller's transaction, which holds the lock.
func (p Period) write(ctx context.Context, q *db.Queries) (Closed, error) {
	if err := q.KeepPeriodDurable(ctx); err != nil {
		return Closed{}, fmt.Errorf("set the commit durable: %w", err)
	}
	_, err := q.WriteLines(ctx, db.WriteLinesParams{
		Side: p.Side, Period: p.Name, FromAt: null(p.From), ToAt: null(p.To), NotBefore: null(p.NotBefore),
	})
	if err != nil {
		return Closed{}, fmt.Errorf("write lines: %w", err)
	}
	if err := q.AnalyzeLines(ctx); err != nil {
		return Closed{}, fmt.Errorf("count the written lines: %w", err)
	}
	row, err := q.WritePeriod(ctx, db.WritePeriodParams{
		Side: p.Side, Name: p.Name, Tz: p.Zone, FromAt: null(p.From), ToAt: null(p.To), NotBefore: null(p.NotBefore),
	})
	if err != nil {
		return Closed{}, fmt.Errorf("write the period: %w", err)
	}
	closed := Closed{Period: stored(row)}
	closed.Totals, err = totals(ctx, q, closed.Period)
	return closed, err
}

// preview says what write would write.
func (p Period) preview(ctx context.Context, q *db.Queries) (Closed, error) {
	rows, err := q.PendingTotals(ctx, db.PendingTotalsParams{
		Side: p.Side, Period: p.Name, FromAt: null(p.From), ToAt: null(p.To), NotBefore: null(p.NotBefore),
	})
	if err != nil {
		return Closed{}, fmt.Errorf("read what would be written: %w", err)
	}
	closed := Closed{Period: p}
	for _, r := range rows {
		closed.Period.Lines += r.Lines
		closed.Totals = append(closed.Totals, Total{
			Source: r.Source, Account: text(r.Account), Trunk: text(r.Trunk), Currency: text(r.Currency),
			Calls: r.Calls, WithoutAmount: r.WithoutAmount, Adjustments: r.Adjustments,
			CallsAmount: r.CallsAmount, AdjustmentsAmount: r.AdjustmentsAmount, Amount: r.Amount,
		})
	}
	return closed, nil
}
