package rate_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
)

// epoch is when the times of the property tests begin; they are whole days.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func dayAt(n int) time.Time { return epoch.AddDate(0, 0, n) }

// call is what a price depends on.
type call struct {
	Number, Disposition string
	At                  time.Time
	Billsec             cdr.Amount
}

// reference prices a call by reading all rates, in exact fractions.
func reference(rates []rate.Rate, c call) (price cdr.Amount, prefix string, currency string) {
	var best *rate.Rate
	for i, r := range rates {
		fits := c.Number != "" && strings.HasPrefix(c.Number[1:], r.Prefix) && r.ValidAt(c.At)
		if fits && (best == nil || len(r.Prefix) > len(best.Prefix)) {
			best = &rates[i]
		}
	}
	prefix = "-"
	if best != nil {
		prefix, currency = best.Prefix, best.Currency
	}
	switch {
	case c.Disposition == "unknown":
		return price, prefix, currency
	case c.Disposition != "answered":
		return decimal.NewNullDecimal(decimal.Zero), prefix, currency
	case best == nil || !c.Billsec.Valid:
		return price, prefix, currency
	}
	seconds := decimal.Zero
	if c.Billsec.Decimal.IsPositive() {
		seconds = decimal.NewFromInt(int64(best.FirstIncrement))
		for seconds.LessThan(c.Billsec.Decimal) {
			seconds = seconds.Add(decimal.NewFromInt(int64(best.NextIncrement)))
		}
	}
	sum := new(big.Rat).Mul(best.PricePerMinute.Rat(), seconds.Rat())
	sum.Quo(sum, big.NewRat(60, 1)).Add(sum, best.ConnectionFee.Rat())
	return decimal.NewNullDecimal(halfUp(sum)), prefix, currency
}

// halfUp rounds what is not negative to 6 decimals.
func halfUp(r *big.Rat) decimal.Decimal {
	millionths := new(big.Rat).Mul(r, big.NewRat(1_000_000, 1))
	millionths.Add(millionths, big.NewRat(1, 2))
	return decimal.NewFromBigInt(new(big.Int).Quo(millionths.Num(), millionths.Denom()), -6)
}

// amounts have few digits or many, and often end in what rounds to a half.
func amounts() *rapid.Generator[decimal.Decimal] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Range(0, 999).Draw(t, "n"), -rapid.Int32Range(0, 8).Draw(t, "decimals"))
		}),
		rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Range(0, 999_999_999_999_999_999).Draw(t, "n"), -rapid.Int32Range(10, 20).Draw(t, "decimals"))
		}),
		rapid.SampledFrom([]decimal.Decimal{decimal.RequireFromString("0.00003"), decimal.RequireFromString("0.00002999999999999999"), decimal.RequireFromString("0.00003000000000000001")}),
	)
}

// deckOf draws rates of which none of a prefix are valid at once.
func deckOf(t *rapid.T) []rate.Rate {
	var rates []rate.Rate
	for _, prefix := range rapid.SliceOfNDistinct(rapid.StringMatching(`|[12]{1,4}|[12]{13,15}`), 0, 8, rapid.ID).Draw(t, "prefixes") {
		from := rapid.IntRange(0, 3).Draw(t, "from")
		for range rapid.IntRange(1, 3).Draw(t, "rates") {
			to := from + rapid.IntRange(1, 4).Draw(t, "days")
			rates = append(rates, rate.Rate{
				Deck: "default", Prefix: prefix, ValidFrom: dayAt(from), ValidTo: dayAt(to),
				PricePerMinute: amounts().Draw(t, "price"), ConnectionFee: amounts().Draw(t, "fee"),
				FirstIncrement: rapid.SampledFrom([]int{0, 1, 6, 30, 60}).Draw(t, "first"),
				NextIncrement:  rapid.SampledFrom([]int{1, 6, 7, 60}).Draw(t, "next"),
				Currency:       rapid.SampledFrom([]string{"USD", "EUR"}).Draw(t, "currency"),
			})
			from = to + rapid.IntRange(0, 1).Draw(t, "gap")
		}
	}
	if len(rates) > 0 && rapid.Bool().Draw(t, "open") {
		rates[len(rates)-1].ValidTo = time.Time{}
	}
	return rates
}

func callOf(t *rapid.T) call {
	c := call{
		Number:      rapid.OneOf(rapid.Just(""), rapid.StringMatching(`\+[12]{1,6}`), rapid.StringMatching(`\+[12]{13,15}`)).Draw(t, "number"),
		Disposition: rapid.SampledFrom([]string{"answered", "answered", "answered", "busy", "unknown"}).Draw(t, "disposition"),
		At:          dayAt(rapid.IntRange(0, 16).Draw(t, "day")).Add(rapid.SampledFrom([]time.Duration{-time.Microsecond, 0, time.Hour}).Draw(t, "time")),
	}
	if rapid.IntRange(0, 9).Draw(t, "known") > 0 {
		c.Billsec = decimal.NewNullDecimal(decimal.New(rapid.Int64Range(0, 20000).Draw(t, "billsec"), -rapid.Int32Range(0, 2).Draw(t, "decimals")))
	}
	return c
}

// TestPricesAreThoseOfTheReference compares the view with a reference.
func TestPricesAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(rt *rapid.T) {
		rates := deckOf(rt)
		calls := rapid.SliceOfN(rapid.Custom(callOf), 1, 20).Draw(rt, "calls")
		clear(rt, pool)
		if len(rates) > 0 {
			importRates(rt, pool, rapid.Permutation(rates).Draw(rt, "order"))
		}
		for i, c := range calls {
			billsec := ""
			if c.Billsec.Valid {
				billsec = c.Billsec.Decimal.String()
			}
			if _, err := pool.Exec(t.Context(), insertCall, "s", fmt.Sprintf("%03d", i), "", "", "", c.Number, c.Disposition,
				c.At.Format(time.RFC3339Nano), billsec, "", "", ""); err != nil {
				rt.Fatal(err)
			}
		}
		got := priced(rt, pool)
		if len(got) != len(calls) {
			rt.Fatalf("%d calls are priced, want %d", len(got), len(calls))
		}
		for i, c := range calls {
			price, prefix, currency := reference(rates, c)
			want := fmt.Sprint(prefix, " ", text(price), " ", currency)
			if got[i] != want {
				rt.Fatalf("call %+v: got %q, want %q", c, got[i], want)
			}
		}
	})
}

func text(a cdr.Amount) string {
	if !a.Valid {
		return "-"
	}
	return a.Decimal.StringFixed(6)
}

func priced(t *rapid.T, pool *pgxpool.Pool) []string {
	rows, err := pool.Query(t.Context(), `
		SELECT concat(coalesce(prefix, '-'), ' ', coalesce(price::text, '-'), ' ', price_currency) FROM rated_cdr ORDER BY call_id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func clear(t *rapid.T, pool *pgxpool.Pool) {
	if _, err := pool.Exec(t.Context(), `DELETE FROM call; DELETE FROM rate; DELETE FROM tariff`); err != nil {
		t.Fatal(err)
	}
}
