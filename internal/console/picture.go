package console

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/report"
)

// picture is a drawing of some columns of a report. The table below it has the same
// numbers.
type picture struct {
	Title string
	Note  string
	JSON  string // as console.js reads it
}

// drawn is what console.js draws.
type drawn struct {
	X      []int64       `json:"x"` // unix seconds
	Series []plotLine    `json:"series"`
	Zone   string        `json:"zone"`
	Unit   string        `json:"unit,omitempty"`
	Bars   bool          `json:"bars"`
	at     map[int64]int // place in X
}

type plotLine struct {
	Label  string     `json:"label"`
	Values []*float64 `json:"values"` // for the eye only; null: not known
}

// measure is a picture that a report has.
type measure struct {
	title, unit string
	columns     []string
}

// maxLines is how many groups a plot tells apart.
const maxLines = 8

func measuresOf(kind string) []measure {
	switch kind {
	case "usage":
		return []measure{{"Calls", "", []string{"attempts", "answered"}}, {"Billed minutes", "min", []string{"billed_minutes"}}, {"Cost", "", []string{"cost"}}}
	case "kpi":
		return []measure{{"Answered and delivered", "%", []string{"asr", "ner"}}, {"Average call duration", "s", []string{"acd"}}, {"Calls", "", []string{"attempts", "answered"}}}
	case "concurrency":
		return []measure{{"Simultaneous calls", "", []string{"peak", "peak_talking"}}}
	}
	return nil
}

// plotsOf draws a report; nothing where there is one moment only.
func plotsOf(p *usagePage, v *view) []picture {
	base, moment := drawn{Zone: v.TZ, at: map[int64]int{}}, slices.IndexFunc(p.Result.Columns, func(c string) bool { return c == "bucket_start" || c == "minute" })
	if moment < 0 || p.Bucket == "all" {
		return nil
	}
	for _, values := range p.Result.Rows {
		at, err := time.Parse(time.RFC3339, *values[moment])
		if _, known := base.at[at.Unix()]; err == nil && !known {
			base.X = append(base.X, at.Unix())
			base.at[at.Unix()] = 0
		}
	}
	if p.Kind == "concurrency" {
		base.quiet()
	}
	slices.Sort(base.X)
	for i, x := range base.X {
		base.at[x] = i
	}
	if len(base.X) < 2 {
		return nil
	}
	var plots []picture
	for _, m := range measuresOf(p.Kind) {
		if drawing, ok := drawMeasure(p, v, base, moment, m); ok {
			plots = append(plots, drawing)
		}
	}
	return plots
}

// quiet puts a moment before and after each stretch without calls, at which the
// lines fall to nothing: minutes without calls have no row.
func (d *drawn) quiet() {
	known := slices.Sorted(slices.Values(d.X))
	for i, x := range known {
		if i+1 < len(known) && known[i+1]-x > 60 {
			d.X = append(d.X, x+60)
			if known[i+1]-x > 120 {
				d.X = append(d.X, known[i+1]-60)
			}
		}
	}
}

// drawMeasure draws one picture: a line for each column, or for each of the
// groups that have most where there are several.
func drawMeasure(p *usagePage, v *view, base drawn, moment int, m measure) (picture, bool) {
	lines, totals := map[string]*plotLine{}, map[string]float64{}
	columns, groups := m.columns, groupColumns(p, m)
	if len(groups) > 0 {
		columns = columns[:1]
	}
	for _, column := range columns {
		at := slices.Index(p.Result.Columns, column)
		for _, values := range p.Result.Rows {
			label := strings.ReplaceAll(column, "_", " ")
			if len(groups) > 0 {
				label = groupName(p, v, values, groups)
			}
			if lines[label] == nil {
				lines[label] = &plotLine{label, base.empty(p.Kind)}
			}
			n, ok := decimalOf(values[at])
			when, err := time.Parse(time.RFC3339, *values[moment])
			if !ok || err != nil {
				continue
			}
			place := &lines[label].Values[base.at[when.Unix()]]
			if *place != nil && column != "asr" && column != "ner" && column != "acd" {
				n += **place // rows of several currencies
			}
			*place, totals[label] = &n, totals[label]+n
		}
	}
	return finish(base, m, lines, totals, len(groups) > 0)
}

// empty is a line on which nothing is known; of simultaneous calls that is none.
func (d *drawn) empty(kind string) []*float64 {
	values := make([]*float64, len(d.X))
	if kind == "concurrency" {
		for i := range values {
			values[i] = new(float64)
		}
	}
	return values
}

// groupColumns are the columns that tell the lines of a picture apart.
func groupColumns(p *usagePage, m measure) []int {
	var groups []int
	for i, name := range p.Result.Columns {
		if slices.Contains(report.Dimensions(), name) || name == "currency" && m.columns[0] == "cost" {
			groups = append(groups, i)
		}
	}
	return groups
}

func groupName(p *usagePage, v *view, values []*string, groups []int) string {
	var words []string
	for _, i := range groups {
		words = append(words, p.read(v, i, values))
	}
	return strings.Join(words, ", ")
}

func decimalOf(text *string) (float64, bool) {
	if text == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(*text, 64)
	return n, err == nil
}

// finish keeps the lines that have most.
func finish(base drawn, m measure, lines map[string]*plotLine, totals map[string]float64, grouped bool) (picture, bool) {
	if len(totals) == 0 {
		return picture{}, false
	}
	var labels []string
	for label := range totals { // lines of which nothing is known are left out
		labels = append(labels, label)
	}
	slices.SortFunc(labels, func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b)) })
	drawing := picture{Title: m.title}
	if len(labels) > maxLines {
		drawing.Note = "The " + strconv.Itoa(maxLines) + " largest of " + strconv.Itoa(len(labels)) + "."
		labels = labels[:maxLines]
	}
	if grouped && len(m.columns) > 1 {
		drawing.Title += ": " + strings.ReplaceAll(m.columns[0], "_", " ")
	}
	base.Unit = m.unit
	base.Bars = !grouped && len(base.X) <= 400 && m.unit != "%" && m.title != "Simultaneous calls"
	for _, label := range labels {
		base.Series = append(base.Series, *lines[label])
	}
	text, err := json.Marshal(base)
	drawing.JSON = string(text)
	return drawing, err == nil
}
