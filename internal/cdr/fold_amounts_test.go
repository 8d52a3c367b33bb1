package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// charges makes a CDR of its own key that says nothing but amounts.
func charges(key string, f cdr.Facts) cdr.Event {
	f.Ends, f.StartedAt = cdr.EndsCall, at("10:00:00")
	return record(key, "", f)
}

func charged(records int, c cdr.Call) cdr.Call {
	c.State, c.Disposition, c.Clock = cdr.StateEnded, cdr.Unknown, cdr.ClockProvider
	c.CallTime, c.StartedAt, c.Events, c.CDRs = at("10:00:00"), at("10:00:00"), records, records
	return c
}

func TestFoldSums(t *testing.T) {
	t.Parallel()
	runFold(t, []foldCase{
		{"different record keys add up", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Tax: num("0.004"), ChargedSec: num("60"), Currency: "USD"}),
			charges("r2", cdr.Facts{Cost: num("0.01"), Tax: num("0.002"), ChargedSec: num("30"), Currency: "USD"}),
		}, charged(2, cdr.Call{Cost: num("0.03"), Tax: num("0.006"), ChargedSec: num("90"), Currency: "USD"})},
		{"null is nothing in a sum", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Currency: "USD"}),
			charges("r2", cdr.Facts{ChargedSec: num("30")}),
		}, charged(2, cdr.Call{Cost: num("0.02"), ChargedSec: num("30"), Currency: "USD"})},
		{"null only if all are null", []cdr.Event{
			charges("r1", cdr.Facts{}), charges("r2", cdr.Facts{}),
		}, charged(2, cdr.Call{})},
		{"a delivered zero is no null", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0"), Currency: "USD"}), charges("r2", cdr.Facts{}),
		}, charged(2, cdr.Call{Cost: num("0"), Currency: "USD"})},
		{"mixed currencies: no cost, no tax, no currency, but the seconds", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Tax: num("0.004"), ChargedSec: num("60"), Currency: "USD"}),
			charges("r2", cdr.Facts{Cost: num("0.01"), ChargedSec: num("30"), Currency: "EUR"}),
		}, charged(2, cdr.Call{ChargedSec: num("90")})},
		{"a known and an unknown currency do not mix", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Currency: "USD"}),
			charges("r2", cdr.Facts{Cost: num("0.01")}),
		}, charged(2, cdr.Call{})},
		{"nothing is nothing in every currency", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Tax: num("0"), Currency: "USD"}),
			charges("r2", cdr.Facts{Cost: num("0")}),
			charges("r3", cdr.Facts{Cost: num("0"), Currency: "EUR"}),
		}, charged(3, cdr.Call{Cost: num("0.02"), Tax: num("0"), Currency: "USD"})},
		{"the amounts of live events are not added", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("0.02"), Currency: "USD"}),
			live(cdr.KindEnded, "", cdr.Facts{Cost: num("0.02"), Currency: "USD", EndedAt: at("10:00:00")}),
		}, func() cdr.Call {
			c := charged(2, cdr.Call{Cost: num("0.02"), Currency: "USD", EndedAt: at("10:00:00"), Duration: num("0")})
			c.CDRs = 1
			return c
		}()},
	})
}

func TestFoldRates(t *testing.T) {
	t.Parallel()
	one, sixty := 1, 60
	rated := func(rate string, first, next *int) cdr.Facts {
		return cdr.Facts{Rate: num(rate), FirstIncrement: first, NextIncrement: next, Currency: "USD"}
	}
	runFold(t, []foldCase{
		{"charging records agree", []cdr.Event{
			charges("r1", rated("0.450000", &sixty, &one)), charges("r2", rated("0.45", &sixty, &one)),
		}, charged(2, cdr.Call{Rate: num("0.45"), FirstIncrement: &sixty, NextIncrement: &one, Currency: "USD"})},
		{"they disagree, each on its own", []cdr.Event{
			charges("r1", rated("0.45", &sixty, &one)), charges("r2", rated("0.40", &sixty, &sixty)),
		}, charged(2, cdr.Call{FirstIncrement: &sixty, Currency: "USD"})},
		{"the free leg's number 0 beside the charged leg's 0.45", []cdr.Event{
			charges("r1", rated("0", nil, nil)), charges("r2", rated("0.45", &sixty, &one)),
		}, charged(2, cdr.Call{Rate: num("0.45"), FirstIncrement: &sixty, NextIncrement: &one, Currency: "USD"})},
		{"all free", []cdr.Event{
			charges("r1", rated("0", nil, nil)), charges("r2", rated("0", nil, nil)),
		}, charged(2, cdr.Call{Rate: num("0"), Currency: "USD"})},
		{"a record without a rate is not asked", []cdr.Event{
			charges("r1", cdr.Facts{}), charges("r2", rated("0.45", nil, nil)),
		}, charged(2, cdr.Call{Rate: num("0.45"), Currency: "USD"})},
		{"a charge without a rate disagrees with one that has it", []cdr.Event{
			charges("r1", cdr.Facts{Cost: num("1"), Currency: "USD"}), charges("r2", rated("0.45", nil, nil)),
		}, charged(2, cdr.Call{Cost: num("1"), Currency: "USD"})},
		{"rates of two currencies have none together, in either order", []cdr.Event{
			charges("r1", cdr.Facts{Rate: num("0.45")}), charges("r2", rated("0.45", nil, nil)),
		}, charged(2, cdr.Call{Rate: num("0.45")})},
		{"while there is no CDR, the rate of the live events", []cdr.Event{
			live(cdr.KindStarted, "", rated("0.004", &sixty, &one)),
			live(cdr.KindEnded, "", cdr.Facts{Ends: cdr.EndsCall, StartedAt: at("10:00:00")}),
		}, func() cdr.Call {
			c := charged(2, cdr.Call{Rate: num("0.004"), FirstIncrement: &sixty, NextIncrement: &one, Currency: "USD"})
			c.CDRs = 0
			return c
		}()},
	})
}
