package money_test

import (
	"os"
	"testing"

	"github.com/bojanz/currency"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/money"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func TestCheck(t *testing.T) {
	t.Parallel()
	for code, known := range map[string]bool{
		"USD": true, "JPY": true, "KWD": true, "XCG": true, "XQQ": false, "XXX": false, "XTS": false, "usd": false, "": false, "US": false, "USDT": false,
	} {
		if err := money.Check(code); (err == nil) != known {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ amount, code, want string }{
		{"1.005", "USD", "1.01"}, {"-1.005", "USD", "-1.01"}, {"1.5", "JPY", "2"}, {"1.0005", "KWD", "1.001"}, {"1.005", "XQQ", "1.01"}, {"2", "EUR", "2.00"},
	} {
		if got := money.Round(decimal.RequireFromString(c.amount), c.code); got != c.want {
			t.Errorf("%s %s is %s, want %s", c.amount, c.code, got, c.want)
		}
	}
}

// TestDigitsInSQL holds the function of the database against the library.
func TestDigitsInSQL(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, code := range append(currency.GetCurrencyCodes(), "XQQ") {
		var digits int32
		if err := pool.QueryRow(t.Context(), "SELECT currency_digits($1)", code).Scan(&digits); err != nil || digits != money.Digits(code) {
			t.Errorf("%s: %d, %v, want %d", code, digits, err, money.Digits(code))
		}
	}
}
