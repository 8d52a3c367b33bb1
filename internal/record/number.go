package record

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// IsNumberProblem reports whether a problem is that of a number which was sent and
// could not be read.
func IsNumberProblem(problem string) bool {
	return strings.Contains(problem, ": not a number") || strings.Contains(problem, ": expected a number")
}

// Decimal returns a number, be it sent as a number or as text.
func (f *Fields) Decimal(names ...string) cdr.Amount {
	name, v := f.find(names)
	return f.decimal(name, v)
}

func (f *Fields) decimal(name string, v *value) cdr.Amount {
	if v == nil {
		return cdr.Amount{}
	}
	if v.kind != kindNumber && v.kind != kindString {
		f.Problem(name, "expected a number, found "+v.kind.String())
		return cdr.Amount{}
	}
	d, err := parseDecimal(bytes.TrimSpace(f.record.text(v)))
	if err != nil {
		f.Problem(name, err.Error())
		return cdr.Amount{}
	}
	return decimal.NewNullDecimal(d)
}

// Seconds returns a length of a call. A negative one, and one of more than a
// year, is unreadable: neither sums nor moments may come of it.
func (f *Fields) Seconds(names ...string) cdr.Amount {
	name, v := f.find(names)
	return f.seconds(0, name, v)
}

// Talk returns the seconds for which a call was talked. It notes the name of the
// field, also where it is missing.
func (f *Fields) Talk(names ...string) cdr.Amount { return f.TalkIn(0, names...) }

// TalkIn is Talk of a number in units of 10 to the exponent seconds.
func (f *Fields) TalkIn(exponent int32, names ...string) cdr.Amount {
	name, v := f.find(names)
	f.notes.Talk = f.path + cmp.Or(name, names[0])
	return f.seconds(exponent, name, v)
}

func (f *Fields) seconds(exponent int32, name string, v *value) cdr.Amount {
	const year = 366 * 24 * 60 * 60
	a := f.decimal(name, v)
	if !a.Valid {
		return a
	}
	a.Decimal = a.Decimal.Shift(exponent)
	switch {
	case a.Decimal.IsNegative():
		f.Problem(name, "negative")
	case a.Decimal.GreaterThan(decimal.NewFromInt(year)):
		f.Problem(name, "longer than a year")
	default:
		return a
	}
	return cdr.Amount{}
}

// maxInt is the largest number that Int returns: more than any code, interval or
// count of segments, and what smallint holds.
const maxInt = 32_767

// Int returns a small whole number, nil when there is none.
func (f *Fields) Int(names ...string) *int {
	name, v := f.find(names)
	if v == nil {
		return nil
	}
	if n := digits(f.record.text(v)); n >= 0 && n <= maxInt {
		return new(int(n))
	}
	a := f.decimal(name, v)
	if !a.Valid {
		return nil
	}
	if !a.Decimal.IsInteger() || a.Decimal.Abs().GreaterThan(decimal.New(maxInt, 0)) {
		f.Problem(name, "not a whole number in range")
		return nil
	}
	n := int(a.Decimal.IntPart())
	return &n
}

// numberText returns text as sent, but a number with an exponent (4.4e+11, as
// some senders print telephone numbers) in full.
func (r *Record) numberText(v *value) string {
	text := r.keep(r.text(v))
	if v.kind != kindNumber || !strings.ContainsAny(text, "eE.") {
		return text
	}
	d, err := parseDecimal(r.text(v))
	if err != nil || !d.IsInteger() {
		return text
	}
	return d.StringFixed(0)
}

// parseDecimal bounds length and exponent, because 1e999999999 is nine bytes
// here and a gigabyte once it is written out.
func parseDecimal(sent []byte) (decimal.Decimal, error) {
	if d, ok := plainDecimal(sent); ok {
		return d, nil
	}
	text := strings.Replace(strings.Replace(string(sent), "e ", "e+", 1), "E ", "E+", 1) // a form makes a blank of a raw +
	if len(text) > 64 {
		return decimal.Decimal{}, fmt.Errorf("not a number of reasonable length")
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 && strings.Trim(text[:i], "+-.0123456789") == "" {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent > 32 || exponent < -32 {
			return decimal.Decimal{}, fmt.Errorf("not a number of reasonable size")
		}
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return d, fmt.Errorf("not a number")
	}
	return d, nil
}

// plainDecimal reads digits with at most one point and one minus, as all numbers
// come that are not odd. What it reads, NewFromString reads alike, slower.
func plainDecimal(sent []byte) (decimal.Decimal, bool) {
	digits, minus := bytes.CutPrefix(sent, []byte("-"))
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	if n := len(whole) + len(fraction); n == 0 || n > maxDigits {
		return decimal.Decimal{}, false
	}
	n, ok := appendDigits(0, whole)
	if ok {
		n, ok = appendDigits(n, fraction)
	}
	if minus {
		n = -n
	}
	return decimal.New(n, -int32(len(fraction))), ok
}

// maxDigits is how many digits always go into an int64.
const maxDigits = 18

// appendDigits puts the value of digits behind those of n.
func appendDigits(n int64, digits []byte) (int64, bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
