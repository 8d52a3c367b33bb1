package pgarray

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// Signs in the binary form of numeric.
const (
	positive = 0x0000
	negative = 0x4000
)

// appendNumeric writes a decimal as numeric_recv reads it: how many groups of four
// digits, the weight of the first one, the sign, how many digits stand behind the
// point, and the groups.
func appendNumeric(out []byte, d decimal.Decimal) []byte {
	sign := uint16(positive)
	if d.Sign() < 0 {
		sign = negative
	}
	var room [64]byte // on the stack
	digits, exponent := appendDigits(room[:0], d), int(d.Exponent())
	for exponent < 0 && digits[len(digits)-1] == '0' && len(digits) > 1 { // 0.450 is 0.45
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if d.Sign() == 0 {
		digits, exponent = nil, 0
	}
	scale := max(0, -exponent)
	for ; exponent%4 != 0; exponent-- { // the point is between two groups
		digits = append(digits, '0')
	}
	if short := len(digits) % 4; short != 0 {
		digits = slices.Insert(digits, 0, []byte("000")[:4-short]...)
	}
	groups := len(digits) / 4
	for _, n := range []uint16{uint16(groups), uint16(int16(groups + exponent/4 - 1)), sign, uint16(scale)} {
		out = binary.BigEndian.AppendUint16(out, n)
	}
	for ; len(digits) > 0; digits = digits[4:] {
		g := digits[:4]
		n := 1000*uint16(g[0]-'0') + 100*uint16(g[1]-'0') + 10*uint16(g[2]-'0') + uint16(g[3]-'0')
		out = binary.BigEndian.AppendUint16(out, n)
	}
	return out
}

// fewDigits fit an int64, of which decimal makes no copy.
const fewDigits = 17

// appendDigits writes the coefficient without its sign.
func appendDigits(out []byte, d decimal.Decimal) []byte {
	if d.NumDigits() <= fewDigits {
		n := d.CoefficientInt64()
		return strconv.AppendInt(out, max(n, -n), 10)
	}
	coefficient := d.Coefficient()
	return append(out, coefficient.Abs(coefficient).String()...)
}
