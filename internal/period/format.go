package period

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/internal/table"
)

// The formats of reports. All texts and amounts are strings in JSON, counts are
// numbers; null is null in JSON, empty in CSV and - in a table.
const (
	Table = "table" // for people
	CSV   = "csv"   // with a line of names; the period is in the first columns of each line
	JSON  = "json"  // one object, with the period in it
)

// CheckFormat returns an error for what is not one of the formats.
func CheckFormat(format string) error {
	switch format {
	case Table, CSV, JSON:
		return nil
	}
	return fmt.Errorf("format %q: there are table, csv and json", format)
}

// sheet writes rows of named columns as they come. A cell is a string, an
// int64, a pointer to a string or a bool, or nil.
type sheet struct {
	format  string
	period  *Period // whose rows they are; nil: of several
	columns []string
	out     *bufio.Writer
	table   *tabwriter.Writer
	csv     table.CSV
	rows    int
}

// begin writes the head of a sheet of what, a word.
func begin(w io.Writer, format string, p *Period, what string, columns ...string) (*sheet, error) {
	if err := CheckFormat(format); err != nil {
		return nil, err
	}
	s := &sheet{format: format, period: p, columns: columns, out: bufio.NewWriterSize(w, 64<<10)}
	switch format {
	case Table:
		if _, err := s.out.WriteString(p.title()); err != nil {
			return nil, err
		}
		s.table = tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
		return s, s.line(strings.Split(strings.ReplaceAll(strings.Join(columns, "\t"), "_", " "), "\t"))
	case CSV:
		s.csv = table.NewCSV(s.out)
		if p != nil {
			columns = append([]string{"side", "period"}, columns...)
		}
		return s, s.csv.Write(columns)
	default:
		head, err := p.head()
		if err != nil {
			return nil, err
		}
		_, err = fmt.Fprintf(s.out, "{%s%q:[", head, what)
		return s, err
	}
}

// row writes one row.
func (s *sheet) row(cells ...any) error {
	s.rows++
	if s.format == JSON {
		return s.object(cells)
	}
	var line []string
	if s.format == CSV && s.period != nil {
		line = append(line, s.period.Side, s.period.Name)
	}
	for _, c := range cells {
		line = append(line, s.cell(c))
	}
	if s.format == CSV {
		return s.csv.Write(line)
	}
	return s.line(line)
}

// flush writes what is gathered, so that a long sheet is never held whole.
func (s *sheet) flush() error {
	switch s.format {
	case Table:
		if err := s.table.Flush(); err != nil {
			return err
		}
	case CSV:
		if s.csv.Flush(); s.csv.Error() != nil {
			return s.csv.Error()
		}
	}
	return s.out.Flush()
}

// end writes the rest.
func (s *sheet) end() error {
	if s.format == JSON {
		if _, err := s.out.WriteString("\n]}\n"); err != nil {
			return err
		}
	}
	return s.flush()
}

func (s *sheet) line(cells []string) error {
	_, err := fmt.Fprintln(s.table, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	return err
}

// object writes a row as an object whose keys are in the order of the columns.
func (s *sheet) object(cells []any) error {
	separator := "\n{"
	if s.rows > 1 {
		separator = ",\n{"
	}
	for i, c := range cells {
		value, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(s.out, "%s%q:%s", separator, s.columns[i], value); err != nil {
			return err
		}
		separator = ","
	}
	return s.out.WriteByte('}')
}

func (s *sheet) cell(c any) string {
	none := ""
	if s.format == Table {
		none = "-"
	}
	written := none
	switch v := c.(type) {
	case string:
		written = v
	case int64:
		written = strconv.FormatInt(v, 10)
	case *string:
		if v != nil {
			written = *v
		}
	case *bool:
		if v != nil {
			written = strconv.FormatBool(*v)
		}
	}
	if s.format == Table {
		return strings.Map(printable, written)
	}
	return written
}

// printable keeps what a provider sent from breaking the lines of a table.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// title is the period for people; nothing for none.
func (p *Period) title() string {
	if p == nil {
		return ""
	}
	closed, digest := "not closed: this is what closing it now would write", ""
	if !p.ClosedAt.IsZero() {
		closed, digest = "closed at "+*moment(p.ClosedAt), "digest "+p.Digest+"\n"
	}
	return fmt.Sprintf("%s %s (%s), from %s to %s\n%s, %d lines\n%s\n", p.Side, p.Name, p.Zone, *moment(p.From), *moment(p.To), closed, p.Lines, digest)
}

// head is the period as a member of an object, with a comma; nothing for none.
func (p *Period) head() (string, error) {
	if p == nil {
		return "", nil
	}
	value, err := json.Marshal(struct {
		Side      string  `json:"side"`
		Name      string  `json:"name"`
		Zone      string  `json:"tz"`
		From      *string `json:"from"`
		To        *string `json:"to"`
		NotBefore *string `json:"not_before"`
		ClosedAt  *string `json:"closed_at"`
		Lines     int64   `json:"lines"`
		Content   string  `json:"lines_digest"`
		Previous  *string `json:"previous_digest"`
		Digest    string  `json:"digest"`
	}{p.Side, p.Name, p.Zone, moment(p.From), moment(p.To), moment(p.NotBefore), moment(p.ClosedAt), p.Lines,
		p.LinesDigest, text(pgtype.Text{String: p.PreviousDigest, Valid: p.PreviousDigest != ""}), p.Digest})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%q:%s,\n", "period", value), nil
}
