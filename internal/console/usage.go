package console

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/money"
	"github.com/cdrstore/cdrstore/internal/report"
)

// maxReportRows is how many rows of a report one page shows.
const maxReportRows = 1000

// usagePage is a report, and the form that chooses it.
type usagePage struct {
	report.Request
	Kinds      []choice
	Buckets    []choice // none: the report knows none
	Dimensions []choice // none: the report knows none
	Sources    []choice
	SQL        string
	Problem    string // why there is no report; empty: there is one
	Result     report.Result
	Head       []string
	Cells      [][]reportCell
	Sums       []string // of the costs, by currency
	Plots      []picture
	MaxRows    int
}

// choice is what a form offers.
type choice struct {
	Value, Label string
	Chosen       bool
}

// reportCell is a value of a report as people read it.
type reportCell struct {
	Text    string
	Numeric bool
	Long    bool // a list in words
}

// usage shows the reports.
func (c *Console) usage(w http.ResponseWriter, r *http.Request, v *view) error {
	v.Title = "Usage"
	p := &usagePage{Request: requestOf(v), MaxRows: maxReportRows}
	sources, err := c.q.Sources(r.Context())
	if err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	p.Sources = []choice{{"", "all", p.Source == ""}}
	for _, s := range sources {
		p.Sources = append(p.Sources, choice{s.Name, s.Name, s.Name == p.Source})
	}
	p.offer()
	if p.SQL, err = report.Statement(p.Request, v.Now); err != nil {
		p.refuse(v, err)
		return c.show(w, v, "usage", p)
	}
	p.Result, err = report.Read(r.Context(), c.Pool, p.Request, v.Now, maxReportRows)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "22023" {
		p.refuse(v, errors.New(refused.Message))
		return c.show(w, v, "usage", p)
	}
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	p.fill(v)
	return c.show(w, v, "usage", p)
}

// refuse says what is wrong with the form, in the words of the form.
func (p *usagePage) refuse(v *view, err error) {
	v.Status = http.StatusBadRequest
	text := strings.NewReplacer("--from", "From", "--to", "To", "--tz", "Zone", "--by", "Split by", "--bucket", "Bucket").Replace(err.Error())
	p.Problem = strings.ToUpper(text[:1]) + text[1:] + "."
}

// requestOf reads the form. What was not chosen is this month by day.
func requestOf(v *view) report.Request {
	q := v.query
	r := report.Request{
		Kind: q.Get("report"), From: strings.TrimSpace(q.Get("from")), To: strings.TrimSpace(q.Get("to")), Zone: v.TZ,
		Bucket: q.Get("bucket"), Source: q.Get("source"), By: q["by"],
	}
	if r.Kind == "" {
		r.Kind = "usage"
	}
	if r.From == "" {
		r.From = "this-month"
		if r.Kind == "concurrency" {
			r.From = "today"
		}
	}
	if r.To == "" {
		r.To = "now"
	}
	switch r.Kind {
	case "completeness":
		r.Bucket, r.By = "", nil
	case "concurrency":
		r.Bucket = ""
	default:
		if r.Bucket == "" {
			r.Bucket = "day"
		}
	}
	return r
}

// offer lists what the form offers for this report.
func (p *usagePage) offer() {
	labels := map[string]string{
		"usage": "Usage and cost", "tax": "Net, tax and gross", "kpi": "Quality (ASR, NER, ACD)", "concurrency": "Simultaneous calls", "completeness": "Completeness",
		"all": "all in one", "country": "country of the called",
	}
	list := func(values []string, chosen ...string) (offered []choice) {
		for _, value := range values {
			label := labels[value]
			if label == "" {
				label = value
			}
			offered = append(offered, choice{value, label, slices.Contains(chosen, value)})
		}
		return offered
	}
	p.Kinds = list(report.Kinds(), p.Kind)
	if p.Kind != "completeness" {
		p.Dimensions = list(report.Dimensions(), p.By...)
	}
	if report.HasBuckets(p.Kind) {
		p.Buckets = list(report.Buckets(), p.Bucket)
	}
}

// fill writes the rows for people and draws their plots.
func (p *usagePage) fill(v *view) {
	var columns []int
	for i, name := range p.Result.Columns {
		switch {
		case name == "bucket_start", name == "minute", name == "bucket_local" && p.Bucket == "all":
			continue
		case name == "bucket_local":
			name = p.Bucket
		case name == "minute_local":
			name = "minute"
		}
		columns = append(columns, i)
		p.Head = append(p.Head, strings.ReplaceAll(name, "_", " "))
	}
	for _, values := range p.Result.Rows {
		var cells []reportCell
		for _, i := range columns {
			cells = append(cells, reportCell{p.read(v, i, values), p.Result.Numeric[i], p.Result.Columns[i] == "causes" || p.Result.Columns[i] == "gaps"})
		}
		p.Cells = append(p.Cells, cells)
	}
	p.Sums = p.sums(v)
	p.Plots = plotsOf(p, v)
}

// moneyColumns are those of amounts, which are rounded to the digits of their
// currency. The statement below the table gives all of them.
func moneyColumns() []string { return []string{"cost", "net", "tax", "gross", "cost_of_unknown"} }

func (p *usagePage) currencyOf(row []*string) string {
	if i := slices.Index(p.Result.Columns, "currency"); i >= 0 && row[i] != nil {
		return *row[i]
	}
	return ""
}

func exactly(value *string) decimal.Decimal {
	if value == nil {
		return decimal.Zero
	}
	d, _ := decimal.NewFromString(*value) // Postgres wrote it
	return d
}

// sums says for each currency what the costs of the table come to, rounded, and
// what the rounded costs add up to.
func (p *usagePage) sums(v *view) []string {
	at := slices.Index(p.Result.Columns, "cost")
	exact, shown := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, row := range p.Result.Rows {
		if at >= 0 && row[at] != nil {
			c, d := p.currencyOf(row), exactly(row[at])
			exact[c], shown[c] = exact[c].Add(d), shown[c].Add(d.Round(money.Digits(c)))
		}
	}
	var sums []string
	for _, c := range slices.Sorted(maps.Keys(exact)) {
		sums = append(sums, fmt.Sprintf("%s %s; the rounded rows add up to %s.", v.Number(money.Round(exact[c], c)), cmp.Or(c, "of no known currency"), v.Number(money.Round(shown[c], c))))
	}
	return sums
}

// read writes a value of column i of a row.
func (p *usagePage) read(v *view, i int, row []*string) string {
	value := row[i]
	switch name := p.Result.Columns[i]; {
	case value == nil:
		return missing
	case slices.Contains(moneyColumns(), name):
		return v.Number(money.Round(exactly(value), p.currencyOf(row)))
	case p.Result.Numeric[i]:
		return v.Number(*value)
	case name == "bucket_local", name == "minute_local", name == "currency":
		return *value
	case name == "first_receipt", name == "last_receipt":
		return v.Moment(*value)
	case name == "causes", name == "gaps":
		return v.Text(report.Brief(*value))
	}
	return v.Text(*value)
}

// HeadNumeric reports whether the column at a place of the table holds numbers.
func (p *usagePage) HeadNumeric(place int) bool {
	return len(p.Cells) > 0 && p.Cells[0][place].Numeric
}

// Days are short ways to choose a span.
func (p *usagePage) Days(v *view) []choice {
	spans := [][3]string{
		{"today", "now", "Today"}, {"yesterday", "today", "Yesterday"},
		{"this-month", "now", "This month"}, {"last-month", "this-month", "Last month"},
	}
	var links []choice
	for _, s := range spans {
		query := v.Link("/usage", "report", p.Kind, "from", s[0], "to", s[1], "bucket", p.Bucket, "source", p.Source)
		for _, by := range p.By {
			query += "&by=" + url.QueryEscape(by)
		}
		links = append(links, choice{query, s[2], p.From == s[0] && p.To == s[1]})
	}
	return links
}
