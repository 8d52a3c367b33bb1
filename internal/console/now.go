package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cdrstore/cdrstore/db"
)

// nowData is what the page Now shows.
type nowData struct {
	status
	HasCounts, HasSpool bool
	Spool               Spool
	Plots               []outcome
	Outcomes            []outcome // in the order of the columns of Rates
	Sources             []nowSource
	InProgress          int64
	Rule                string
}

// nowSource is a row of its tables.
type nowSource struct {
	Name, Provider string
	Known          bool // the database knows it
	Last           time.Time
	Word           word
	Rates          []string // per second over the last minute, in the order of Outcomes
	InProgress     int64
	Hour, Day      outcomeRow
}

// now shows how the receiver and its sources do.
func (c *Console) now(w http.ResponseWriter, r *http.Request, v *view) error {
	v.Title = "Now"
	return c.show(w, v, "now", c.readNow(r))
}

// nowPart is what changes of the page, but for the plots.
func (c *Console) nowPart(w http.ResponseWriter, r *http.Request, v *view) error {
	return c.showPart(w, v, "now", "figures", c.readNow(r))
}

// nowJSON is one plot: the rates of one figure.
func (c *Console) nowJSON(w http.ResponseWriter, r *http.Request, v *view) error {
	name := r.URL.Query().Get("outcome")
	if name == "" {
		name = "stored"
	}
	all := outcomes()
	i := slices.IndexFunc(all, func(o outcome) bool { return o.Name == name })
	if i < 0 {
		return problem{http.StatusBadRequest, "outcome: write stored, duplicates, quarantined, spooled or deliveries."}
	}
	p := rates(c.live.since(time.Time{}), all[i].of)
	p.Zone = v.Zone.String()
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(p)
}

func (c *Console) readNow(r *http.Request) nowData {
	d := nowData{status: c.readStatus(r.Context()), HasCounts: c.Counts != nil, Plots: outcomes(), Outcomes: outcomes(), Rule: silenceRule}
	if c.Spool != nil {
		d.HasSpool, d.Spool = true, c.Spool()
	}
	counts := map[string]Count{}
	names := []string{}
	if c.Counts != nil {
		for _, one := range c.Counts() {
			counts[one.Source] = one
			names = append(names, one.Source)
		}
	}
	known := map[string]db.ConsoleReceiptsRow{}
	for _, row := range d.Receipts {
		known[row.Source] = row
		d.InProgress += row.InProgress
		names = append(names, row.Source)
	}
	slices.Sort(names)
	minute := c.live.since(c.Now().Add(-time.Minute))
	for _, name := range slices.Compact(names) {
		row, isKnown := known[name]
		s := nowSource{
			Name: name, Provider: row.Provider, Known: isKnown, Last: later(row, counts[name]), InProgress: row.InProgress,
			Hour: d.Hour[name], Day: d.Day[name], Rates: perSecond(minute, d.Outcomes, name),
		}
		s.Word = speak(row, s.Last, c.Now())
		if d.At.IsZero() {
			s.Word = word{Text: "not known", Kind: "muted"} // the database was never asked with success
		}
		d.Sources = append(d.Sources, s)
	}
	return d
}

// later is when a source last sent anything, by the database and by this
// receiver, which also hears what is no news.
func later(row db.ConsoleReceiptsRow, count Count) time.Time {
	last := count.LastReceipt
	if row.LastReceipt.Valid && row.LastReceipt.Time.After(last) {
		last = row.LastReceipt.Time
	}
	return last
}

// perSecond writes the rates of a source; none where too little was sampled.
func perSecond(samples []sample, figures []outcome, source string) []string {
	texts := make([]string, len(figures))
	for i, f := range figures {
		rate, ok := mean(samples, f.of)[source]
		texts[i] = missing
		if ok {
			texts[i] = fmt.Sprintf("%.2f", rate)
		}
	}
	return texts
}

// All is the row of all sources together.
func (d nowData) All(span map[string]outcomeRow) outcomeRow { return span[""] }
