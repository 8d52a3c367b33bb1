package cookbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// table is the answer of a query, in the server's texts.
type table struct {
	columns []string
	right   []bool // numbers are printed to the right
	rows    [][]string
}

func isNumber(oid uint32) bool {
	return slices.Contains([]uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.OIDOID}, oid)
}

// String prints a table as psql's aligned format does, without the blanks at the
// end of lines.
func (t table) String() string {
	widths := make([]int, len(t.columns))
	for i, name := range t.columns {
		widths[i] = utf8.RuneCountInString(name)
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	line := func(cell func(i int) string, between string) {
		cells := make([]string, len(t.columns))
		for i := range cells {
			cells[i] = cell(i)
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, between), " ") + "\n")
	}
	line(func(i int) string {
		room := widths[i] - utf8.RuneCountInString(t.columns[i])
		return strings.Repeat(" ", 1+room/2) + t.columns[i] + strings.Repeat(" ", 1+room-room/2)
	}, "|")
	line(func(i int) string { return strings.Repeat("-", widths[i]+2) }, "+")
	for _, row := range t.rows {
		line(func(i int) string {
			room := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(row[i]))
			if t.right[i] {
				return " " + room + row[i] + " "
			}
			return " " + row[i] + room + " "
		}, "|")
	}
	fmt.Fprintf(&b, "(%d row%s)\n", len(t.rows), map[bool]string{false: "s"}[len(t.rows) == 1])
	return b.String()
}

// where returns the rows that have a value in a column.
func (t table) where(column, value string) table {
	i := slices.Index(t.columns, column)
	t.rows = slices.DeleteFunc(slices.Clone(t.rows), func(row []string) bool { return row[i] != value })
	return t
}

// column returns the values of a column by the values of others, which must tell
// the rows apart.
func (t table) column(name string, by ...string) map[string]string {
	values := map[string]string{}
	for _, row := range t.rows {
		var parts []string
		for _, k := range by {
			parts = append(parts, row[slices.Index(t.columns, k)])
		}
		key := strings.Join(parts, "/")
		if _, twice := values[key]; twice {
			values[key] = "more than one row" // which is no amount
			continue
		}
		values[key] = row[slices.Index(t.columns, name)]
	}
	return values
}

func (d *demo) withConn(f func(context.Context, *pgx.Conn) error) func(*pgxpool.Conn) error {
	return func(c *pgxpool.Conn) error { return f(d.Context(), c.Conn()) }
}
