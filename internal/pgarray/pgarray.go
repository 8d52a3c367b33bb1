// Package pgarray builds parameters of Postgres' array types in their binary form
// while rows are walked through: one growing buffer for each column, where slices
// of pointers would cost an allocation and a look-up for each element. They are
// the columns of rows, for unnest side by side: a statement must have one column
// at least that is not null everywhere.
//
// It knows Postgres' formats and nothing of the service. Generated code has its
// types by the overrides in sqlc.yaml; Register lets a connection take them.
package pgarray

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
)

// array is what all columns have in common: elements as Postgres reads them, each
// behind its length.
type array struct {
	elements []byte
	count    int
	nulls    int // how many of them are null
}

// column is an array, or nil before its first element. It is no more than a
// pointer, so that pgx, which takes any, gets it without an allocation.
type column struct{ *array }

// Len is how many elements there are.
func (c column) Len() int {
	if c.array == nil {
		return 0
	}
	return c.count
}

// size is how many bytes it takes as a parameter.
func (c column) size() int {
	if c.array == nil {
		return headerSize
	}
	return headerSize + len(c.elements)
}

// headerSize is what stands before the elements, in bytes.
const headerSize = 5 * 4

// Grow makes room for so many elements that hold so many bytes.
func (c *column) Grow(elements, bytes int) {
	c.begin()
	c.elements = slices.Grow(c.elements, 4*elements+bytes)
}

func (c *column) begin() {
	if c.array == nil {
		c.array = new(array)
	}
}

func (c *column) null() {
	c.begin()
	c.elements = binary.BigEndian.AppendUint32(c.elements, ^uint32(0)) // length -1
	c.count++
	c.nulls++
}

// head begins an element of a known length, and makes room for it: twice as much
// as there is, where append would copy a long array again for each quarter.
func (c *column) head(length int) {
	c.begin()
	if cap(c.elements)-len(c.elements) < 4+length {
		c.elements = slices.Grow(c.elements, max(4+length, len(c.elements)))
	}
	c.elements = binary.BigEndian.AppendUint32(c.elements, uint32(length))
	c.count++
}

// empty takes the elements out and keeps their room, if it is no more than atMost
// bytes.
func (c *column) empty(atMost int) {
	switch {
	case c.array == nil:
	case cap(c.elements) > atMost:
		c.array = nil
	default:
		*c.array = array{elements: c.elements[:0]}
	}
}

// encode writes the array as array_recv reads it. One of nothing but nulls goes
// without them: of several columns unnest fills up the shorter ones, and many of
// a call's columns say nothing in a whole batch of CDRs.
func (c column) encode(out []byte, element uint32) []byte {
	flags, dimensions, count := uint32(0), uint32(1), c.Len()
	if count == 0 || count == c.nulls {
		dimensions, count = 0, 0
	} else if c.nulls > 0 {
		flags = 1
	}
	out = binary.BigEndian.AppendUint32(out, dimensions)
	out = binary.BigEndian.AppendUint32(out, flags)
	out = binary.BigEndian.AppendUint32(out, element)
	if count == 0 {
		return out
	}
	out = binary.BigEndian.AppendUint32(out, uint32(count))
	out = binary.BigEndian.AppendUint32(out, 1) // the first index
	return append(out, c.elements...)
}

// Texts is text[].
type Texts struct{ column }

// Append adds a text.
func (a *Texts) Append(s string) {
	a.head(len(s))
	a.elements = append(a.elements, s...)
}

// AppendBytes adds a text that is not a string yet.
func (a *Texts) AppendBytes(b []byte) {
	a.head(len(b))
	a.elements = append(a.elements, b...)
}

// AppendOrNull adds a text, or null for an empty one.
func (a *Texts) AppendOrNull(s string) {
	if s == "" {
		a.null()
		return
	}
	a.Append(s)
}

// AppendNull adds null.
func (a *Texts) AppendNull() { a.null() }

// UUIDs is uuid[].
type UUIDs struct{ column }

// Append adds a UUID.
func (a *UUIDs) Append(id [16]byte) {
	a.head(len(id))
	a.elements = append(a.elements, id[:]...)
}

// Times is timestamptz[].
type Times struct{ column }

// epoch of Postgres, 2000-01-01 UTC, in microseconds since 1970.
const epoch = 946_684_800_000_000

// Append adds a moment, to the microsecond, or null for the zero time.
func (a *Times) Append(at time.Time) {
	if at.IsZero() {
		a.null()
		return
	}
	a.head(8)
	a.elements = binary.BigEndian.AppendUint64(a.elements, uint64(at.UnixMicro()-epoch))
}

// Int4s is integer[].
type Int4s struct{ column }

// Append adds a number. It must fit.
func (a *Int4s) Append(n int) {
	a.head(4)
	a.elements = binary.BigEndian.AppendUint32(a.elements, uint32(int32(n)))
}

// AppendOrNull adds a number, or null for nil.
func (a *Int4s) AppendOrNull(n *int) {
	if n == nil {
		a.null()
		return
	}
	a.Append(*n)
}

// AppendCode adds a number, or null for 0.
func (a *Int4s) AppendCode(n int) {
	if n == 0 {
		a.null()
		return
	}
	a.Append(n)
}

// Int8s is bigint[].
type Int8s struct{ column }

// Append adds a number.
func (a *Int8s) Append(n int64) {
	a.head(8)
	a.elements = binary.BigEndian.AppendUint64(a.elements, uint64(n))
}

// Bools is boolean[].
type Bools struct{ column }

// AppendOrNull adds a boolean, or null for nil.
func (a *Bools) AppendOrNull(b *bool) {
	if b == nil {
		a.null()
		return
	}
	a.head(1)
	if *b {
		a.elements = append(a.elements, 1)
	} else {
		a.elements = append(a.elements, 0)
	}
}

// Decimals is numeric[].
type Decimals struct{ column }

// AppendOrNull adds a decimal without its trailing zeros, or null. What numeric
// cannot hold is left to Postgres to refuse.
func (a *Decimals) AppendOrNull(d decimal.NullDecimal) {
	if !d.Valid {
		a.null()
		return
	}
	a.begin()
	at := len(a.elements)
	a.head(0)
	a.elements = appendNumeric(a.elements, d.Decimal)
	binary.BigEndian.PutUint32(a.elements[at:], uint32(len(a.elements)-at-4))
}

// Register lets a connection's types take the arrays of this package. What they
// took before they still take.
func Register(m *pgtype.Map) {
	if t, ok := m.TypeForOID(pgtype.TextArrayOID); ok {
		if _, done := t.Codec.(codec); done {
			return
		}
	}
	for oid, element := range map[uint32]uint32{
		pgtype.TextArrayOID: pgtype.TextOID, pgtype.UUIDArrayOID: pgtype.UUIDOID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID,
		pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.BoolArrayOID: pgtype.BoolOID,
		pgtype.NumericArrayOID: pgtype.NumericOID,
	} {
		if t, ok := m.TypeForOID(oid); ok {
			m.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: codec{t.Codec, element}})
		}
	}
}

// codec takes the arrays of this package beside what another codec takes.
type codec struct {
	pgtype.Codec
	element uint32
}

type encodable interface {
	size() int
	encode(out []byte, element uint32) []byte
}

// PlanEncode is pgx's question how to write a value.
func (c codec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(encodable); ok && format == pgtype.BinaryFormatCode {
		return plan{c.element}
	}
	return c.Codec.PlanEncode(m, oid, format, value)
}

type plan struct{ element uint32 }

// Encode writes a value.
func (p plan) Encode(value any, out []byte) ([]byte, error) {
	return value.(encodable).encode(out, p.element), nil
}
