package rate

import (
	"context"
	"errors"
	"fmt"
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
	Number      string    // called, as it is compared with rates; empty: none
	NumberForm  string    // how Number was read, as rated_cdr.number_form
	AsSent      string    // called
	Disposition string
	Billsec     cdr.Amount // seconds

	Tariff     *Tariff // nil: none fits, so that the default deck counts
	Deck       string
	Prefix     *string // of the rate that counts; nil: none
	Candidates []Rate  // all rates of the deck that match the number, of any time, longest first, at most 100

	Unpriced  string // why there is no price, as rated_cdr.unpriced; empty: there is one
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
		CallTime: momentOf(c.CallTime), Number: text(c.Number), NumberForm: text(c.NumberForm), AsSent: text(c.Dst), Disposition: c.Disposition.String,
		Billsec: amountOf(c.Billsec), Deck: c.Deck, Prefix: c.Prefix, Unpriced: text(c.Unpriced), BilledSec: amountOf(c.BilledSec),
		Price: amountOf(c.Price), Currency: text(c.PriceCurrency),
		Cost: amountOf(c.Cost), CostIn: text(c.Currency), Margin: amountOf(c.Margin),
	}
	tariffs, err := q.TariffOfCall(ctx, db.TariffOfCallParams{
		Source: source, Account: text(c.Account), Trunk: text(c.Trunk), Direction: text(c.Direction), CallTime: c.CallTime,
	})
	if err != nil {
		return Explanation{}, fmt.Errorf("read the call's tariff: %w", err)
	}
	for _, t := range tariffs {
		tariff := tariffOf(t)
		e.Tariff = &tariff
	}
	if e.Number == "" {
		return e, nil
	}
	rates, err := q.RatesOfNumber(ctx, db.RatesOfNumberParams{Deck: c.Deck, NumberForm: e.NumberForm, Number: e.Number})
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
	switch e.Unpriced {
	case "outcome unknown":
		return "nobody said whether the call was answered: the price is not known"
	case "number unknown":
		return "the called number is not known: no rate, no price"
	case "no tariff":
		return fmt.Sprintf("no tariff fits, and deck %s has no rates: no price", e.Deck)
	case "no exact rate":
		return fmt.Sprintf("deck %s has no rate exact:%s that is valid at the time of the call, and prefixes do not match a %s: no price", e.Deck, e.Number, e.NumberForm)
	case "no rate":
		return fmt.Sprintf("deck %s has no rate for the number that is valid at the time of the call: no price", e.Deck)
	case "talk time unknown":
		return "it is not known how long the call was: the price is not known"
	}
	r, found := e.Rate()
	if e.Disposition != "answered" || !found {
		return "not answered: free"
	}
	return fmt.Sprintf("%s + %s × %s / 60 = %s %s", r.ConnectionFee, r.PricePerMinute, e.BilledSec.Decimal, e.Price.Decimal.StringFixed(6), e.Currency)
}

// Called says in words how the called number was read.
func (e Explanation) Called() string {
	how := ""
	switch e.NumberForm {
	case "":
		return "not known"
	case "E.164":
		return "+" + e.Number
	case "international":
		how = "which names a country code, but is no valid number"
	case "national":
		how = "a national number of the source's country, but no valid one: not certain"
	case "digits as sent":
		how = "neither valid nor national: not certain that they begin with a country code"
	default:
		how = "a " + e.NumberForm + ": matched by exact rates only"
	}
	return fmt.Sprintf("%s, sent as %q, %s", e.Number, e.AsSent, how)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
