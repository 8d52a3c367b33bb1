// Package report runs the report functions of the database (usage, kpi,
// concurrency, completeness) and writes their rows as a table, CSV or JSON. The
// numbers are made in SQL, in the migrations; here are only words and formats.
// It also keeps the sums up to date that function usage reads.
//
// It imports span and pgx only, and not store: what is read here is read whole.
package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/span"
)

// Request says which report is wanted.
type Request struct {
	// Kind is usage, tax, kpi, concurrency or completeness.
	Kind string
	// From and To are the ends of the span as internal/span reads them; To is
	// exclusive. Empty: from this month's start, until now.
	From, To string
	// Zone is a name of the tz database; empty: UTC.
	Zone string
	// By lists dimensions, and may hold hour, day or month, which is a bucket.
	By []string
	// Bucket is hour, day, month or all; empty: that of By, else all.
	Bucket string
	// Source is the only source that counts; empty: all.
	Source string
	// Format is table, csv or json.
	Format string
}

// Kinds lists the reports.
func Kinds() []string { return []string{"usage", "tax", "kpi", "concurrency", "completeness"} }

// HasBuckets reports whether a report can be by hour, day or month.
func HasBuckets(kind string) bool { return kind == "usage" || kind == "tax" || kind == "kpi" }

// Dimensions lists by what reports can be told apart.
func Dimensions() []string {
	return []string{"source", "provider", "account", "trunk", "direction", "country"}
}

// Buckets lists the pieces of time that usage and kpi know.
func Buckets() []string { return []string{"hour", "day", "month", "all"} }

// Formats lists how a report can be written.
func Formats() []string { return []string{"table", "csv", "json"} }

// Check returns what is wrong with a request, before a database is asked.
func Check(r Request, now time.Time) error {
	_, err := newPlan(r, now)
	return err
}

// Run writes a report. Nothing is written where the request is wrong. Times are
// relative to now.
func Run(ctx context.Context, pool *pgxpool.Pool, r Request, now time.Time, out io.Writer) error {
	p, err := newPlan(r, now)
	if err != nil {
		return err
	}
	rows, err := pool.Query(ctx, p.sql(), p.args...)
	if err != nil {
		return fmt.Errorf("report %s: %w", r.Kind, err)
	}
	defer rows.Close()
	w := p.writer(out)
	n := 0
	for ; rows.Next(); n++ {
		cells, err := texts(rows, len(p.columns))
		if err != nil {
			return fmt.Errorf("report %s: %w", r.Kind, err)
		}
		if n == 0 {
			if err := w.head(p.columns); err != nil {
				return err
			}
		}
		if err := w.row(cells); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("report %s: %w", r.Kind, err)
	}
	if n == 0 {
		if err := checkSource(ctx, pool, r.Source); err != nil {
			return err
		}
		if err := w.head(p.columns); err != nil {
			return err
		}
	}
	return w.end()
}

// texts reads a row whose columns are all text.
func texts(rows pgx.Rows, n int) ([]*string, error) {
	cells := make([]*string, n)
	targets := make([]any, n)
	for i := range cells {
		targets[i] = &cells[i]
	}
	return cells, rows.Scan(targets...)
}

// checkSource tells a source without calls from a name that was misspelt.
func checkSource(ctx context.Context, pool *pgxpool.Pool, name string) error {
	if name == "" {
		return nil
	}
	rows, err := pool.Query(ctx, "SELECT name FROM source ORDER BY name")
	if err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("--source: there is no source %q; there are: %s", name, strings.Join(names, ", "))
}

// plan is a checked request.
type plan struct {
	Request
	span    span.Span
	bucket  string
	by      []string // dimensions to show
	columns []column
	args    []any
}

func newPlan(r Request, now time.Time) (*plan, error) {
	p := &plan{Request: r}
	if !slices.Contains(Kinds(), r.Kind) {
		return nil, unknown("report", r.Kind, Kinds())
	}
	if !slices.Contains(Formats(), r.Format) {
		return nil, unknown("--format", r.Format, Formats())
	}
	if r.Bucket != "" && !slices.Contains(Buckets(), r.Bucket) {
		return nil, unknown("--bucket", r.Bucket, Buckets())
	}
	if err := p.readBy(); err != nil {
		return nil, err
	}
	if err := p.checkKind(); err != nil {
		return nil, err
	}
	if p.From == "" {
		p.From = "this-month"
	}
	if p.To == "" {
		p.To = "now"
	}
	if p.Zone == "" {
		p.Zone = "UTC"
	}
	var err error
	if p.span, err = span.Parse(p.From, p.To, p.Zone, now); err != nil {
		return nil, err
	}
	p.columns = columnsOf(r.Kind, p.by)
	return p, p.bind()
}

func unknown(what, word string, known []string) error {
	return fmt.Errorf("%s: %q is unknown; write one of %s", what, word, strings.Join(known, ", "))
}

// readBy tells dimensions and a bucket apart.
func (p *plan) readBy() error {
	p.bucket = p.Bucket
	for _, word := range p.By {
		word = strings.TrimSpace(word)
		switch {
		case word == "dst_country":
			p.addBy("country")
		case slices.Contains(Dimensions(), word):
			p.addBy(word)
		case word != "all" && slices.Contains(Buckets(), word):
			if p.bucket != "" && p.bucket != word {
				return fmt.Errorf("--by: %s and %s are two buckets; write one", p.bucket, word)
			}
			p.bucket = word
		default:
			return unknown("--by", word, append(Dimensions(), "hour", "day", "month"))
		}
	}
	return nil
}

func (p *plan) addBy(dimension string) {
	if !slices.Contains(p.by, dimension) {
		p.by = append(p.by, dimension)
	}
}

// checkKind refuses what a report cannot be told apart by.
func (p *plan) checkKind() error {
	switch {
	case p.Kind == "concurrency" && p.bucket != "":
		return fmt.Errorf("report concurrency is by the minute: leave out %s", p.bucket)
	case p.Kind == "completeness" && len(p.by) > 0 && !slices.Equal(p.by, []string{"source"}), p.Kind == "completeness" && p.bucket != "":
		return errors.New("report completeness is by source: leave out --by and --bucket")
	case p.bucket == "":
		p.bucket = "all"
	}
	return nil
}

// bind makes the arguments of the SQL function. It takes wall clock times, which
// do not always name one moment.
func (p *plan) bind() error {
	from, err := p.wall("--from", p.span.From)
	if err != nil {
		return err
	}
	to, err := p.wall("--to", p.span.To)
	if err != nil {
		return err
	}
	p.args = []any{from, to}
	if HasBuckets(p.Kind) {
		p.args = append(p.args, p.bucket)
	}
	p.args = append(p.args, p.Zone)
	if p.Kind != "completeness" {
		dimensions := slices.Clone(p.by)
		if p.Source != "" && !slices.Contains(dimensions, "source") {
			dimensions = append(dimensions, "source")
		}
		p.args = append(p.args, dimensions)
	}
	if p.Source != "" {
		p.args = append(p.args, p.Source)
	}
	return nil
}

func (p *plan) wall(flag string, at time.Time) (string, error) {
	text := at.Format("2006-01-02T15:04:05.999999")
	again, err := span.Parse(text, "", p.Zone, at)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	if !again.From.Equal(at.Truncate(time.Microsecond)) {
		return "", fmt.Errorf("%s: the clocks of %s show %s twice, and this is the second time; write both ends in UTC, with --tz UTC",
			flag, p.Zone, at.Format("2006-01-02 15:04"))
	}
	return text, nil
}
