package export

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/cdrstore/cdrstore/internal/table"
)

// csvEncoder writes CSV by RFC 4180: CRLF, a header, quotes only where they are
// needed. Null is nothing and an empty text is "", as Postgres' COPY has it.
type csvEncoder struct {
	w           *bufio.Writer
	columns     []column
	spreadsheet bool
	begun       bool
	line        []byte
}

func newCSV(w io.Writer, columns []column, spreadsheet bool) *csvEncoder {
	return &csvEncoder{w: bufio.NewWriterSize(w, buffered), columns: columns, spreadsheet: spreadsheet}
}

func (e *csvEncoder) row(values [][]byte) error {
	if err := e.begin(); err != nil {
		return err
	}
	e.line = e.line[:0]
	for i, c := range e.columns {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		if values[i] == nil {
			continue
		}
		if err := e.field(c.kind, values[i]); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	_, err := e.w.Write(append(e.line, "\r\n"...))
	return err
}

func (e *csvEncoder) close() error {
	if err := e.begin(); err != nil {
		return err
	}
	return e.w.Flush()
}

// begin writes the header once, also when there are no rows.
func (e *csvEncoder) begin() error {
	if e.begun {
		return nil
	}
	e.begun = true
	if e.spreadsheet {
		e.line = append(e.line, "\ufeff"...) // else Excel takes the text for the machine's old code page
	}
	for i, c := range e.columns {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		e.line = appendQuoted(e.line, []byte(c.name))
	}
	_, err := e.w.Write(append(e.line, "\r\n"...))
	return err
}

func (e *csvEncoder) field(k kind, value []byte) (err error) {
	switch k {
	case moment:
		e.line, err = appendMoment(e.line, value)
		return err
	case boolean:
		e.line = appendBoolean(e.line, value)
	case number, integer:
		e.line = append(e.line, value...)
	default:
		if e.spreadsheet && table.IsFormula(value) {
			value = append([]byte("'"), value...)
		}
		e.line = appendQuoted(e.line, value)
	}
	return nil
}

func appendQuoted(dst, value []byte) []byte {
	// A line of \. would end the data for Postgres' COPY.
	if len(value) > 0 && !bytes.ContainsAny(value, ",\"\r\n") && string(value) != `\.` {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for _, b := range value {
		if b == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, b)
	}
	return append(dst, '"')
}
