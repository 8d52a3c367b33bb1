package reconcile

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shopspring/decimal"
)

// Formats are what reports can be printed as.
func Formats() []string { return []string{"table", "csv", "json"} }

// Printer prints the report of Files as it comes, so that it needs no memory.
// Records that are the same are counted and printed only with All.
type Printer struct {
	Out    io.Writer
	Format string // table, csv or json
	All    bool
	rows   int
	csv    *csv.Writer
}

// Row prints a row.
func (p *Printer) Row(r Row) error {
	if r.Status == Same && !p.All {
		return nil
	}
	p.rows++
	switch p.Format {
	case "csv":
		return p.csvRow(r)
	case "json":
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Out, "%s\n%s", p.lead(), text)
		return err
	}
	_, err := fmt.Fprintln(p.Out, r.text())
	return err
}

// lead begins the list of rows, or goes on with it.
func (p *Printer) lead() string {
	if p.rows > 1 {
		return ","
	}
	return `{"rows": [`
}

// End prints the totals.
func (p *Printer) End(t Totals) error {
	switch p.Format {
	case "csv":
		return p.csvTotals(t)
	case "json":
		if p.rows == 0 {
			if _, err := io.WriteString(p.Out, `{"rows": [`); err != nil {
				return err
			}
		}
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Out, "],\n\"totals\": %s}\n", text)
		return err
	}
	return p.tableTotals(t)
}

// text is a row for people.
func (r Row) text() string {
	var b strings.Builder
	b.WriteString(r.Status + ":")
	if r.File != "" {
		fmt.Fprintf(&b, " %s line %d:", r.File, r.Line)
	}
	if r.CallID != "" {
		b.WriteString(" call " + r.CallID)
	}
	if r.RecordKey != "" {
		b.WriteString(" record " + r.RecordKey)
	}
	if !r.StartedAt.IsZero() {
		b.WriteString(" of " + r.StartedAt.UTC().Format(time.DateTime) + " UTC")
	}
	paired := r.Status == Differs || r.Status == NotPricedByThem || r.Status == NotPricedByUs
	if !paired && r.Billsec.Valid {
		fmt.Fprintf(&b, ", %s s", number(r.Billsec))
	}
	if !paired && r.Cost.Valid {
		b.WriteString(strings.TrimRight(", "+number(r.Cost)+" "+r.Currency, " "))
	}
	if r.Reason != "" {
		b.WriteString(" (" + r.Reason + ")")
	}
	return strings.TrimSpace(b.String() + Explain(r.Differences))
}

// Explain says in what two records differ, for people; empty where in nothing.
func Explain(differences []Difference) string {
	var all []string
	for _, d := range differences {
		text := fmt.Sprintf("%s %s, ours %s", d.Field, or(d.Theirs, "nothing"), or(d.Ours, "nothing"))
		if d.By.Valid {
			text += fmt.Sprintf(" (%s)", signed(d.By.Decimal))
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, "; ")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func signed(d decimal.Decimal) string {
	if d.IsPositive() {
		return "+" + d.String()
	}
	return d.String()
}

func (p *Printer) tableTotals(t Totals) error {
	out := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if p.rows > 0 {
		_, _ = fmt.Fprintln(out) // Flush says
	}
	_, _ = fmt.Fprintln(out, "\ttheirs\tours\tdifference\t")
	for _, l := range t.lines() {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t\n", l.Field, l.Theirs, l.Ours, signed(l.By))
	}
	_, _ = fmt.Fprintln(out)
	if err := out.Flush(); err != nil {
		return err
	}
	if f := t.Forgiven; f.Records > 0 {
		text := fmt.Sprintf("within the tolerance: %d records, theirs less ours", f.Records)
		for _, c := range slices.Sorted(maps.Keys(f.Amount)) {
			text += fmt.Sprintf(" %s %s,", signed(f.Amount[c]), or(c, "of no known currency"))
		}
		if _, err := fmt.Fprintf(p.Out, "%s %s s\n", text, signed(f.Billsec)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.Out, "%d same, %d differ, %d only theirs, %d only ours, %d not priced by them, %d not priced by us; %d unreadable, %d repeated in the files, %d no CDRs, %d pruned here\n",
		t.Same, t.Differ, t.OnlyTheirs, t.OnlyOurs, t.NotPricedByThem, t.NotPricedByUs, t.Unreadable, t.Repeated, t.Others, t.Emptied)
	return err
}

// lines are the totals of both sides, one a line.
func (t *Totals) lines() []Line {
	line := func(field string, theirs, ours decimal.Decimal) Line {
		by := theirs.Sub(ours)
		return Line{Field: field, Theirs: theirs, Ours: ours, By: by, Differ: !by.IsZero()}
	}
	whole := func(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }
	lines := []Line{
		line("calls", whole(t.Theirs.Calls), whole(t.Ours.Calls)),
		line("records", whole(t.Theirs.Records), whole(t.Ours.Records)),
		line("billsec", t.Theirs.Billsec, t.Ours.Billsec),
	}
	for _, c := range t.Currencies() {
		lines = append(lines, line("cost "+or(c, "of no known currency"), t.Theirs.Cost[c], t.Ours.Cost[c]))
	}
	for _, c := range slices.Sorted(maps.Keys(t.Theirs.Tax)) { // most files state none
		lines = append(lines, line("tax "+or(c, "of no known currency"), t.Theirs.Tax[c], t.Ours.Tax[c]))
	}
	return append(lines, line("records without cost", whole(t.Theirs.NoCost), whole(t.Ours.NoCost)))
}

// csvRow prints a line for each difference, else one for the row.
func (p *Printer) csvRow(r Row) error {
	if err := p.csvHeader(); err != nil {
		return err
	}
	start := ""
	if !r.StartedAt.IsZero() {
		start = r.StartedAt.UTC().Format(time.RFC3339Nano)
	}
	line := ""
	if r.Line > 0 {
		line = strconv.Itoa(r.Line)
	}
	cells := []string{r.Status, r.File, line, r.CallID, r.RecordKey, start, number(r.Billsec), number(r.Cost), r.Currency, r.Reason}
	differences := r.Differences
	if len(differences) == 0 {
		differences = []Difference{{}}
	}
	for _, d := range differences {
		if err := p.csv.Write(append(cells[:10:10], d.Field, d.Theirs, d.Ours, number(d.By))); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer) csvHeader() error {
	if p.csv != nil {
		return nil
	}
	p.csv = csv.NewWriter(p.Out)
	return p.csv.Write([]string{"status", "file", "line", "call_id", "record_key", "started_at", "billsec", "cost", "currency", "reason", "field", "theirs", "ours", "difference"})
}

// csvTotals prints the totals as rows of status total.
func (p *Printer) csvTotals(t Totals) error {
	if err := p.csvHeader(); err != nil {
		return err
	}
	for _, l := range t.lines() {
		cells := append([]string{"total"}, make([]string, 9)...)
		if err := p.csv.Write(append(cells, l.Field, l.Theirs.String(), l.Ours.String(), l.By.String())); err != nil {
			return err
		}
	}
	for _, c := range slices.Sorted(maps.Keys(t.Forgiven.Amount)) {
		cells := append([]string{"forgiven"}, make([]string, 9)...)
		if err := p.csv.Write(append(cells, "cost "+c, "", "", t.Forgiven.Amount[c].String())); err != nil {
			return err
		}
	}
	p.csv.Flush()
	return p.csv.Error()
}

// PrintLines prints the report of Month.
func PrintLines(out io.Writer, format string, lines []Line) error {
	switch format {
	case "json":
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"totals": lines})
	case "csv":
		w := csv.NewWriter(out)
		_ = w.Write([]string{"field", "theirs", "ours", "difference", "differs", "note"}) // Flush says
		for _, l := range lines {
			_ = w.Write([]string{l.Field, l.Theirs.String(), l.Ours.String(), l.By.String(), strconv.FormatBool(l.Differ), l.Note})
		}
		w.Flush()
		return w.Error()
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\ttheirs\tours\tdifference\t")
	for _, l := range lines {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Field, l.Theirs, l.Ours, signed(l.By), l.Note)
	}
	return w.Flush()
}
