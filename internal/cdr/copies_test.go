package cdr_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// costing returns the CDR of an answered call of that start and cost.
func costing(key, start, cost string) cdr.Event {
	return record(key, "", cdr.Facts{
		StartedAt: at(start), Disposition: cdr.Answered, Ends: cdr.EndsCall,
		Billsec: num("60"), Cost: num(cost), Currency: "USD",
	})
}

func imported(e cdr.Event) cdr.Event {
	f := *e.Facts
	f.Imported = true
	e.Facts = &f
	return e
}

func attempted(n int, start, cost string) cdr.Event {
	leg := string(rune('0' + n))
	e := costing("c1/"+leg, start, cost)
	e.Leg, e.Facts.Attempt = leg, n
	return e
}

func ofLeg(leg, key, start, cost string) cdr.Event {
	e := costing(key, start, cost)
	e.Leg = leg
	return e
}

// unnamed returns a CDR of one of several attempts that does not say which.
func unnamed(key, start, cost string) cdr.Event {
	return ofLeg(at(start).Format(time.RFC3339Nano), key, start, cost)
}

// rough returns an imported CDR that is known by its start alone.
func rough(start, cost string) cdr.Event {
	return imported(costing(cdr.StartKey("c1", at(start)), start, cost))
}

func TestImportedYields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		events     []cdr.Event
		cost       string
		cdrs, seen int
	}{
		{"alone it counts", []cdr.Event{rough("10:00:00", "1")}, "1", 1, 1},
		{"the pushed one of its key wins, received before", []cdr.Event{attempted(1, "10:00:00.5", "1"), imported(attempted(1, "10:00:00", "2"))}, "1", 1, 1},
		{"and after", []cdr.Event{imported(attempted(1, "10:00:00", "2")), attempted(1, "10:00:00.5", "1")}, "1", 1, 1},
		{"of imported ones the last counts", []cdr.Event{imported(attempted(1, "10:00:00", "2")), imported(attempted(1, "10:00:00", "3"))}, "3", 1, 2},
		{"the other attempt of the same second stays", []cdr.Event{attempted(1, "10:00:00.1", "1"), imported(attempted(2, "10:00:00", "2"))}, "3", 2, 2},
		{"a pushed one of its start wins, received before", []cdr.Event{costing("id-1", "10:00:00.9", "1"), rough("10:00:00", "2")}, "1", 1, 1},
		{"and after, the file rounds up", []cdr.Event{rough("10:00:01", "2"), costing("id-1", "10:00:00.6", "1")}, "1", 1, 1},
		{"a second later it is another record", []cdr.Event{costing("id-1", "10:00:00.9", "1"), rough("10:00:02", "2")}, "3", 2, 2},
		{"a whole second apart too", []cdr.Event{costing("id-1", "10:00:01", "1"), rough("10:00:02", "2")}, "3", 2, 2},
		{"a pushed one takes one", []cdr.Event{costing("id-1", "10:00:00.2", "1"), rough("10:00:00", "2"), rough("10:00:01", "4")}, "5", 2, 2},
		{"two pushed ones take two", []cdr.Event{costing("id-1", "10:00:00.2", "1"), costing("id-2", "10:00:01.1", "8"), rough("10:00:00", "2"), rough("10:00:01", "4")}, "9", 2, 2},
		{"two pushed ones never take the same", []cdr.Event{costing("id-1", "10:00:00.2", "1"), costing("id-2", "10:00:00.4", "8"), rough("10:00:00", "2"), rough("10:00:01", "4")}, "9", 2, 2},
		{"a full key wins over a start, both imported", []cdr.Event{rough("10:00:00", "2"), imported(costing("id-1", "10:00:00.3", "1"))}, "1", 1, 1},
		{"and all yield to the pushed one", []cdr.Event{rough("10:00:00", "2"), imported(costing("id-1", "10:00:00.3", "4")), costing("id-1", "10:00:00.3", "1")}, "1", 1, 1},
		{"a pushed one that is known by its start wins over a full key", []cdr.Event{imported(costing("id-1", "10:00:00.3", "4")), costing(cdr.StartKey("c1", at("10:00:00.3")), "10:00:00.3", "1")}, "1", 1, 1},
		{"an attempt of a file is the pushed CDR that names none", []cdr.Event{costing("id-1", "10:00:00.3", "1"), imported(attempted(1, "10:00:00", "2"))}, "1", 1, 1},
		{"of its start only", []cdr.Event{costing("id-1", "10:00:00.3", "1"), imported(attempted(2, "10:00:09", "2"))}, "3", 2, 2},
		{"also where it is one of several", []cdr.Event{unnamed("id-1", "10:00:00.3", "1"), imported(attempted(1, "10:00:00", "2"))}, "1", 1, 1},
		{"but not where that one is of another leg", []cdr.Event{ofLeg("a", "id-1", "10:00:00.3", "1"), imported(attempted(1, "10:00:00", "2"))}, "3", 2, 2},
		{"two full keys are two records", []cdr.Event{costing("id-1", "10:00:00.3", "1"), imported(costing("id-2", "10:00:00.3", "4"))}, "5", 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			permute(arrive(c.events), func(order []cdr.Event) {
				call, _ := cdr.Fold(order)
				if !call.Cost.Decimal.Equal(num(c.cost).Decimal) || call.CDRs != c.cdrs || call.Events != c.seen {
					t.Fatalf("cost %s of %d CDRs and %d events, want %s, %d, %d", call.Cost.Decimal, call.CDRs, call.Events, c.cost, c.cdrs, c.seen)
				}
				if n := len(cdr.Records(order)); n != c.cdrs {
					t.Fatalf("%d records, want %d", n, c.cdrs)
				}
			})
		})
	}
}

// An import of what was pushed leaves no trace in the call, whenever it came and
// whatever it says.
func TestImportLeavesNoTrace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pushed := drawRecords(t)
		both := slices.Clone(pushed)
		for i := range pushed {
			for range rapid.IntRange(0, 2).Draw(t, "copies") {
				both = append(both, drawCopy(t, &pushed[i], len(both)))
			}
		}
		same(t, pushed, rapid.Permutation(both).Draw(t, "order"))
	})
}

// drawRecords returns pushed CDRs of one call with full keys, at least two
// seconds apart, as file and push must be told apart by their starts.
func drawRecords(t *rapid.T) []cdr.Event {
	var events []cdr.Event
	start := at("10:00:00")
	for i := range rapid.IntRange(1, 4).Draw(t, "records") {
		start = start.Add(2*time.Second + time.Duration(rapid.IntRange(0, 3_000_000).Draw(t, "micros"))*time.Microsecond)
		e := costing("id-"+string(rune('a'+i)), "10:00:00", rapid.SampledFrom([]string{"", "0", "0.5", "1"}).Draw(t, "cost"))
		if rapid.Bool().Draw(t, "of a leg") {
			e.Leg = string(rune('1' + i))
			e.Facts.Attempt = i + 1
		}
		e.Facts.StartedAt = start
		events = append(events, e)
	}
	return arrive(events)
}

func drawCopy(t *rapid.T, of *cdr.Event, n int) cdr.Event {
	f := *of.Facts
	f.Imported = true
	f.Cost = num(rapid.SampledFrom([]string{"", "0.5", "7"}).Draw(t, "other cost"))
	f.Disposition = rapid.SampledFrom([]cdr.Disposition{cdr.Answered, cdr.Busy, ""}).Draw(t, "outcome")
	e := *of
	e.Facts, e.ID = &f, [16]byte{byte(n + 1), 1}
	e.ReceivedAt = of.ReceivedAt.Add(drawSeconds(t, 90) - 45*time.Second)
	e.LastReceivedAt = e.ReceivedAt
	if rapid.Bool().Draw(t, "by start") {
		f.StartedAt = f.StartedAt.Truncate(time.Second)
		e.RecordKey, e.Leg = cdr.StartKey(e.CallID, f.StartedAt), ""
	}
	return e
}
