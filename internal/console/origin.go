package console

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// field is a column of the merged row, and where its value comes from.
type field struct {
	Name, Meaning string
	Value         *string // as stored; nil: null
	From          []int   // numbers of the events that say so
	Note          string  // how it comes about, where no event says just that
}

// added are columns that are the sum over the records that count.
func added(column string) bool { return column == "cost" || column == "tax" || column == "charged_sec" }

func isMoment(column string) bool {
	return column == "call_time" || len(column) > 3 && column[len(column)-3:] == "_at"
}

func isNumber(column string) bool {
	switch column {
	case "duration", "billsec", "first_increment", "next_increment", "rate", "sip_code", "q850_cause":
		return true
	}
	return added(column)
}

// origins says of each column which events it comes from.
func origins(call row, meanings map[string]string, events []event) []field {
	var fields []field
	for _, c := range call {
		f := field{Name: c.Name, Meaning: meanings[c.Name], Value: c.Value}
		switch {
		case c.Value == nil:
		case counted(c.Name) != "":
			f.Note = counted(c.Name)
		case added(c.Name):
			f.From, f.Note = sum(c.Name, events)
		default:
			f.From = saying(c.Name, *c.Value, events)
		}
		if c.Value != nil && len(f.From) == 0 && f.Note == "" {
			f.From, f.Note = derived(call, c.Name, *c.Value, events)
		}
		fields = append(fields, f)
	}
	return fields
}

// counted are columns that no event says, whatever the call.
func counted(column string) string {
	switch column {
	case "source", "call_id":
		return "the key of all its events"
	case "legs", "events", "cdrs":
		return "counted"
	case "version":
		return "how often this row was written"
	case "changed_at":
		return "when this row was last written"
	case "pruned_at":
		return "when prune emptied its events"
	}
	return ""
}

// sum lists the records that an amount is the sum of.
func sum(column string, events []event) (from []int, note string) {
	for i := range events {
		if e := &events[i]; e.Counts && e.said[column] != "" {
			from = append(from, e.Number)
		}
	}
	if len(from) > 1 {
		note = "the sum"
	}
	return from, note
}

// saying lists the events that count and say just this.
func saying(column, value string, events []event) []int {
	var from []int
	for i := range events {
		if e := &events[i]; e.Counts && same(column, e.said[column], value) {
			from = append(from, e.Number)
		}
	}
	return from
}

func same(column, said, value string) bool {
	switch {
	case said == "":
		return false
	case isMoment(column):
		a, errA := time.Parse(time.RFC3339Nano, said)
		b, errB := time.Parse(time.RFC3339Nano, value)
		return errA == nil && errB == nil && a.Truncate(time.Microsecond).Equal(b)
	case isNumber(column):
		a, errA := decimal.NewFromString(said)
		b, errB := decimal.NewFromString(value)
		return errA == nil && errB == nil && a.Equal(b)
	}
	return said == value
}

// derived says how a value comes about that no event says.
func derived(call row, column, value string, events []event) (from []int, note string) {
	switch column {
	case "duration":
		return nil, "ended_at − started_at"
	case "billsec":
		return nil, "ended_at − answered_at"
	case "call_time":
		for _, moment := range []string{"started_at", "ringing_at", "answered_at", "ended_at"} {
			if call.text(moment) == value {
				return nil, moment
			}
		}
		return nil, "first_received_at"
	case "state":
		return nil, "how far its events have come"
	case "disposition":
		return nil, "no event says how it came out"
	case "clock":
		return clocks(value, events)
	}
	if isMoment(column) {
		return receipts(value, events)
	}
	return nil, "worked out from its events"
}

func clocks(value string, events []event) (from []int, note string) {
	for i := range events {
		if e := &events[i]; e.Counts && e.Clock == value {
			from = append(from, e.Number)
		}
	}
	if value == "receiver" {
		return from, "a moment is one of receipt"
	}
	return from, "the provider's times"
}

// receipts finds the events that happened, or came, at a moment.
func receipts(value string, events []event) (from []int, note string) {
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return nil, ""
	}
	note = "worked out from its events"
	for i := range events {
		switch e := &events[i]; {
		case !e.Counts:
		case e.ReceivedAt.Time.Equal(at):
			from, note = append(from, e.Number), "when it came"
		case e.OccurredAt.Time.Equal(at):
			from, note = append(from, e.Number), "when it happened"
		}
	}
	return slices.Compact(from), note
}
