package cdr_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// at returns a moment of the day on which all calls of these tests happen.
func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-03-01 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// num returns an amount; num("") is one that nobody knows.
func num(text string) cdr.Amount {
	if text == "" {
		return cdr.Amount{}
	}
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

func derived(m ...cdr.Moment) []cdr.Moment { return m }

// live returns an event with the provider's time.
func live(kind cdr.Kind, leg string, f cdr.Facts) cdr.Event {
	return cdr.Event{Kind: kind, Leg: leg, Clock: cdr.ClockProvider, OccurredAt: someMoment(f), Facts: &f}
}

// noted returns an event of a provider that sends no times.
func noted(kind cdr.Kind, leg string, f cdr.Facts) cdr.Event {
	return cdr.Event{Kind: kind, Leg: leg, Clock: cdr.ClockReceiver, Facts: &f}
}

// record returns a CDR.
func record(key, leg string, f cdr.Facts) cdr.Event {
	f.State = cdr.StateEnded
	return cdr.Event{Kind: cdr.KindCDR, RecordKey: key, Leg: leg, Clock: cdr.ClockProvider, OccurredAt: someMoment(f), Facts: &f}
}

// aside returns an event that says nothing about the call.
func aside(kind cdr.Kind) cdr.Event {
	return cdr.Event{Kind: kind, Clock: cdr.ClockProvider, OccurredAt: at("10:00:00")}
}

func someMoment(f cdr.Facts) time.Time {
	for _, m := range []time.Time{f.EndedAt, f.AnsweredAt, f.RingingAt, f.StartedAt} {
		if !m.IsZero() {
			return m
		}
	}
	return time.Time{}
}

func received(clock string, e cdr.Event) cdr.Event {
	e.ReceivedAt, e.LastReceivedAt = at(clock), at(clock)
	return e
}

// arrive gives events of one call their identity and, unless they have one,
// their receipt: a second apart from 12:00:00, in the order of the list.
func arrive(events []cdr.Event) []cdr.Event {
	out := make([]cdr.Event, len(events))
	for i, e := range events {
		e.Source, e.CallID, e.ID, e.Deliveries = "acme", "c1", [16]byte{byte(i + 1)}, 1
		if e.ReceivedAt.IsZero() {
			e.ReceivedAt = at("12:00:00").Add(time.Duration(i) * time.Second)
			e.LastReceivedAt = e.ReceivedAt
		}
		out[i] = e
	}
	return out
}

// foldCase is a set of events and the whole call that must come of it. The
// wanted call leaves out its key and receipts, which follow from the events.
type foldCase struct {
	name   string
	events []cdr.Event
	want   cdr.Call
}

func runFold(t *testing.T, cases []foldCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := arrive(c.events)
			want := withReceipts(c.want, events)
			permute(events, func(order []cdr.Event) {
				got, ok := cdr.Fold(order)
				if !ok {
					t.Fatal("no call")
				}
				if columns := want.Diff(&got); len(columns) > 0 {
					t.Fatalf("columns %v differ\n got %s\nwant %s", columns, text(got), text(want))
				}
			})
		})
	}
}

func withReceipts(c cdr.Call, events []cdr.Event) cdr.Call {
	c.Source, c.CallID = "acme", "c1"
	for _, e := range events {
		if e.Facts == nil {
			continue
		}
		if c.FirstReceivedAt.IsZero() || e.ReceivedAt.Before(c.FirstReceivedAt) {
			c.FirstReceivedAt = e.ReceivedAt
		}
		if e.ReceivedAt.After(c.LastReceivedAt) {
			c.LastReceivedAt = e.ReceivedAt
		}
	}
	return c
}

// permute calls f with every order of the events.
func permute(events []cdr.Event, f func([]cdr.Event)) {
	var place func(int)
	place = func(n int) {
		if n == len(events) {
			f(events)
			return
		}
		for i := n; i < len(events); i++ {
			events[n], events[i] = events[i], events[n]
			place(n + 1)
			events[n], events[i] = events[i], events[n]
		}
	}
	place(0)
}

func text(c cdr.Call) string {
	out, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
