package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	gotable "github.com/jedib0t/go-pretty/v6/table"
	gotext "github.com/jedib0t/go-pretty/v6/text"
)

// tableWriter aligns a report for people. It holds all rows, to know how wide
// the columns are.
type tableWriter struct {
	plan  *plan
	out   io.Writer
	table gotable.Writer
	shown []int // of the columns, by their place
	forms []form
	rows  int
}

func newTableWriter(p *plan, out io.Writer) *tableWriter {
	w := &tableWriter{plan: p, out: out, table: gotable.NewWriter()}
	style := gotable.StyleLight
	style.Options.DrawBorder, style.Options.SeparateColumns = false, false
	style.Format.Header = gotext.FormatDefault
	w.table.SetStyle(style)
	return w
}

// head leaves out what the line below the table says: that all is one bucket,
// and moments that stand beside their local time.
func (w *tableWriter) head(columns []column) error {
	var names gotable.Row
	var configs []gotable.ColumnConfig
	for i, c := range columns {
		w.forms = append(w.forms, c.form)
		name := c.name
		switch name {
		case "bucket_start", "minute":
			continue
		case "bucket_local":
			if w.plan.bucket == "all" {
				continue
			}
			name = w.plan.bucket
		case "minute_local":
			name = "minute"
		}
		w.shown = append(w.shown, i)
		names = append(names, strings.ReplaceAll(name, "_", " "))
		align := gotext.AlignLeft
		if c.form == asCount || c.form == asDecimal {
			align = gotext.AlignRight
		}
		configs = append(configs, gotable.ColumnConfig{Number: len(w.shown), Align: align, AlignHeader: align})
	}
	w.table.AppendHeader(names)
	w.table.SetColumnConfigs(configs)
	return nil
}

func (w *tableWriter) row(cells []*string) error {
	var shown gotable.Row
	for _, i := range w.shown {
		shown = append(shown, readable(w.forms[i], cells[i]))
	}
	w.table.AppendRow(shown)
	w.rows++
	return nil
}

func (w *tableWriter) end() error {
	body := "no rows"
	if w.rows > 0 {
		body = w.table.Render()
	}
	_, err := fmt.Fprintf(w.out, "%s\n\n%s\n", body, w.plan.caption())
	return err
}

// caption says what the table is about.
func (p *plan) caption() string {
	const layout = "2006-01-02 15:04:05 -07:00"
	text := fmt.Sprintf("%s from %s up to %s, %s", p.Kind, p.span.From.Format(layout), p.span.To.Format(layout), p.Zone)
	if p.Source != "" {
		text += ", source " + p.Source
	}
	switch p.Kind {
	case "completeness":
		return text + "; receipts in the span, and calls that began in it"
	case "concurrency":
		return text + "; minutes without calls are left out"
	}
	return text + "; ended calls that began in the span"
}

// readable writes a value for people; unknown is a dash.
func readable(f form, cell *string) string {
	switch {
	case cell == nil:
		return "-"
	case f == asCount, f == asDecimal:
		return grouped(*cell)
	case f == asDocument:
		return brief(*cell)
	}
	return printable(*cell)
}

// grouped puts commas between the thousands of a decimal.
func grouped(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, fraction, hasFraction := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return sign + whole
}

// brief writes the first of a list of causes or gaps.
func brief(list string) string {
	var items []struct {
		Cause   *string     `json:"cause"`
		Calls   json.Number `json:"calls"`
		From    string      `json:"from"`
		Seconds json.Number `json:"seconds"`
	}
	if err := json.Unmarshal([]byte(list), &items); err != nil {
		return list
	}
	var parts []string
	for _, item := range items[:min(3, len(items))] {
		switch {
		case item.From != "":
			long, err := time.ParseDuration(item.Seconds.String() + "s")
			if err != nil {
				return list
			}
			parts = append(parts, fmt.Sprintf("%s from %sZ", long, item.From[:min(19, len(item.From))]))
		case item.Cause == nil:
			parts = append(parts, grouped(item.Calls.String())+" not said")
		default:
			parts = append(parts, grouped(item.Calls.String())+" "+printable(*item.Cause))
		}
	}
	if len(items) > len(parts) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

// printable takes out what would move the cursor of a terminal: accounts and
// causes are the providers' words.
func printable(word string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, word)
}
