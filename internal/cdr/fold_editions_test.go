package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// edition is one version of a whole-call CDR.
func edition(cost, end, billsec string) cdr.Event {
	return record("r1", "", cdr.Facts{
		Src: "441", Disposition: cdr.Answered, Ends: cdr.EndsCall,
		StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at(end),
		Billsec: num(billsec), Cost: num(cost), Currency: "USD",
	})
}

func editionCall(cost, end, duration, billsec string, events int) cdr.Call {
	return cdr.Call{
		Src: "441", State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at(end),
		Duration: num(duration), Billsec: num(billsec), Cost: num(cost), Currency: "USD",
		Events: events, CDRs: 1,
	}
}

func TestFoldEditions(t *testing.T) {
	t.Parallel()
	unpriced := record("r1", "", cdr.Facts{
		Disposition: cdr.Busy, Ends: cdr.EndsCall, StartedAt: at("10:00:00"), EndedAt: at("10:00:10"),
	})
	repeatedLate := received("12:00:00", edition("0.10", "10:01:05", "60"))
	repeatedLate.LastReceivedAt, repeatedLate.Deliveries = at("13:00:00"), 2
	notLast := attempt("1", busyAttempt("10:00:00", "10:00:10"))
	thoughtLast := attempt("1", last(busyAttempt("10:00:00", "10:00:10")))

	runFold(t, []foldCase{
		{"a corrected CDR with a lower price and a shorter call wins", []cdr.Event{
			edition("0.10", "10:01:05", "60"),
			edition("0.05", "10:00:35", "30"),
		}, editionCall("0.05", "10:00:35", "35", "30", 2)},
		{"an older edition that is received later wins", []cdr.Event{
			edition("0.05", "10:00:35", "30"),
			edition("0.10", "10:01:05", "60"),
		}, editionCall("0.10", "10:01:05", "65", "60", 2)},
		{"a late repeat of the older edition does not win", []cdr.Event{
			repeatedLate,
			received("12:30:00", edition("0.05", "10:00:35", "30")),
		}, editionCall("0.05", "10:00:35", "35", "30", 2)},
		{"received at one instant: the greater event id wins", []cdr.Event{
			received("12:00:00", edition("0.10", "10:01:05", "60")),
			received("12:00:00", edition("0.05", "10:00:35", "30")),
		}, editionCall("0.05", "10:00:35", "35", "30", 2)},
		{"it wins as a whole: what it leaves out is not filled from the older one", []cdr.Event{
			edition("0.10", "10:01:05", "60"),
			unpriced,
		}, cdr.Call{
			State: cdr.StateEnded, Disposition: cdr.Busy, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:10"), Duration: num("10"),
			Events: 2, CDRs: 1,
		}},
		{"its end with it: a record that is no longer the last one does not end the call", []cdr.Event{
			start("10:00:00"),
			thoughtLast,
			notLast,
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "trunk1", DID: "442",
			State: cdr.StateStarted, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), Legs: 1, Events: 3, CDRs: 1,
		}},
	})
}

func TestFoldOutcome(t *testing.T) {
	t.Parallel()
	ended := cdr.Call{
		State: cdr.StateEnded, Clock: cdr.ClockProvider, CallTime: at("10:00:00"), EndedAt: at("10:00:00"), Events: 1,
	}
	silent := ended
	silent.Disposition = cdr.Unknown
	silentAfterAnswer := ended
	silentAfterAnswer.Disposition, silentAfterAnswer.AnsweredAt, silentAfterAnswer.CDRs = cdr.Answered, at("09:59:50"), 1
	silentAfterAnswer.CallTime, silentAfterAnswer.Billsec = at("09:59:50"), num("10")
	rejected := ended
	rejected.Disposition, rejected.Events = cdr.Rejected, 2

	end := cdr.Facts{State: cdr.StateEnded, Ends: cdr.EndsCall, EndedAt: at("10:00:00")}
	noWord := withAnswer(end, "09:59:50")
	unknownWord := noWord
	unknownWord.Disposition = cdr.Unknown
	word := end
	word.Disposition = cdr.Rejected
	strangeWord := end
	strangeWord.Disposition = cdr.Unknown

	runFold(t, []foldCase{
		{"ended without a word: unknown", []cdr.Event{live(cdr.KindEnded, "", end)}, silent},
		{"a CDR without a word, with an answer", []cdr.Event{record("r1", "", noWord)}, silentAfterAnswer},
		{"a CDR with a word that nobody knows, with an answer", []cdr.Event{record("r1", "", unknownWord)}, silentAfterAnswer},
		{"a known word beats an unknown one", []cdr.Event{
			live(cdr.KindEnded, "", word), live(cdr.KindEnded, "", strangeWord),
		}, rejected},
		{"an end of the call stays one, whatever ends its leg later", []cdr.Event{
			live(cdr.KindEnded, "a", word),
			live(cdr.KindEnded, "a", cdr.Facts{State: cdr.StateEnded, Ends: cdr.EndsLeg}),
			live(cdr.KindStarted, "b", cdr.Facts{State: cdr.StateStarted}),
		}, func() cdr.Call { c := rejected; c.Legs, c.Events = 2, 3; return c }()},
		{"a live event has the word that the CDR lacks", []cdr.Event{
			live(cdr.KindEnded, "", word), record("r1", "", strangeWord),
		}, func() cdr.Call { c := rejected; c.CDRs = 1; return c }()},
	})
}

func TestFoldLabels(t *testing.T) {
	t.Parallel()
	named := cdr.Facts{
		Provider: "wavix", ParentCallID: "p0", Account: "7", Direction: cdr.Inbound,
		Src: "441", SrcE164: "+441", SrcCountry: "GB", SrcName: "Ann",
		Dst: "442", DstE164: "+442", DstCountry: "GB", DID: "443", Trunk: "t1", Tag: "x",
		State: cdr.StateStarted, StartedAt: at("10:00:00"),
	}
	withoutSrc := cdr.Facts{Dst: "999", DstE164: "+999", Tag: "y", State: cdr.StateRinging, RingingAt: at("10:00:01")}
	runFold(t, []foldCase{
		{"every label arrives in the call, the first that says it", []cdr.Event{
			live(cdr.KindStarted, "", named), live(cdr.KindRinging, "", withoutSrc),
		}, cdr.Call{
			Provider: "wavix", ParentCallID: "p0", Account: "7", Direction: cdr.Inbound,
			Src: "441", SrcE164: "+441", SrcCountry: "GB", SrcName: "Ann",
			Dst: "442", DstE164: "+442", DstCountry: "GB", DID: "443", Trunk: "t1", Tag: "x",
			State: cdr.StateRinging, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), RingingAt: at("10:00:01"), Events: 2,
		}},
		{"a number and its E.164 come from one record", []cdr.Event{
			live(cdr.KindStarted, "", cdr.Facts{Src: "0441", State: cdr.StateStarted, StartedAt: at("10:00:00")}),
			record("r1", "", cdr.Facts{Dst: "442", DstE164: "+442", Ends: cdr.EndsCall, StartedAt: at("10:00:00")}),
		}, cdr.Call{
			Src: "0441", Dst: "442", DstE164: "+442",
			State: cdr.StateEnded, Disposition: cdr.Unknown, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), Events: 2, CDRs: 1,
		}},
		{"what leg a leaves open is not taken from leg b", []cdr.Event{
			live(cdr.KindStarted, "a", cdr.Facts{Src: "441", LegRank: 1, StartedAt: at("10:00:00")}),
			live(cdr.KindStarted, "b", cdr.Facts{Src: "441", Dst: "443", LegRank: 2, StartedAt: at("10:00:01")}),
		}, cdr.Call{
			Src: "441", State: cdr.StateStarted, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), Legs: 2, Events: 2,
		}},
	})
}
