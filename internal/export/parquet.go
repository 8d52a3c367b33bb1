package export

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	pq "github.com/parquet-go/parquet-go"
)

// Numerics are DECIMAL(38,24) in every file, so that files of different months
// can be read as one table. 24 decimals hold what a sender has multiplied in
// floating point, 14 whole digits any amount and any number of seconds.
const (
	precision = 38
	scale     = 24
)

// group is how much text becomes one row group, which is held in memory,
// compressed, until it is written.
const group = 24 << 20

// parquetEncoder writes Parquet: moments as TIMESTAMP(MICROS, UTC), numerics as
// DECIMAL, documents as JSON, everything nullable, compressed with zstd.
type parquetEncoder struct {
	w        *pq.GenericWriter[any]
	columns  []column
	values   pq.Row
	decimals [][16]byte // one for each column, because values only point to theirs
	gathered int        // bytes of text in the present row group
}

func newParquet(w io.Writer, columns []column) *parquetEncoder {
	fields := ordered{Group: pq.Group{}}
	for _, c := range columns {
		fields.names = append(fields.names, c.name)
		fields.Group[c.name] = pq.Compressed(pq.Optional(leaf(c.kind)), &pq.Zstd)
	}
	// Pages of version 1 are what every reader reads.
	writer := pq.NewGenericWriter[any](w, pq.NewSchema("cdrstore", fields), pq.DataPageVersion(1), pq.CreatedBy("cdrstore", "", ""))
	return &parquetEncoder{w: writer, columns: columns, values: make(pq.Row, len(columns)), decimals: make([][16]byte, len(columns))}
}

func leaf(k kind) pq.Node {
	switch k {
	case moment:
		return pq.Timestamp(pq.Microsecond)
	case number:
		return pq.Decimal(scale, precision, pq.FixedLenByteArrayType(16))
	case integer:
		return pq.Int(64)
	case boolean:
		return pq.Leaf(pq.BooleanType)
	case document:
		return pq.JSON()
	default:
		return pq.String()
	}
}

// ordered is a group of columns in their own order, not the alphabet's.
type ordered struct {
	pq.Group
	names []string
}

// Fields are the columns.
func (o ordered) Fields() []pq.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b pq.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

func (e *parquetEncoder) row(values [][]byte) error {
	for i, c := range e.columns {
		v, level := pq.NullValue(), 0
		if values[i] != nil {
			var err error
			if v, err = e.value(i, values[i]); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			level = 1
		}
		e.values[i] = v.Level(0, level, i)
		e.gathered += len(values[i])
	}
	if _, err := e.w.WriteRows([]pq.Row{e.values}); err != nil {
		return err
	}
	if e.gathered < group {
		return nil
	}
	e.gathered = 0
	return e.w.Flush()
}

func (e *parquetEncoder) close() error { return e.w.Close() }

func (e *parquetEncoder) value(i int, value []byte) (pq.Value, error) {
	switch e.columns[i].kind {
	case moment:
		t, err := time.Parse("2006-01-02 15:04:05.999999-07", string(value))
		if err != nil {
			return pq.Value{}, fmt.Errorf("%s is no moment between the years 0 and 9999", value)
		}
		return pq.Int64Value(t.UnixMicro()), nil
	case number:
		var ok bool
		if e.decimals[i], ok = decimal128(string(value)); !ok {
			return pq.Value{}, fmt.Errorf("%s does not fit DECIMAL(%d,%d), and nothing is rounded", value, precision, scale)
		}
		return pq.FixedLenByteArrayValue(e.decimals[i][:]), nil
	case integer:
		n, err := strconv.ParseInt(string(value), 10, 64)
		return pq.Int64Value(n), err
	case boolean:
		return pq.BooleanValue(string(value) == "t"), nil
	default:
		return pq.ByteArrayValue(value), nil
	}
}

// decimal128 is value times 10^scale as a signed number of 16 bytes, the highest
// first; false where that loses digits or has more than precision of them.
func decimal128(value string) (b [16]byte, ok bool) {
	digits, negative := strings.CutPrefix(value, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if len(whole) > precision-scale || len(fraction) > scale {
		return b, false
	}
	digits = whole + fraction + strings.Repeat("0", scale-len(fraction))
	if strings.Trim(digits, "0123456789") != "" {
		return b, false
	}
	return twosComplement(digits, negative), true
}
