package report

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Result is a report that was read for a page.
type Result struct {
	Columns []string
	Numeric []bool // of each column: counts, seconds, amounts
	// Rows hold texts as in CSV: moments in UTC, null as nil.
	Rows [][]*string
	// More says that there are rows beyond those that were asked for.
	More bool
	// From is the first moment that counts, To the first that no longer does.
	From, To time.Time
}

// Read runs a report and returns at most atMost of its rows. The format of the
// request does not matter. Times are relative to now.
func Read(ctx context.Context, pool *pgxpool.Pool, r Request, now time.Time, atMost int) (Result, error) {
	r.Format = "csv"
	p, err := newPlan(r, now)
	if err != nil {
		return Result{}, err
	}
	result := Result{From: p.span.From, To: p.span.To}
	for _, c := range p.columns {
		result.Columns = append(result.Columns, c.name)
		result.Numeric = append(result.Numeric, c.form == asCount || c.form == asDecimal)
	}
	rows, err := pool.Query(ctx, fmt.Sprintf("%s LIMIT %d", p.sql(), atMost+1), p.args...)
	if err != nil {
		return Result{}, fmt.Errorf("report %s: %w", r.Kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		if len(result.Rows) == atMost {
			result.More = true
			break
		}
		cells, err := texts(rows, len(p.columns))
		if err != nil {
			return Result{}, fmt.Errorf("report %s: %w", r.Kind, err)
		}
		result.Rows = append(result.Rows, cells)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return Result{}, fmt.Errorf("report %s: %w", r.Kind, err)
	}
	return result, nil
}

// Statement is the SQL of a report with its arguments written out, for people to
// run elsewhere. Words such as today are moments in it.
func Statement(r Request, now time.Time) (string, error) {
	r.Format = "csv"
	p, err := newPlan(r, now)
	if err != nil {
		return "", err
	}
	// In the order of bind; the filter is no argument of the function.
	arguments := p.args
	filter := ""
	if p.Source != "" {
		arguments = arguments[:len(arguments)-1]
		filter = "\nWHERE source = " + literal(p.Source)
	}
	var written []string
	for _, a := range arguments {
		switch a := a.(type) {
		case string:
			written = append(written, literal(a))
		case []string:
			for _, dimension := range a {
				written = append(written, literal(dimension))
			}
		}
	}
	return fmt.Sprintf("SELECT *\nFROM %s(%s)%s;", p.Kind, strings.Join(written, ", "), filter), nil
}

// literal writes a text for SQL; it is right whatever standard_conforming_strings
// says.
func literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// Brief writes the first of a column of causes or gaps in words.
func Brief(list string) string { return brief(list) }
