package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Invoice is what a carrier's invoice says of a span of time. What it does not say
// is null.
type Invoice struct {
	Source    string
	From, To  time.Time     // calls that start in [From, To)
	Direction cdr.Direction // empty: all
	Calls     cdr.Amount    // calls that ended, answered or not
	Answered  cdr.Amount
	Billsec   cdr.Amount // seconds of talk
	Minutes   cdr.Amount // charged, rounded up by the carrier
	Cost      cdr.Amount
	Currency  string // of Cost
}

// Line is one total of both sides.
type Line struct {
	Field  string          `json:"field"`
	Theirs decimal.Decimal `json:"theirs"`
	Ours   decimal.Decimal `json:"ours"`
	By     decimal.Decimal `json:"difference"` // theirs less ours
	Differ bool            `json:"differs"`    // by more than the tolerance
	Note   string          `json:"note,omitempty"`
}

// The charged time of a call is what the provider charged, else what its
// increments make of the talk time, else the talk time. A call without currency
// counts for the one that is asked for.
const monthTotals = `
SELECT count(*), count(*) FILTER (WHERE disposition = 'answered'),
       coalesce(sum(billsec), 0),
       coalesce(sum(coalesce(charged_sec, billed_seconds(billsec, first_increment, next_increment), billsec)), 0),
       count(*) FILTER (WHERE billsec > 0 AND coalesce(charged_sec, billed_seconds(billsec, first_increment, next_increment)) IS NULL),
       coalesce(sum(cost) FILTER (WHERE coalesce(currency, $5) = $5), 0),
       count(*) FILTER (WHERE cost IS NOT NULL AND currency IS NULL),
       count(*) FILTER (WHERE cost IS NOT NULL AND currency <> $5),
       count(*) FILTER (WHERE billsec > 0 AND cost IS NULL)
FROM cdr
WHERE source = $1 AND call_time >= $2 AND call_time < $3 AND ($4 = '' OR direction = $4)`

// Month compares the totals of an invoice with those of the tables. Lines are
// only what the invoice says.
func Month(ctx context.Context, pool *pgxpool.Pool, in Invoice, t Tolerance) ([]Line, error) {
	var calls, answered, byTalk, noCurrency, otherCurrency, noCost int64
	var billsec, charged, cost decimal.Decimal
	err := pool.QueryRow(ctx, monthTotals, in.Source, in.From, in.To, string(in.Direction), in.Currency).
		Scan(&calls, &answered, &billsec, &charged, &byTalk, &cost, &noCurrency, &otherCurrency, &noCost)
	if err != nil {
		return nil, fmt.Errorf("sum up the calls of %s: %w", in.Source, err)
	}
	var lines []Line
	add := func(field string, theirs cdr.Amount, ours, within decimal.Decimal, notes ...string) {
		if !theirs.Valid {
			return
		}
		by := theirs.Decimal.Sub(ours)
		l := Line{Field: field, Theirs: theirs.Decimal, Ours: ours, By: by, Differ: by.Abs().GreaterThan(within)}
		for _, n := range notes {
			if n != "" && l.Note != "" {
				l.Note += "; "
			}
			l.Note += n
		}
		lines = append(lines, l)
	}
	// Minutes are printed rounded; the seconds' tolerance holds for them too.
	minutes := charged.DivRound(decimal.NewFromInt(60), 4)
	add("calls", in.Calls, decimal.NewFromInt(calls), decimal.Zero)
	add("answered", in.Answered, decimal.NewFromInt(answered), decimal.Zero)
	add("billsec", in.Billsec, billsec, t.Seconds)
	add("minutes", in.Minutes, minutes, t.Seconds.DivRound(decimal.NewFromInt(60), 4),
		counted(byTalk, "calls by their talk time: what was charged is not known"))
	add("cost "+in.Currency, in.Cost, cost, t.Amount,
		counted(noCost, "answered calls have no cost"),
		counted(noCurrency, "calls name no currency and are taken for "+in.Currency),
		counted(otherCurrency, "calls are in other currencies and left out"))
	return lines, nil
}

func counted(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}
