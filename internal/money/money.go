// Package money knows the currencies of ISO 4217 and how many decimals an amount
// of each is written with. It imports nothing of cdrstore.
package money

import (
	"fmt"

	"github.com/bojanz/currency"
	"github.com/shopspring/decimal"
)

// Check returns an error unless a code is that of a currency in use, in upper
// case, such as USD. XXX and XTS, which stand for none and for tests, are not.
func Check(code string) error {
	if code == "" || !currency.IsValid(code) {
		return fmt.Errorf("%q is no currency of ISO 4217: write three upper-case letters like USD", code)
	}
	return nil
}

// Digits returns with how many decimals amounts of a currency are written: 2, but 0
// for JPY and 3 for KWD. The SQL function currency_digits says the same.
func Digits(code string) int32 {
	if digits, ok := currency.GetDigits(code); ok {
		return int32(digits)
	}
	return 2
}

// Round rounds an amount half away from zero to the decimals of its currency, and
// writes all of them.
func Round(amount decimal.Decimal, code string) string { return amount.StringFixed(Digits(code)) }
