package cdr_test

import (
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// drawEvents draws the events of a call in which everything may contradict
// everything: few legs, keys, moments and words, so that they often meet.
func drawEvents(t *rapid.T) []cdr.Event {
	events := arrive(rapid.SliceOfN(rapid.Custom(drawEvent), 0, 8).Draw(t, "events"))
	for i := range events {
		e := &events[i]
		e.ReceivedAt = at("12:00:00").Add(drawSeconds(t, 9))
		e.LastReceivedAt = e.ReceivedAt
	}
	return events
}

func drawEvent(t *rapid.T) cdr.Event {
	leg := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "leg")
	kind := rapid.SampledFrom([]cdr.Kind{
		cdr.KindStarted, cdr.KindRinging, cdr.KindAnswered, cdr.KindEnded, cdr.KindEnded, cdr.KindCDR, cdr.KindCDR, cdr.KindStream,
	}).Draw(t, "kind")
	f := drawFacts(t)
	switch kind {
	case cdr.KindStream:
		return aside(kind)
	case cdr.KindCDR:
		return record(leg+rapid.SampledFrom([]string{"1", "2"}).Draw(t, "key"), leg, f)
	}
	f.State = cdr.State(kind)
	if kind != cdr.KindEnded {
		f.Ends, f.Disposition = "", ""
	}
	if rapid.Bool().Draw(t, "has times") {
		return live(kind, leg, f)
	}
	f.StartedAt, f.RingingAt, f.AnsweredAt, f.EndedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return noted(kind, leg, f)
}

func drawFacts(t *rapid.T) cdr.Facts {
	word := func(name string) string { return rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(t, name) }
	f := cdr.Facts{
		Src: word("src"), Dst: word("dst"), Tag: word("tag"), Currency: word("currency"), HangupCause: word("hangup cause"),
		Direction:   rapid.SampledFrom([]cdr.Direction{"", cdr.Inbound, cdr.Outbound}).Draw(t, "direction"),
		Disposition: rapid.SampledFrom([]cdr.Disposition{"", cdr.Answered, cdr.Busy, cdr.NoAnswer, cdr.Unknown}).Draw(t, "disposition"),
		Ends:        rapid.SampledFrom([]cdr.Scope{"", cdr.EndsCall, cdr.EndsLeg}).Draw(t, "ends"),
		Attempt:     rapid.IntRange(0, 2).Draw(t, "attempt"),
		LegRank:     rapid.IntRange(0, 2).Draw(t, "leg rank"),
		SIPCode:     rapid.SampledFrom([]int{0, 200, 486}).Draw(t, "sip code"),
		StartedAt:   drawMoment(t, "started"), RingingAt: drawMoment(t, "ringing"),
		AnsweredAt: drawMoment(t, "answered"), EndedAt: drawMoment(t, "ended"),
		Duration: drawAmount(t, "duration"), Billsec: drawAmount(t, "billsec"), ChargedSec: drawAmount(t, "charged"),
		Rate: drawAmount(t, "rate"), Cost: drawAmount(t, "cost"), Tax: drawAmount(t, "tax"),
		Derived: rapid.SliceOfNDistinct(rapid.SampledFrom([]cdr.Moment{
			cdr.MomentStarted, cdr.MomentRinging, cdr.MomentAnswered, cdr.MomentEnded,
		}), 0, 2, rapid.ID).Draw(t, "derived"),
	}
	if rapid.Bool().Draw(t, "has increments") {
		first, machine := rapid.IntRange(1, 2).Draw(t, "first increment"), rapid.Bool().Draw(t, "machine")
		f.FirstIncrement, f.MachineDetected = &first, &machine
	}
	return f
}

func drawMoment(t *rapid.T, name string) time.Time {
	if rapid.Bool().Draw(t, name+" is missing") {
		return time.Time{}
	}
	return at("10:00:00").Add(drawSeconds(t, 5))
}

func drawSeconds(t *rapid.T, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, "seconds")) * time.Second
}

func drawAmount(t *rapid.T, name string) cdr.Amount {
	n := rapid.Int64Range(-1, 3).Draw(t, name)
	if n < 0 {
		return cdr.Amount{}
	}
	return decimal.NewNullDecimal(decimal.New(n, -2))
}
