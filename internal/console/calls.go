package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// callsPerPage is how many calls a page lists.
const callsPerPage = 50

// callsData is what the page Calls shows.
type callsData struct {
	search
	Trouble      string // what is wrong with the search; empty: nothing
	Searched     bool   // something limits the list
	Calls        []found
	Older, Newer string // links; empty: there are none
	Newest, CSV  string
	Limit        int // of calls in a CSV file
	Dispositions []string
	Sources      []string
}

// calls lists calls, newest first.
func (c *Console) calls(w http.ResponseWriter, r *http.Request, v *view) error {
	v.Title = "Calls"
	d := callsData{Dispositions: dispositions(), Limit: csvLimit}
	s, err := c.readSearch(v.query, v)
	d.search = s
	d.Searched = slices.ContainsFunc(everySecond(s.parameters()), func(text string) bool { return text != "" })
	if err == nil {
		if err = c.know(r.Context(), &s); err == nil {
			d.search, d.Sources = s, s.sources
			if s.Source != "" && !slices.Contains(s.sources, s.Source) {
				d.Sources = append(d.Sources, s.Source) // else the form would say any
			}
			err = c.readCalls(r.Context(), v, &d)
		}
	}
	var p problem
	if errors.As(err, &p) {
		v.Status, d.Trouble = p.status, p.text // on the page itself, so that it can be mended there
	} else if err != nil {
		return err
	}
	return c.show(w, v, "calls", d)
}

// readCalls reads the page that the parameters before and after name. Pages hang
// on the calls at their ends, so that what arrives meanwhile moves none of them.
func (c *Console) readCalls(ctx context.Context, v *view, d *callsData) error {
	before, after := v.query.Get("before"), v.query.Get("after")
	d.Newest, d.CSV = c.listLink(v, d.search), v.Link("/calls.csv", d.parameters()...)
	if after != "" {
		k, err := c.readKey(after)
		if err != nil {
			return err
		}
		if d.Calls, err = c.newer(ctx, d.search, k, callsPerPage+1); err != nil {
			return err
		}
		if len(d.Calls) > callsPerPage {
			d.Calls = d.Calls[1:]
			d.Newer = c.listLink(v, d.search, "after", c.writeKey(d.Calls[0].key()))
			d.Older = c.listLink(v, d.search, "before", c.writeKey(d.Calls[len(d.Calls)-1].key()))
			return nil
		}
		before = "" // these are among the newest
	}
	k := lastKey()
	if before != "" {
		var err error
		if k, err = c.readKey(before); err != nil {
			return err
		}
	}
	calls, err := c.older(ctx, d.search, k, callsPerPage+1)
	if err != nil {
		return err
	}
	d.Calls = calls[:min(len(calls), callsPerPage)]
	if len(calls) > callsPerPage {
		d.Older = c.listLink(v, d.search, "before", c.writeKey(d.Calls[len(d.Calls)-1].key()))
	}
	if before != "" && len(d.Calls) > 0 {
		d.Newer = c.listLink(v, d.search, "after", c.writeKey(d.Calls[0].key()))
	}
	return nil
}

func (c *Console) listLink(v *view, s search, parameters ...string) string {
	return v.Link("/calls", append(s.parameters(), parameters...)...)
}

// everySecond are the values of names and values in turn.
func everySecond(texts []string) []string {
	var values []string
	for i := 1; i < len(texts); i += 2 {
		values = append(values, texts[i])
	}
	return values
}
