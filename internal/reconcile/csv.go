package reconcile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cdrstore/cdrstore/internal/provider/didww"
	"github.com/cdrstore/cdrstore/internal/record"
)

// maxRow is over how many lines a row of a CSV file may go, quoted.
const maxRow = 100

// isCSV reports whether a file begins with a line of column names: not with
// JSON, and neither is its second line.
func isCSV(start []byte) bool {
	first, rest, _ := bytes.Cut(bytes.TrimSpace(start), []byte("\n"))
	second := bytes.TrimSpace(rest)
	if len(second) > 0 && second[0] == '{' || first[0] == '{' || first[0] == '[' {
		return false
	}
	return bytes.ContainsAny(first, ",;\t") && !bytes.ContainsAny(first, "=&")
}

// table is a CSV file whose header was read.
type table struct {
	name     string
	kind     string // the adapter's word for its rows
	columns  []string
	callIDAt int
	comma    rune
	point    byte // what stands before decimals in this file, . or ,; 0 until a number has one
}

// csv reads a record from each row.
func (r *reading) csv(name string, in *lines) error {
	if r.adapter.Header == nil {
		return fmt.Errorf("this looks like CSV, and no CSV export of %s is known: take the records as JSON, one a line", r.Source.Provider)
	}
	t, err := r.header(name, in)
	if err != nil {
		return fmt.Errorf("line %d: %w", in.n, err)
	}
	for {
		line := in.n + 1
		cells, err := row(in, t.comma)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil && len(cells) == 0: // an empty line
			continue
		case err == nil && len(cells) != len(t.columns):
			err = fmt.Errorf("%d fields, the header has %d", len(cells), len(t.columns))
		}
		if err == nil {
			err = t.decimals(cells)
		}
		var bad badRow
		switch {
		case err == nil:
			object, keyed := t.object(cells)
			err = r.decode(name, line, t.kind, keyed, object)
		case errors.As(err, &bad) || len(cells) > 0 || errors.Is(err, errLong):
			err = r.unreadable(name, line, err)
		}
		if err != nil {
			return err
		}
	}
}

func (r *reading) header(name string, in *lines) (table, error) {
	first, err := in.next()
	for err == nil && len(bytes.TrimSpace(first)) == 0 {
		first, err = in.next()
	}
	if err != nil {
		return table{}, err
	}
	t := table{name: name, comma: commaOf(first)}
	in.again([][]byte{first})
	cells, err := row(in, t.comma)
	if err != nil {
		return table{}, err
	}
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" {
			c = fmt.Sprintf("column %d", i+1)
		}
		for slices.Contains(t.columns, c) {
			c += " again"
		}
		t.columns = append(t.columns, c)
	}
	t.kind, t.callIDAt, err = r.adapter.Header(t.columns)
	return t, err
}

// commaOf returns what separates the columns: spreadsheets save semicolons or
// tabs in some countries.
func commaOf(header []byte) rune {
	best, most := ',', bytes.Count(header, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// decimals writes the decimal commas of a row as points. One file has one of both:
// a number with the other is a fault, and so is the first one with a comma before
// three digits, which may as well be thousands.
func (t *table) decimals(cells []string) error {
	for i, cell := range cells {
		at := strings.IndexAny(cell, ".,")
		if at <= 0 || i == t.callIDAt || strings.Trim(strings.TrimPrefix(cell, "-"), "0123456789") != cell[at:at+1] {
			continue // no number, or one that the adapter rejects
		}
		point, digits := cell[at], len(cell)-at-1
		switch {
		case t.point == 0 && point == ',' && digits == 3:
			return badRow{fmt.Errorf("column %q: %s may be a decimal comma or thousands", t.columns[i], cell)}
		case t.point != 0 && point != t.point:
			return badRow{fmt.Errorf("column %q: %s, where the lines before write numbers with %q", t.columns[i], cell, t.point)}
		}
		t.point = point
		cells[i] = cell[:at] + "." + cell[at+1:]
	}
	return nil
}

// badRow is why a row could not be told into cells.
type badRow struct{ error }

// row reads a row, which may go over several lines where a cell is quoted. Where
// a quote is never closed it gives up the first line alone.
func row(in *lines, comma rune) ([]string, error) {
	var taken [][]byte
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, io.EOF) && len(taken) == 0, err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case errors.Is(err, io.EOF), len(taken) == maxRow:
			if err == nil {
				taken = append(taken, line)
			}
			in.again(slices.Clone(taken[1:]))
			return nil, badRow{errors.New("a quote is not closed")}
		}
		taken = append(taken, line)
		text := bytes.Join(taken, []byte("\n"))
		if bytes.Count(text, []byte(`"`))%2 != 0 {
			continue
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return nil, nil
		}
		reader := csv.NewReader(bytes.NewReader(text))
		reader.Comma, reader.FieldsPerRecord = comma, -1
		cells, err := reader.Read()
		if err != nil {
			return nil, badRow{withoutPlace(err)}
		}
		return cells, nil
	}
}

// withoutPlace takes off where in a row an error is: the line is of the file.
func withoutPlace(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.Err
	}
	return err
}

// object writes a row as a JSON object of column names and texts, in the order
// of the columns. It returns false where the row does not name its call.
func (t *table) object(cells []string) (object []byte, keyed bool) {
	keyed = t.callIDAt >= 0 && !record.IsPlaceholder(strings.TrimSpace(cells[t.callIDAt]))
	names := t.columns
	if !keyed {
		cells = slices.Clone(cells)
		if t.callIDAt >= 0 {
			cells[t.callIDAt] = didww.NoCallID
		} else {
			names, cells = append(slices.Clip(names), "Call ID"), append(cells, didww.NoCallID)
		}
	}
	for i, name := range names {
		object = append(object, "{,"[min(i, 1)])
		object = appendText(object, name)
		object = append(object, ':')
		object = appendText(object, cells[i])
	}
	return append(object, '}'), keyed
}

func appendText(out []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always marshals
	}
	return append(out, quoted...)
}
