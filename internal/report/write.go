package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cdrstore/cdrstore/internal/table"
)

// writer writes a report in one format. head comes once, before all rows.
type writer interface {
	head(columns []column) error
	row(cells []*string) error
	end() error
}

func (p *plan) writer(out io.Writer) writer {
	switch p.Format {
	case "csv":
		return &csvWriter{table.NewCSV(out)}
	case "json":
		return &jsonWriter{out: bufio.NewWriter(out)}
	}
	return newTableWriter(p, out)
}

// csvWriter writes RFC 4180, null as nothing.
type csvWriter struct{ out table.CSV }

func (w *csvWriter) head(columns []column) error {
	w.out.UseCRLF = true
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return w.out.Write(names)
}

func (w *csvWriter) row(cells []*string) error {
	fields := make([]string, len(cells))
	for i, c := range cells {
		if c != nil {
			fields[i] = *c
		}
	}
	return w.out.Write(fields)
}

func (w *csvWriter) end() error {
	w.out.Flush()
	return w.out.Error()
}

// jsonWriter writes an array of objects: counts as numbers, decimals as text, so
// that no reader makes a float of an amount.
type jsonWriter struct {
	out     *bufio.Writer
	columns []column
	rows    int
}

func (w *jsonWriter) head(columns []column) error {
	w.columns = columns
	return w.out.WriteByte('[')
}

func (w *jsonWriter) row(cells []*string) error {
	separator := ",\n {"
	if w.rows == 0 {
		separator = "\n {"
	}
	w.rows++
	if _, err := w.out.WriteString(separator); err != nil {
		return err
	}
	for i, c := range w.columns {
		comma := ","
		if i == 0 {
			comma = ""
		}
		value, err := jsonValue(c.form, cells[i])
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w.out, "%s%q:%s", comma, c.name, value); err != nil {
			return err
		}
	}
	return w.out.WriteByte('}')
}

func jsonValue(f form, cell *string) ([]byte, error) {
	switch {
	case cell == nil:
		return []byte("null"), nil
	case f == asCount, f == asDocument:
		return []byte(*cell), nil
	}
	return json.Marshal(*cell)
}

func (w *jsonWriter) end() error {
	if _, err := w.out.WriteString("\n]\n"); err != nil {
		return err
	}
	return w.out.Flush()
}
