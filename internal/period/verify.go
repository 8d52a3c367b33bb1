package period

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/db"
)

// maxFaults is how many broken lines are named.
const maxFaults = 100

// Verified is what is true of the lines of one side.
type Verified struct {
	Side    string
	Periods int
	Lines   int64
	Faults  []string  // what must never be; empty: the lines are proven
	To      time.Time // up to when periods are closed, UTC; zero: none is

	PendingLines int64     // what the next close will adjust
	Pending      []Pending // the first of them
}

// Pending is a difference between what was billed and what a call is now. It
// becomes an adjustment when the next period is closed.
type Pending struct {
	Source, CallID           string
	CallTime                 time.Time // UTC
	Account, Trunk, Currency *string
	Before, After, Delta     *string // exact decimals; nil: none, or not known
	TakenBack                bool    // from this account, trunk and currency
}

// Verify proves the lines of a side: that each closed period, its lines and its
// place in the chain are as they were written, that each line of a call goes on from the line before it,
// and that all of them together with what is pending are the sum of the calls.
// It returns at most so many pending lines, and reads everything from one
// snapshot.
func Verify(ctx context.Context, pool *pgxpool.Pool, side string, atMost int) (Verified, error) {
	if err := checkSide(side); err != nil {
		return Verified{}, err
	}
	v := Verified{Side: side}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := v.periods(ctx, q); err != nil {
			return err
		}
		if err := v.chains(ctx, q); err != nil {
			return err
		}
		last, err := q.LastPeriod(ctx, side)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the last closed period: %w", err)
		}
		v.To = utc(last.ToAt)
		if err := v.sums(ctx, q, last); err != nil {
			return err
		}
		return v.pending(ctx, q, last, atMost)
	})
	if err != nil {
		return Verified{}, fmt.Errorf("verify %s: %w", side, err)
	}
	return v, nil
}

func (v *Verified) periods(ctx context.Context, q *db.Queries) error {
	rows, err := q.CheckPeriods(ctx, db.CheckPeriodsParams{Side: v.Side})
	if err != nil {
		return fmt.Errorf("read periods and their lines: %w", err)
	}
	for _, r := range rows {
		v.Periods++
		v.Lines += r.Lines
		if fault := fault(v.Side, r); fault != "" {
			v.Faults = append(v.Faults, fault)
		}
	}
	return nil
}

func (v *Verified) chains(ctx context.Context, q *db.Queries) error {
	rows, err := q.BrokenLines(ctx, db.BrokenLinesParams{Side: v.Side, AtMost: maxFaults})
	if err != nil {
		return fmt.Errorf("follow the lines of each call: %w", err)
	}
	for _, r := range rows {
		v.Faults = append(v.Faults, fmt.Sprintf("%s %s: line %d does not go on from the line before it", r.Source, r.CallID, r.Line))
	}
	if len(rows) == maxFaults {
		v.Faults = append(v.Faults, "there may be more such lines")
	}
	return nil
}

// sums adds up lines, what is pending, and calls, and counts what is pending.
func (v *Verified) sums(ctx context.Context, q *db.Queries, last db.Period) error {
	pending, err := q.PendingTotals(ctx, db.PendingTotalsParams{Side: v.Side, FromAt: last.ToAt, ToAt: last.ToAt, NotBefore: last.NotBefore})
	if err != nil {
		return fmt.Errorf("add up what is pending: %w", err)
	}
	rows, err := q.BillSums(ctx, db.BillSumsParams{Side: v.Side, ToAt: last.ToAt, NotBefore: last.NotBefore})
	if err != nil {
		return fmt.Errorf("add up lines and calls: %w", err)
	}
	open := map[[4]pgtype.Text]decimal.Decimal{}
	for _, r := range pending {
		v.PendingLines += r.Lines
		if open[group(r.Source, r.Account, r.Trunk, r.Currency)], err = number(r.Amount); err != nil {
			return err
		}
	}
	for _, r := range rows {
		billed, errBilled := number(&r.Billed)
		calls, errCalls := number(&r.Calls)
		if err := errors.Join(errBilled, errCalls); err != nil {
			return err
		}
		g := group(r.Source, r.Account, r.Trunk, r.Currency)
		if !billed.Add(open[g]).Equal(calls) {
			v.Faults = append(v.Faults, fmt.Sprintf("source %s, account %s, trunk %s, currency %s: lines say %s and %s is pending, but calls say %s",
				r.Source, word(text(r.Account)), word(text(r.Trunk)), word(text(r.Currency)), billed, open[g], calls))
		}
		delete(open, g)
	}
	for g, amount := range open {
		if !amount.IsZero() {
			v.Faults = append(v.Faults, fmt.Sprintf("source %s: %s is pending where there are no calls", g[0].String, amount))
		}
	}
	return nil
}

// group is what amounts are added up by; never beyond it.
func group(source string, account, trunk, currency pgtype.Text) [4]pgtype.Text {
	return [4]pgtype.Text{{String: source, Valid: true}, account, trunk, currency}
}

// number reads an amount of the database; nil is 0.
func number(amount *string) (decimal.Decimal, error) {
	if amount == nil {
		return decimal.Zero, nil
	}
	d, err := decimal.NewFromString(*amount)
	if err != nil {
		return d, fmt.Errorf("read amount: %w", err)
	}
	return d, nil
}

func (v *Verified) pending(ctx context.Context, q *db.Queries, last db.Period, atMost int) error {
	if v.PendingLines == 0 || atMost == 0 {
		return nil
	}
	rows, err := q.PendingLines(ctx, db.PendingLinesParams{Side: v.Side, ToAt: last.ToAt, NotBefore: last.NotBefore, AtMost: int32(atMost)})
	if err != nil {
		return fmt.Errorf("read what is pending: %w", err)
	}
	for _, r := range rows {
		v.Pending = append(v.Pending, Pending{
			Source: r.Source, CallID: r.CallID, CallTime: utc(r.CallTime),
			Account: text(r.Account), Trunk: text(r.Trunk), Currency: text(r.Currency),
			Before: r.Before, After: r.After, Delta: r.Delta, TakenBack: r.Stands != nil && !*r.Stands,
		})
	}
	return nil
}

// String describes it in a line for people.
func (p Pending) String() string {
	what := fmt.Sprintf("%s -> %s", word(p.Before), word(p.After))
	if p.TakenBack {
		what = fmt.Sprintf("%s taken back", word(p.Before))
	}
	return fmt.Sprintf("%s %s (%s), account %s, trunk %s: %s, %s in currency %s", p.Source, p.CallID, p.CallTime.Format(time.RFC3339),
		word(p.Account), word(p.Trunk), what, word(p.Delta), word(p.Currency))
}

func word(t *string) string {
	if t == nil {
		return "-"
	}
	return *t
}
