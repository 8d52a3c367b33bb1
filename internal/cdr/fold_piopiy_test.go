package cdr_test

import (
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// An inbound call: 441 calls 442, which is put through to 443 on leg b. Leg a
// ends the call, leg b only itself; live events know the time roughly.

func legA(f cdr.Facts) cdr.Facts {
	f.Direction, f.Src, f.Dst, f.LegRank = cdr.Inbound, "441", "442", 1
	if f.Ends != "" {
		f.Ends = cdr.EndsCall
	}
	return f
}

func legB(f cdr.Facts) cdr.Facts {
	f.Src, f.Dst, f.LegRank = "441", "443", 2
	if f.Ends != "" {
		f.Ends = cdr.EndsLeg
	}
	return f
}

func answeredLeg(start, answer, end, billsec, rate string) cdr.Facts {
	return cdr.Facts{
		Disposition: cdr.Answered, Ends: cdr.EndsLeg, Billsec: num(billsec), Rate: num(rate),
		StartedAt: at(start), AnsweredAt: at(answer), EndedAt: at(end),
	}
}

func missedLeg(start, end string) cdr.Facts {
	return cdr.Facts{
		Disposition: cdr.NoAnswer, Ends: cdr.EndsLeg, Billsec: num("0"), Rate: num("0"),
		StartedAt: at(start), EndedAt: at(end),
	}
}

func legStarts(when string) cdr.Facts {
	return cdr.Facts{State: cdr.StateStarted, StartedAt: at(when), Derived: derived(cdr.MomentStarted)}
}

func legAnswers(when string) cdr.Facts {
	return cdr.Facts{State: cdr.StateAnswered, AnsweredAt: at(when), Derived: derived(cdr.MomentAnswered)}
}

func legHangsUp(when string) cdr.Facts {
	return cdr.Facts{State: cdr.StateEnded, EndedAt: at(when), Ends: cdr.EndsLeg, Derived: derived(cdr.MomentEnded)}
}

func TestFoldPIOPIYRecords(t *testing.T) {
	t.Parallel()
	bothAnswered := cdr.Call{
		Direction: cdr.Inbound, Src: "441", Dst: "442",
		State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:18"),
		Duration: num("18"), Billsec: num("13"), Rate: num("0.45"),
		Legs: 2, Events: 2, CDRs: 2,
	}
	bOnly := bothAnswered
	bOnly.AnsweredAt, bOnly.Billsec = at("10:00:09"), num("9")
	missed := bothAnswered
	missed.Disposition, missed.AnsweredAt, missed.Billsec, missed.Rate = cdr.NoAnswer, time.Time{}, num("0"), num("0")

	runFold(t, []foldCase{
		{"both legs are answered: the parties and the talk of leg a, the earliest answer", []cdr.Event{
			record("a1", "a", legA(answeredLeg("10:00:00", "10:00:05", "10:00:18", "13", "0.450000"))),
			record("b1", "b", legB(answeredLeg("10:00:02", "10:00:09", "10:00:18", "9", "0"))),
		}, bothAnswered},
		{"a is answered, b is missed: answered, and the rate of the leg that was charged", []cdr.Event{
			record("a1", "a", legA(answeredLeg("10:00:00", "10:00:05", "10:00:18", "13", "0.450000"))),
			record("b1", "b", legB(missedLeg("10:00:02", "10:00:17"))),
		}, bothAnswered},
		{"a is missed, b is answered: answered, with the talk of b", []cdr.Event{
			record("a1", "a", legA(missedLeg("10:00:00", "10:00:18"))),
			record("b1", "b", legB(answeredLeg("10:00:02", "10:00:09", "10:00:18", "9", "0.450000"))),
		}, bOnly},
		{"both are missed: no answer, and billsec the zero that was delivered", []cdr.Event{
			record("a1", "a", legA(missedLeg("10:00:00", "10:00:18"))),
			record("b1", "b", legB(missedLeg("10:00:02", "10:00:17"))),
		}, missed},
		{"a missed leg with an answer time left over from another call", []cdr.Event{
			record("a1", "a", legA(withAnswer(missedLeg("10:00:00", "10:00:18"), "10:00:07"))),
			record("b1", "b", legB(withAnswer(missedLeg("10:00:02", "10:00:17"), "10:00:30"))),
		}, missed},
	})
}

func withAnswer(f cdr.Facts, when string) cdr.Facts {
	f.AnsweredAt = at(when)
	return f
}

// withoutAnswer makes facts as of the Indian pages: answered, but not when.
func withoutAnswer(f cdr.Facts) cdr.Facts {
	f.AnsweredAt = time.Time{}
	return f
}

func TestFoldPIOPIYTwoLegsB(t *testing.T) {
	t.Parallel()
	runFold(t, []foldCase{
		{"two b legs with ids of their own are two records of one leg", []cdr.Event{
			record("a1", "a", legA(answeredLeg("10:00:00", "10:00:05", "10:00:40", "35", "0.45"))),
			record("b1", "b", legB(missedLeg("10:00:05", "10:00:15"))),
			record("b2", "b", legB(answeredLeg("10:00:15", "10:00:20", "10:00:40", "20", "0.45"))),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:40"),
			Duration: num("40"), Billsec: num("35"), Rate: num("0.45"),
			Legs: 2, Events: 3, CDRs: 3,
		}},
		{"the record of the b that was missed does not deny the answer of the other b", []cdr.Event{
			live(cdr.KindAnswered, "b", legB(legAnswers("10:00:20"))),
			record("b1", "b", legB(missedLeg("10:00:05", "10:00:15"))),
			record("b2", "b", legB(withoutAnswer(answeredLeg("10:00:15", "10:00:20", "10:00:40", "20", "0.45")))),
		}, cdr.Call{
			Src: "441", Dst: "443",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:05"), StartedAt: at("10:00:05"), AnsweredAt: at("10:00:20"), EndedAt: at("10:00:40"),
			Duration: num("35"), Billsec: num("20"), Rate: num("0.45"),
			Legs: 1, Events: 3, CDRs: 2,
		}},
	})
}

func TestFoldPIOPIYLive(t *testing.T) {
	t.Parallel()
	talking := cdr.Call{
		Direction: cdr.Inbound, Src: "441", Dst: "442",
		State: cdr.StateAnswered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:01"), StartedAt: at("10:00:01"), AnsweredAt: at("10:00:05"),
		Legs: 2, Events: 3,
	}
	talkingBesideRecord := talking
	talkingBesideRecord.CDRs, talkingBesideRecord.Rate = 1, num("0")
	talkingBesideRecord.CallTime, talkingBesideRecord.StartedAt = at("10:00:02"), at("10:00:02")

	runFold(t, []foldCase{
		{"leg b hangs up while a talks: the call lives", []cdr.Event{
			live(cdr.KindStarted, "a", legA(legStarts("10:00:01"))),
			live(cdr.KindAnswered, "a", legA(legAnswers("10:00:05"))),
			live(cdr.KindEnded, "b", legB(legHangsUp("10:00:17"))),
		}, talking},
		{"the record of leg b, missed, neither ends the call nor takes the answer off leg a", []cdr.Event{
			live(cdr.KindStarted, "a", legA(legStarts("10:00:01"))),
			live(cdr.KindAnswered, "a", legA(legAnswers("10:00:05"))),
			record("b1", "b", legB(missedLeg("10:00:02", "10:00:17"))),
		}, talkingBesideRecord},
		{"the record of leg b, answered, gives a living call no talk time", []cdr.Event{
			live(cdr.KindStarted, "a", legA(legStarts("10:00:01"))),
			record("b1", "b", legB(answeredLeg("10:00:02", "10:00:09", "10:00:17", "8", "0.45"))),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateAnswered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:02"), StartedAt: at("10:00:02"), AnsweredAt: at("10:00:09"), Rate: num("0.45"),
			Legs: 2, Events: 2, CDRs: 1,
		}},
		{"leg a hangs up for the call; the record of leg b does not know when", []cdr.Event{
			live(cdr.KindStarted, "a", legA(legStarts("10:00:01"))),
			live(cdr.KindEnded, "a", legA(legHangsUp("10:00:30"))),
			record("b1", "b", legB(missedLeg("10:00:02", "10:00:17"))),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.NoAnswer, Clock: cdr.ClockProvider,
			CallTime: at("10:00:02"), StartedAt: at("10:00:02"), EndedAt: at("10:00:30"),
			Duration: num("28"), Billsec: num("0"), Rate: num("0"),
			Legs: 2, Events: 3, CDRs: 1,
		}},
		{"the causes of a leg that does not say how it came out are not those of an answered call", []cdr.Event{
			record("a1", "a", legA(answeredLeg("10:00:01", "10:00:09", "10:00:18", "9", "0.45"))),
			live(cdr.KindEnded, "b", cdr.Facts{State: cdr.StateEnded, Ends: cdr.EndsLeg, EndedAt: at("10:00:18"), HangupCause: "gone", SIPCode: 487}),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:01"), StartedAt: at("10:00:01"), AnsweredAt: at("10:00:09"), EndedAt: at("10:00:18"),
			Duration: num("17"), Billsec: num("9"), Rate: num("0.45"),
			Legs: 2, Events: 2, CDRs: 1,
		}},
		{"one stamp printed on every event measures nothing", []cdr.Event{
			live(cdr.KindAnswered, "a", legA(legAnswers("10:00:01"))),
			live(cdr.KindEnded, "a", legA(legHangsUp("10:00:01"))),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:01"), AnsweredAt: at("10:00:01"), EndedAt: at("10:00:01"),
			Legs: 1, Events: 2,
		}},
		{"the record of leg b alone: parties as it says, no direction", []cdr.Event{
			record("b1", "b", legB(answeredLeg("10:00:02", "10:00:09", "10:00:18", "9", "0.45"))),
		}, cdr.Call{
			Src: "441", Dst: "443",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
			CallTime: at("10:00:02"), StartedAt: at("10:00:02"), AnsweredAt: at("10:00:09"), EndedAt: at("10:00:18"),
			Duration: num("16"), Billsec: num("9"), Rate: num("0.45"),
			Legs: 1, Events: 1, CDRs: 1,
		}},
	})
}
