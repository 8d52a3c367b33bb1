package cdr_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// same fails unless two sets of events make the same call, but for some columns.
func same(t *rapid.T, a, b []cdr.Event, except ...string) {
	callA, okA := cdr.Fold(a)
	callB, okB := cdr.Fold(b)
	if okA != okB {
		t.Fatalf("a call: %v, then %v", okA, okB)
	}
	columns := slices.DeleteFunc(callA.Diff(&callB), func(c string) bool { return slices.Contains(except, c) })
	if len(columns) > 0 {
		t.Fatalf("columns %v differ\n%s\n%s", columns, text(callA), text(callB))
	}
}

func TestFoldIgnoresOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		same(t, events, rapid.Permutation(events).Draw(t, "order"))
	})
}

// A repeat of an event, received at any time, changes what order of receipt
// decides as its first receipt says, and nothing else.
func TestFoldIgnoresRepeats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		repeated := slices.Clone(events)
		for i, e := range events {
			for range rapid.IntRange(0, 2).Draw(t, "repeats") {
				late := e
				late.ReceivedAt = e.ReceivedAt.Add(drawSeconds(t, 9))
				late.LastReceivedAt = late.ReceivedAt
				if rapid.Bool().Draw(t, "late first") {
					repeated[i] = cdr.MergeEvent(late, repeated[i])
				} else {
					repeated[i] = cdr.MergeEvent(repeated[i], late)
				}
			}
		}
		same(t, events, repeated)
	})
}

func TestFoldHoldsTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		c, ok := cdr.Fold(events)
		if says := slices.ContainsFunc(events, func(e cdr.Event) bool { return e.Facts != nil }); ok != says {
			t.Fatalf("a call: %v, of events with facts: %v", ok, says)
		}
		if !ok {
			return
		}
		for rule, holds := range rules(c) {
			if !holds {
				t.Errorf("%s: %s", rule, text(c))
			}
		}
	})
}

// rules are what is true of every call, whatever was sent.
func rules(c cdr.Call) map[string]bool {
	ended := c.State == cdr.StateEnded
	unanswered := c.Disposition != "" && c.Disposition != cdr.Answered
	isAnswered := !c.AnsweredAt.IsZero()
	return map[string]bool{
		"it has a state":                          c.State != "",
		"it has a time":                           !c.CallTime.IsZero(),
		"it has a clock":                          c.Clock != "",
		"ended is the same as having an outcome":  ended == (c.Disposition != ""),
		"a living call has no end":                ended || c.EndedAt.IsZero(),
		"a living call has no durations":          ended || !c.Duration.Valid && !c.Billsec.Valid,
		"a living call has no causes":             ended || c.SIPCode == 0 && c.HangupCause == "",
		"an answer means answered":                !isAnswered || !unanswered,
		"an answer means answered while it lives": !isAnswered || c.State == cdr.StateAnswered || ended,
		"an answer is not before the start":       !isAnswered || !c.AnsweredAt.Before(c.StartedAt),
		"an answer is not after the end":          !isAnswered || c.EndedAt.IsZero() || !c.AnsweredAt.After(c.EndedAt),
		"durations are not negative":              !c.Duration.Decimal.IsNegative() && !c.Billsec.Decimal.IsNegative(),
		"there is no talk without an answer":      !c.Billsec.Decimal.IsPositive() || c.Disposition == cdr.Answered,
		"an end is not before the start":          c.Clock == cdr.ClockReceiver || c.EndedAt.IsZero() || !c.EndedAt.Before(c.StartedAt),
		"receipts are in order":                   !c.LastReceivedAt.Before(c.FirstReceivedAt),
	}
}

func TestFoldLateRingingReopensNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		c, ok := cdr.Fold(events)
		if !ok || c.State != cdr.StateEnded {
			return
		}
		known := slices.DeleteFunc(slices.Clone(events), func(e cdr.Event) bool { return e.Facts == nil })
		ringing := received("12:30:00", live(cdr.KindRinging, rapid.SampledFrom(known).Draw(t, "known").Leg, cdr.Facts{
			State: cdr.StateRinging, RingingAt: at("10:00:03"),
		}))
		ringing.Source, ringing.CallID, ringing.ID = "acme", "c1", [16]byte{99}
		after, _ := cdr.Fold(append(events, ringing))
		if after.State != c.State || after.Disposition != c.Disposition || !after.EndedAt.Equal(c.EndedAt) {
			t.Fatalf("%s, after a late ringing %s", text(c), text(after))
		}
	})
}

// An edition of a CDR that does not count leaves no trace but its receipt.
func TestFoldOldEditionsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		newest := map[string]cdr.Event{}
		var rest []cdr.Event
		for _, e := range events {
			old, seen := newest[e.RecordKey]
			switch {
			case e.Kind != cdr.KindCDR:
				rest = append(rest, e)
			case !seen || e.ReceivedAt.After(old.ReceivedAt) || e.ReceivedAt.Equal(old.ReceivedAt) && e.ID[0] > old.ID[0]:
				newest[e.RecordKey] = e
			}
		}
		for _, e := range newest {
			rest = append(rest, e)
		}
		same(t, events, rest, "events", "first_received_at", "last_received_at", "call_time")
	})
}

// Facts are kept as jsonb: keys in another order, no Go types.
func TestFactsSurviveStorage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		stored := slices.Clone(events)
		for i, e := range events {
			if e.Facts == nil {
				continue
			}
			e.Facts.SrcName = rapid.String().Draw(t, "name")
			e.Facts.Settings.Country = rapid.StringN(0, 2, 2).Draw(t, "country")
			stored[i].Facts = throughJSON(t, e.Facts)
		}
		same(t, events, stored)
	})
}

func throughJSON(t *rapid.T, f *cdr.Facts) *cdr.Facts {
	var object map[string]any
	var back cdr.Facts
	first := marshal(t, f)
	if err := json.Unmarshal(first, &object); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(marshal(t, object), &back); err != nil {
		t.Fatal(err)
	}
	if again := marshal(t, back); string(again) != string(first) {
		t.Fatalf("stored %s, read back %s", first, again)
	}
	return &back
}

func marshal(t *rapid.T, v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFactsKeepMicroseconds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := cdr.Facts{StartedAt: time.UnixMicro(rapid.Int64Range(0, 7_289_654_400_000_000).Draw(t, "micros")).UTC()}
		if back := throughJSON(t, &f); !back.StartedAt.Equal(f.StartedAt) {
			t.Fatalf("%s, read back %s", f.StartedAt, back.StartedAt)
		}
	})
}
