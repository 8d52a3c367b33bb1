package simulate

import (
	"context"
	"fmt"
	"slices"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Fault is a call, or a table, that is not as it should be.
type Fault struct {
	Source, CallID string
	Columns        []string // of call; "row", "event" and "recording" where rows are missing or too many
	Detail         string   // of the first of them
}

// page is how many calls are read at a time.
const page = 500

// columns of call that the simulation knows, unless a call's says otherwise.
func columns() []string {
	return []string{
		"provider", "parent_call_id", "direction", "src", "dst", "src_e164", "dst_e164", "state", "disposition",
		"started_at", "answered_at", "ended_at", "duration", "billsec", "charged_sec", "rate", "cost", "tax", "currency",
		"sip_code", "legs", "events", "cdrs",
	}
}

// checker compares the database with what the stories of a run say.
type checker struct {
	o      Options
	report *Report
	every  int // how many calls there are for one in the table that is printed
}

// check tells all stories once more and compares what should come of them.
func (c *checker) check(ctx context.Context) error {
	waiting := map[string][]*row{} // by source
	for _, s := range newTimeline(c.o).stories() {
		rows := append(waiting[s.provider], s.rows...)
		if len(rows) >= page {
			if err := c.compare(ctx, s.provider, rows); err != nil {
				return err
			}
			rows = nil
		}
		waiting[s.provider] = rows
		c.report.expected(s)
	}
	for _, source := range c.o.Providers {
		if err := c.compare(ctx, source, waiting[source]); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) compare(ctx context.Context, source string, rows []*row) error {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	calls, err := c.o.Store.Calls(ctx, source, ids)
	if err != nil {
		return err
	}
	counts, err := c.o.Store.CountEvents(ctx, source, ids)
	if err != nil {
		return err
	}
	for _, r := range rows {
		stored, exists := calls[r.id]
		if r.call != nil {
			c.report.Calls++
		}
		if exists && r.call != nil && (c.report.Calls-1)%c.every == 0 {
			c.report.sample = append(c.report.sample, stored)
		}
		if f := r.compare(stored, exists, counts[r.id]); len(f.Columns) > 0 {
			c.report.fault(f)
		}
	}
	return nil
}

// compare returns what is wrong with a call; no columns when nothing is.
func (r *row) compare(stored cdr.Call, exists bool, count store.CallCount) Fault {
	f := Fault{Source: r.source, CallID: r.id}
	switch {
	case r.call == nil && exists:
		f.add("row", "of nothing that is a call")
	case r.call != nil && !exists:
		f.add("row", "missing")
	case r.call != nil:
		for _, column := range r.call.Diff(&stored) {
			if slices.Contains(columns(), column) && !slices.Contains(r.loose, column) {
				f.add(column, fmt.Sprintf("%s, should be %s", value(&stored, column), value(r.call, column)))
			}
		}
	}
	if count.Events != int64(r.events) {
		f.add("event", fmt.Sprintf("%d rows, should be %d", count.Events, r.events))
	}
	if count.Recordings != int64(r.recordings) {
		f.add("recording", fmt.Sprintf("%d rows, should be %d", count.Recordings, r.recordings))
	}
	return f
}

func (f *Fault) add(column, detail string) {
	if len(f.Columns) == 0 {
		f.Detail = column + " is " + detail
	}
	f.Columns = append(f.Columns, column)
}

// counts reads how many rows a run's seed has, by source and table.
func counts(ctx context.Context, o Options) (map[string]map[string]store.Count, error) {
	all := map[string]map[string]store.Count{}
	for _, source := range o.Providers {
		c, err := o.Store.CountRows(ctx, source, mark(source, o.Seed))
		if err != nil {
			return nil, err
		}
		all[source] = c
	}
	return all, nil
}

// checkCounts compares the tables that have no calls in them. Where the seed ran
// before, perhaps with more calls, there may be more rows, but what came now
// must have been counted.
func (c *checker) checkCounts(before, after map[string]map[string]store.Count) {
	for _, source := range c.o.Providers {
		want := c.report.wanted[source]
		for table, rows := range map[string]int64{"message": want.messages, "quarantine": want.rejects} {
			is := after[source][table].Rows
			if is < rows || before[source]["event"].Rows == 0 && is > rows {
				c.report.fault(Fault{Source: source, Columns: []string{table}, Detail: fmt.Sprintf("%d rows, should be %d", is, rows)})
			}
		}
		var came int64
		for table := range after[source] {
			came += after[source][table].Deliveries - before[source][table].Deliveries
		}
		if sent := int64(c.report.records(source)); came != sent && !c.report.repeated() {
			c.report.fault(Fault{Source: source, Columns: []string{"deliveries"}, Detail: fmt.Sprintf("%d records were counted, %d were sent", came, sent)})
		}
	}
}
