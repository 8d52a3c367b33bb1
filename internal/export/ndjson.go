package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// ndjsonEncoder writes one JSON object a line with all columns, null ones too.
// Numerics are numbers with all their digits.
type ndjsonEncoder struct {
	w       *bufio.Writer
	columns []column
	names   []string // each with what stands before its value
	line    bytes.Buffer
}

func newNDJSON(w io.Writer, columns []column) *ndjsonEncoder {
	e := &ndjsonEncoder{w: bufio.NewWriterSize(w, buffered), columns: columns}
	before := "{"
	for _, c := range columns {
		e.names = append(e.names, string(appendJSON([]byte(before), []byte(c.name)))+":")
		before = ","
	}
	return e
}

func (e *ndjsonEncoder) row(values [][]byte) error {
	e.line.Reset()
	for i, c := range e.columns {
		e.line.WriteString(e.names[i])
		if err := e.value(c.kind, values[i]); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	e.line.WriteString("}\n")
	_, err := e.w.Write(e.line.Bytes())
	return err
}

func (e *ndjsonEncoder) close() error { return e.w.Flush() }

func (e *ndjsonEncoder) value(k kind, value []byte) error {
	space := e.line.AvailableBuffer()
	switch {
	case value == nil:
		e.line.WriteString("null")
	case k == document:
		return json.Compact(&e.line, value) // what was sent may have line ends in it
	case k == boolean:
		e.line.Write(appendBoolean(space, value))
	case k == number && !isDigits(value):
		return fmt.Errorf("JSON has no number %s", value)
	case k == number, k == integer:
		e.line.Write(value)
	case k == moment:
		quoted, err := appendMoment(append(space, '"'), value)
		e.line.Write(append(quoted, '"'))
		return err
	default:
		e.line.Write(appendJSON(space, value))
	}
	return nil
}

// isDigits is false for NaN and the infinities.
func isDigits(number []byte) bool {
	last := number[len(number)-1]
	return '0' <= last && last <= '9'
}

// appendJSON writes valid UTF-8 as a JSON string.
func appendJSON(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, b := range value {
		switch {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b == '\n':
			dst = append(dst, `\n`...)
		case b < ' ':
			dst = fmt.Appendf(dst, `\u%04x`, b)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
