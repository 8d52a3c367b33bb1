package export

import (
	"encoding/binary"
	"math/bits"
)

// twosComplement is a number of at most 38 decimal digits, which 127 bits hold.
func twosComplement(digits string, negative bool) (b [16]byte) {
	var high, low uint64
	for _, d := range []byte(digits) {
		carry, product := bits.Mul64(low, 10)
		var more uint64
		low, more = bits.Add64(product, uint64(d-'0'), 0)
		high = high*10 + carry + more
	}
	if negative {
		var borrow uint64
		low, borrow = bits.Sub64(0, low, 0)
		high, _ = bits.Sub64(0, high, borrow)
	}
	binary.BigEndian.PutUint64(b[:8], high)
	binary.BigEndian.PutUint64(b[8:], low)
	return b
}
