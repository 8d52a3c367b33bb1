package rate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// ErrNoCall says that there is no such call.
var ErrNoCall = errors.New("there is no such call")

// ErrNotEnded says that a call has no price because it has not ended.
var ErrNotEnded = errors.New("the call has not ended, and has no price before")

// Explanation says why a call has its price, or has none. Its values are those
// of the view rated_cdr.
type Explanation struct {
	CallTime    time.Time // UTC
	Number      string    // called, with +; empty: not known for certain
	AsSent      string    // called
	Disposition string
	Billsec     cdr.Amount // seconds

	Tariff     *Tariff // nil: none fits, so that the default deck counts
	Deck       string
	Prefix     *string // of the rate that counts; nil: none
	Candidates []Rate  // all rates of the deck that the number's prefixes have, of any time, longest first, at most 100

	BilledSec cdr.Amount
	Price     cdr.Amount
	Currency  string // of Price; empty: no rate
	Cost      cdr.Amount
	CostIn    string     // currency of Cost; empty: not known
	Margin    cdr.Amount // unknown where currencies differ
}

// Explain returns why a call has its price. ErrNoCall and ErrNotEnded say that
// it can have none.
func Explain(ctx context.Context, pool *pgxpool.Pool, source, callID string) (Explanation, error) {
	q := db.New(pool)
	c, err := q.RatedCall(ctx, db.RatedCallParams{Source: source, CallID: callID})
	if errors.Is(err, pgx.ErrNoRows) {
		_, err = q.CallState(ctx, db.CallStateParams{Source: source, CallID: callID})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return Explanation{}, fmt.Errorf("source %s, call %s: %w", source, callID, ErrNoCall)
		case err == nil:
			return Explanation{}, fmt.Errorf("source %s, call %s: %w", source, callID, ErrNotEnded)
		}
	}
	if err != nil {
		return Explanation{}, fmt.Errorf("read the call: %w", err)
	}
	e := Explanation{
		CallTime: momentOf(c.CallTime), Number: text(c.DstE164), AsSent: text(c.Dst), Disposition: c.Disposition.String,
		Billsec: amountOf(c.Billsec), Deck: c.Deck, Prefix: c.Prefix, BilledSec: amountOf(c.BilledSec),
		Price: amountOf(c.Price), Currency: text(c.PriceCurrency),
		Cost: amountOf(c.Cost), CostIn: text(c.Currency), Margin: amountOf(c.Margin),
	}
	tariffs, err := q.TariffOfCall(ctx, db.TariffOfCallParams{
		Source: source, Account: text(c.Account), Trunk: text(c.Trunk), Direction: text(c.Direction),
	})
	if err != nil {
		return Explanation{}, fmt.Errorf("read the call's tariff: %w", err)
	}
	for _, t := range tariffs {
		e.Tariff = &Tariff{Calls{t.Source, t.Account, t.Trunk, t.Direction}, t.Deck}
	}
	rates, err := q.RatesOfNumber(ctx, db.RatesOfNumberParams{Deck: c.Deck, Prefixes: prefixes(e.Number)})
	if err != nil {
		return Explanation{}, fmt.Errorf("read the rates of the number: %w", err)
	}
	for _, r := range rates {
		e.Candidates = append(e.Candidates, rateOf(r))
	}
	return e, nil
}

// Rate is the one that counts.
func (e Explanation) Rate() (Rate, bool) {
	for _, r := range e.Candidates {
		if e.Prefix != nil && r.Prefix == *e.Prefix && r.ValidAt(e.CallTime) {
			return r, true
		}
	}
	return Rate{}, false
}

// Reason says in words how the price comes about.
func (e Explanation) Reason() string {
	r, found := e.Rate()
	switch {
	case e.Disposition == "unknown":
		return "nobody said whether the call was answered: the price is not known"
	case e.Disposition != "answered":
		return "not answered: free"
	case e.Number == "":
		return "the called number is not known for certain: no rate, no price"
	case !found:
		return fmt.Sprintf("deck %s has no rate for the number that is valid at the time of the call: no price", e.Deck)
	case !e.BilledSec.Valid:
		return "it is not known how long the call was: the price is not known"
	}
	return fmt.Sprintf("%s + %s × %s / 60 = %s %s", r.ConnectionFee, r.PricePerMinute, e.BilledSec.Decimal, e.Price.Decimal.StringFixed(6), e.Currency)
}

// prefixes are those that a number with + can have.
func prefixes(number string) []string {
	digits, known := strings.CutPrefix(number, "+")
	if !known {
		return nil
	}
	all := make([]string, 0, len(digits)+1)
	for n := range len(digits) + 1 {
		all = append(all, digits[:n])
	}
	return all
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
