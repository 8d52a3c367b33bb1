package period

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
)

// page is how many lines are read at a time. Reports in format table align the
// columns of each page, so that another number would change their bytes.
const page = 1000

// Total is what a period says of one source, account, trunk and currency.
// Amounts are decimals as text, exact; nil: none is known.
type Total struct {
	Source                                 string
	Account, Trunk, Currency               *string
	Calls, WithoutAmount, Adjustments      int64
	CallsAmount, AdjustmentsAmount, Amount *string
}

// Report writes the totals of a closed period, or each of its lines, in Table,
// CSV or JSON. The bytes are the same whenever it is called, whatever has become
// of calls, rates and settings. It is an error when the period is not closed, or
// it or a line has changed since.
func Report(ctx context.Context, conn db.DBTX, side, name string, lines bool, format string, w io.Writer) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	q := db.New(conn)
	p, err := find(ctx, q, side, name)
	if err != nil {
		return err
	}
	if lines {
		return reportLines(ctx, q, p, format, w)
	}
	all, err := totals(ctx, q, p)
	if err != nil {
		return err
	}
	return WriteTotals(p, all, format, w)
}

// WriteTotals writes totals as Report does.
func WriteTotals(p Period, all []Total, format string, w io.Writer) error {
	out, err := begin(w, format, &p, "totals", "source", "account", "trunk", "currency", "calls", "without_amount",
		"adjustments", "calls_amount", "adjustments_amount", "amount")
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := out.row(t.Source, t.Account, t.Trunk, t.Currency, t.Calls, t.WithoutAmount, t.Adjustments,
			t.CallsAmount, t.AdjustmentsAmount, t.Amount); err != nil {
			return err
		}
	}
	return out.end()
}

// WriteList writes periods in Table, CSV or JSON.
func WriteList(periods []Period, format string, w io.Writer) error {
	out, err := begin(w, format, nil, "periods", "side", "period", "tz", "from", "to", "not_before", "closed_at", "lines", "digest")
	if err != nil {
		return err
	}
	for _, p := range periods {
		if err := out.row(p.Side, p.Name, p.Zone, moment(p.From), moment(p.To), moment(p.NotBefore), moment(p.ClosedAt), p.Lines, p.Digest); err != nil {
			return err
		}
	}
	return out.end()
}

func reportLines(ctx context.Context, q *db.Queries, p Period, format string, w io.Writer) error {
	out, err := begin(w, format, &p, "lines", "call_time", "source", "call_id", "line", "kind", "account", "trunk", "currency",
		"before", "after", "delta", "stands", "direction", "dst_country", "disposition", "billsec", "billed_sec", "rate", "deck")
	if err != nil {
		return err
	}
	at := db.BillLinesParams{Side: p.Side, Period: p.Name, AfterTime: pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}, AtMost: page}
	for {
		rows, err := q.BillLines(ctx, at)
		if err != nil {
			return fmt.Errorf("read lines: %w", err)
		}
		for _, r := range rows {
			if err := out.row(moment(utc(r.CallTime)), r.Source, r.CallID, int64(r.Line), r.Kind, text(r.Account), text(r.Trunk), text(r.Currency),
				r.Before, r.After, r.Delta, r.Stands, text(r.Direction), text(r.DstCountry), r.Disposition,
				r.Billsec, r.BilledSec, r.Rate, text(r.Deck)); err != nil {
				return err
			}
			at.AfterTime, at.AfterSource, at.AfterCallID, at.AfterLine = r.CallTime, r.Source, r.CallID, r.Line
		}
		if len(rows) < page {
			return out.end()
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
}

func totals(ctx context.Context, q *db.Queries, p Period) ([]Total, error) {
	rows, err := q.BillTotals(ctx, db.BillTotalsParams{Side: p.Side, Period: p.Name})
	if err != nil {
		return nil, fmt.Errorf("read totals: %w", err)
	}
	all := make([]Total, len(rows))
	for i, r := range rows {
		all[i] = Total{
			Source: r.Source, Account: text(r.Account), Trunk: text(r.Trunk), Currency: text(r.Currency),
			Calls: r.Calls, WithoutAmount: r.WithoutAmount, Adjustments: r.Adjustments,
			CallsAmount: r.CallsAmount, AdjustmentsAmount: r.AdjustmentsAmount, Amount: r.Amount,
		}
	}
	return all, nil
}

// moment writes a time as ISO 8601 in UTC; nil for the zero time.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	written := t.UTC().Format(time.RFC3339Nano)
	return &written
}

func text(t pgtype.Text) *string {
	if !t.Valid {
		return nil
	}
	return &t.String
}
