package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// The formats.
const (
	csv     = "csv"
	ndjson  = "ndjson"
	parquet = "parquet"
)

// gzipped is the ending of files that are compressed as they are written.
const gzipped = ".gz"

// buffered is how much text is gathered before it is written.
const buffered = 256 << 10

// Formats are the names of the formats.
func Formats() []string { return []string{csv, ndjson, parquet} }

// encoder writes rows in a format. Values are those of Postgres in text form, in
// the order of the columns; nil is null. They are not kept.
type encoder interface {
	row(values [][]byte) error
	// close writes what is left and the end of the format. It does not close what
	// is written to.
	close() error
}

func newEncoder(w io.Writer, o Options, columns []column) encoder {
	switch o.Format {
	case ndjson:
		return newNDJSON(w, columns)
	case parquet:
		return newParquet(w, columns)
	default:
		return newCSV(w, columns, o.Spreadsheet)
	}
}

// withFormat settles the format.
func (o Options) withFormat() Options {
	if o.Format != "" {
		return o
	}
	switch filepath.Ext(strings.TrimSuffix(o.Output, gzipped)) {
	case ".ndjson", ".jsonl":
		o.Format = ndjson
	case ".parquet":
		o.Format = parquet
	default:
		o.Format = csv
	}
	return o
}

func (o Options) check() error {
	if _, err := o.relation(); err != nil {
		return err
	}
	if o.Output == "" {
		return errors.New("--output: say which file, or - for standard output")
	}
	if !slices.Contains(Formats(), o.Format) {
		return fmt.Errorf("--format: %q is none of %s", o.Format, strings.Join(Formats(), ", "))
	}
	if o.Spreadsheet && o.Format != csv {
		return fmt.Errorf("--excel-safe: only csv is changed for spreadsheets, not %s", o.Format)
	}
	if o.Format == parquet && strings.HasSuffix(o.Output, gzipped) {
		return fmt.Errorf("--output: %s: parquet is compressed in itself and is not read from gzip", o.Output)
	}
	return nil
}

// appendMoment writes a moment that Postgres has written in UTC by RFC 3339, all
// in one width, so that they sort as texts.
func appendMoment(dst, value []byte) ([]byte, error) {
	// 2026-10-01 12:00:00.123456+00
	const seconds = len("2026-10-01 12:00:00")
	clock, utc := bytes.CutSuffix(value, []byte("+00"))
	if !utc || len(clock) < seconds || clock[4] != '-' || clock[10] != ' ' {
		return dst, fmt.Errorf("%s is no moment between the years 0 and 9999", value)
	}
	dst = append(append(append(dst, clock[:10]...), 'T'), clock[11:seconds]...)
	fraction := bytes.TrimPrefix(clock[seconds:], []byte("."))
	dst = append(append(dst, '.'), fraction...)
	for range 6 - len(fraction) {
		dst = append(dst, '0')
	}
	return append(dst, 'Z'), nil
}

// appendBoolean writes Postgres' t or f as true or false.
func appendBoolean(dst, value []byte) []byte {
	if string(value) == "t" {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}
