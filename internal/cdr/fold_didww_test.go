package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// attempt is an inbound CDR of one routing attempt to a destination of its own.
func attempt(n string, f cdr.Facts) cdr.Event {
	f.Attempt = int(n[0] - '0')
	f.Direction, f.Src, f.Dst, f.DID = cdr.Inbound, "441", "trunk"+n, "442"
	if f.Ends == "" {
		f.Ends = cdr.EndsLeg
	}
	return record("tag/"+n, n, f)
}

func busyAttempt(start, end string) cdr.Facts {
	return cdr.Facts{
		Disposition: cdr.Busy, SIPCode: 486, HangupCause: "Busy", HangupBy: cdr.Callee,
		StartedAt: at(start), EndedAt: at(end), Billsec: num("0"),
	}
}

func answeredAttempt(start, answer, end, billsec string) cdr.Facts {
	return cdr.Facts{
		Disposition: cdr.Answered, SIPCode: 200, HangupCause: "Bye", HangupBy: cdr.Caller, Billsec: num(billsec),
		StartedAt: at(start), AnsweredAt: at(answer), EndedAt: at(end),
		Cost: num("0.02"), Rate: num("0.01"), Currency: "USD", ChargedSec: num("60"),
	}
}

func last(f cdr.Facts) cdr.Facts {
	f.Ends = cdr.EndsCall
	return f
}

func TestFoldDIDWWAttempts(t *testing.T) {
	t.Parallel()
	answered := cdr.Call{
		Direction: cdr.Inbound, Src: "441", Dst: "trunk1", DID: "442",
		State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:12"), EndedAt: at("10:00:32"),
		Duration: num("32"), Billsec: num("20"), ChargedSec: num("60"),
		Cost: num("0.02"), Rate: num("0.01"), Currency: "USD",
		SIPCode: 200, HangupCause: "Bye", HangupBy: cdr.Caller,
		Legs: 2, Events: 2, CDRs: 2,
	}
	cancelled := cdr.Call{
		Direction: cdr.Inbound, Src: "441", Dst: "trunk1", DID: "442",
		State: cdr.StateEnded, Disposition: cdr.Cancelled, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:30"), Duration: num("30"),
		SIPCode: 487, HangupCause: "Cancel", Billsec: num("0"),
		Legs: 3, Events: 3, CDRs: 3,
	}
	runFold(t, []foldCase{
		{"busy, then answered by the second destination", []cdr.Event{
			attempt("1", busyAttempt("10:00:00", "10:00:10")),
			attempt("2", last(answeredAttempt("10:00:10", "10:00:12", "10:00:32", "20"))),
		}, answered},
		{"three attempts in vain: the outcome of the last one, the parties of the first", []cdr.Event{
			attempt("1", busyAttempt("10:00:00", "10:00:10")),
			attempt("2", busyAttempt("10:00:10", "10:00:20")),
			attempt("3", last(cdr.Facts{
				Disposition: cdr.Cancelled, SIPCode: 487, HangupCause: "Cancel", Billsec: num("0"),
				StartedAt: at("10:00:20"), EndedAt: at("10:00:30"),
			})),
		}, cancelled},
	})
}

// start, connect and end are the live events of the whole call.
func start(when string) cdr.Event {
	return live(cdr.KindStarted, "", cdr.Facts{
		State: cdr.StateStarted, StartedAt: at(when), Direction: cdr.Inbound, Src: "441", DID: "442",
	})
}

func connect(when string) cdr.Event {
	return live(cdr.KindAnswered, "", cdr.Facts{State: cdr.StateAnswered, AnsweredAt: at(when)})
}

func end(when, billsec string) cdr.Event {
	return live(cdr.KindEnded, "", cdr.Facts{
		State: cdr.StateEnded, EndedAt: at(when), Billsec: num(billsec), Ends: cdr.EndsCall,
	})
}

func TestFoldDIDWWLiveBesideAttempts(t *testing.T) {
	t.Parallel()
	goesOn := cdr.Call{
		Direction: cdr.Inbound, Src: "441", Dst: "trunk1", DID: "442",
		State: cdr.StateStarted, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"),
		Legs: 1, Events: 2, CDRs: 1,
	}
	answered := goesOn
	answered.State, answered.Disposition = cdr.StateEnded, cdr.Answered
	answered.AnsweredAt, answered.EndedAt = at("10:00:12"), at("10:00:32")
	answered.Duration, answered.Billsec = num("32"), num("20")
	answered.Events = 4
	missed := goesOn
	missed.State, missed.Disposition, missed.EndedAt = cdr.StateEnded, cdr.Busy, at("10:00:10")
	missed.Duration, missed.Billsec = num("10"), num("0")
	missed.SIPCode, missed.HangupCause, missed.HangupBy = 486, "Busy", cdr.Callee
	missed.Events = 4

	runFold(t, []foldCase{
		{"attempt 1 is not the last and the live event says that the call goes on", []cdr.Event{
			start("10:00:00"),
			attempt("1", busyAttempt("10:00:00", "10:00:10")),
		}, goesOn},
		{"the last record is lost: the live events know the answer and the end", []cdr.Event{
			start("10:00:00"), connect("10:00:12"), end("10:00:32", "20"),
			attempt("1", busyAttempt("10:00:00", "10:00:10")),
		}, answered},
		{"live events that contradict the last record: it removes the answer, its state and its billsec", []cdr.Event{
			start("10:00:00"), connect("10:00:05"), end("10:00:10", "5"),
			attempt("1", last(busyAttempt("10:00:00", "10:00:10"))),
		}, missed},
	})
}

func TestFoldDIDWWOutboundContradiction(t *testing.T) {
	t.Parallel()
	runFold(t, []foldCase{
		{"the printed example: a record of 487 beside events of a connected call", []cdr.Event{
			live(cdr.KindStarted, "", cdr.Facts{
				State: cdr.StateStarted, StartedAt: at("11:05:30"), Direction: cdr.Outbound, Src: "441", Dst: "442",
				Rate: num("0.004"), Currency: "USD",
			}),
			connect("11:05:38"),
			end("11:05:58", "10"),
			record("id1", "", cdr.Facts{
				Direction: cdr.Outbound, Src: "441", Dst: "442", Disposition: cdr.Cancelled, Ends: cdr.EndsCall,
				StartedAt: at("11:05:30"), EndedAt: at("11:05:30"), SIPCode: 487,
				Cost: num("0"), Rate: num("0.005"), Currency: "USD",
			}),
		}, cdr.Call{
			Direction: cdr.Outbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Cancelled, Clock: cdr.ClockProvider,
			CallTime: at("11:05:30"), StartedAt: at("11:05:30"), EndedAt: at("11:05:30"), Duration: num("0"),
			Rate: num("0.005"), Cost: num("0"), Currency: "USD", SIPCode: 487,
			Events: 4, CDRs: 1,
		}},
		{"a record that is contradicted the other way: it proves the answer", []cdr.Event{
			start("10:00:00"), end("10:00:30", ""),
			record("id1", "", cdr.Facts{
				Direction: cdr.Outbound, Src: "441", Dst: "442", Disposition: cdr.Answered, Ends: cdr.EndsCall,
				StartedAt: at("10:00:00"), AnsweredAt: at("10:00:10"), EndedAt: at("10:00:30"), Billsec: num("20"),
			}),
		}, cdr.Call{
			Direction: cdr.Outbound, Src: "441", Dst: "442", DID: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:10"), EndedAt: at("10:00:30"),
			Duration: num("30"), Billsec: num("20"),
			Events: 3, CDRs: 1,
		}},
	})
}
