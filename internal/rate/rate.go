// Package rate keeps what calls are sold for: price lists (decks) of rates by
// prefix, and which deck prices which calls. The view rated_cdr does the pricing
// itself. The package imports only cdr and the generated package db of cdrstore.
package rate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// DefaultDeck prices the calls that no tariff fits.
const DefaultDeck = "default"

// pageSize is how many rates List reads at once.
const pageSize = 1000

// Rate is what calls to the numbers of a prefix cost for a while.
type Rate struct {
	Deck   string
	Prefix string // digits, without +; empty: every number; exact: and what must be equal

	ValidFrom time.Time // UTC
	ValidTo   time.Time // UTC, first moment at which it is valid no more; zero: until further notice

	PricePerMinute decimal.Decimal
	ConnectionFee  decimal.Decimal // once for an answer
	FirstIncrement int             // seconds billed at least
	NextIncrement  int             // seconds by which is billed after that
	Currency       string          // ISO 4217
	Description    string          // empty: none
}

// ValidAt reports whether a call of that time is priced by it.
func (r Rate) ValidAt(t time.Time) bool {
	return !t.Before(r.ValidFrom) && (r.ValidTo.IsZero() || t.Before(r.ValidTo))
}

// Record is the rate in the order of Columns, as Import reads it.
func (r Rate) Record() []string {
	until := ""
	if !r.ValidTo.IsZero() {
		until = r.ValidTo.UTC().Format(time.RFC3339Nano)
	}
	return []string{
		r.Deck, r.Prefix, r.ValidFrom.UTC().Format(time.RFC3339Nano), until, r.PricePerMinute.String(), r.ConnectionFee.String(),
		strconv.Itoa(r.FirstIncrement), strconv.Itoa(r.NextIncrement), r.Currency, r.Description,
	}
}

// List calls each with the rates of a deck whose prefixes begin with some
// digits, in order of deck, prefix and time. Empty is any. It stops at the first
// error of each.
func List(ctx context.Context, pool *pgxpool.Pool, deck, prefix string, each func(Rate) error) error {
	// It begins at the deck, not at the beginning of the index.
	next := db.RatesParams{AfterDeck: deck, AfterFrom: boundFrom(time.Time{}), Deck: deck, Prefix: prefix, AtMost: pageSize}
	for {
		rows, err := db.New(pool).Rates(ctx, next)
		if err != nil {
			return fmt.Errorf("read rates: %w", err)
		}
		for _, row := range rows {
			if err := each(rateOf(row)); err != nil {
				return err
			}
			next.AfterDeck, next.AfterPrefix, next.AfterFrom = row.Deck, row.Prefix, row.ValidFrom
		}
		if len(rows) < pageSize {
			return nil
		}
	}
}

// Deck is a price list in figures.
type Deck struct {
	Name       string
	Rates      int
	ValidNow   int       // of them
	Currencies string    // ISO 4217, with spaces between
	FirstFrom  time.Time // UTC, earliest valid_from; zero: no rates
	LastFrom   time.Time // UTC, latest valid_from; zero: no rates
	Tariffs    int       // rows of table tariff that name it
}

// Decks lists the price lists by name: those that have rates, those that tariffs
// name, and the default.
func Decks(ctx context.Context, pool *pgxpool.Pool) ([]Deck, error) {
	rows, err := db.New(pool).Decks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read decks: %w", err)
	}
	decks := make([]Deck, len(rows))
	for i, r := range rows {
		decks[i] = Deck{r.Deck, int(r.Rates), int(r.ValidNow), r.Currencies, momentOf(r.FirstFrom), momentOf(r.LastFrom), int(r.Tariffs)}
	}
	return decks, nil
}

func rateOf(r db.Rate) Rate {
	return Rate{
		Deck: r.Deck, Prefix: r.Prefix, ValidFrom: momentOf(r.ValidFrom), ValidTo: momentOf(r.ValidTo),
		PricePerMinute: amountOf(r.PricePerMinute).Decimal, ConnectionFee: amountOf(r.ConnectionFee).Decimal,
		FirstIncrement: int(r.FirstIncrement), NextIncrement: int(r.NextIncrement),
		Currency: r.Currency, Description: r.Description.String,
	}
}

func momentOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid || t.InfinityModifier != pgtype.Finite {
		return time.Time{}
	}
	return t.Time.UTC()
}

func amountOf(n pgtype.Numeric) cdr.Amount {
	if !n.Valid || n.Int == nil {
		return cdr.Amount{}
	}
	return decimal.NewNullDecimal(decimal.NewFromBigInt(n.Int, n.Exp))
}

func numeric(d decimal.Decimal) pgtype.Numeric {
	return pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}
}
