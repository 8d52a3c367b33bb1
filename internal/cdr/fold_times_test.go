package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestFoldTimes(t *testing.T) {
	t.Parallel()
	receiptStart := received("09:59:00", noted(cdr.KindStarted, "", cdr.Facts{State: cdr.StateStarted}))
	roughStart := live(cdr.KindStarted, "", cdr.Facts{
		State: cdr.StateStarted, StartedAt: at("09:59:30"), Derived: derived(cdr.MomentStarted),
	})
	exactStart := live(cdr.KindStarted, "", cdr.Facts{State: cdr.StateStarted, StartedAt: at("10:00:00")})
	earlierStart := live(cdr.KindStarted, "", cdr.Facts{State: cdr.StateStarted, StartedAt: at("09:59:55")})
	started := func(clock string, of cdr.Clock, events int) cdr.Call {
		return cdr.Call{State: cdr.StateStarted, StartedAt: at(clock), CallTime: at(clock), Clock: of, Events: events}
	}
	recordStart := record("r1", "", cdr.Facts{Ends: cdr.EndsCall, StartedAt: at("10:00:00")})
	roughRecordStart := record("r1", "", cdr.Facts{Ends: cdr.EndsCall, StartedAt: at("09:59:30"), Derived: derived(cdr.MomentStarted)})
	over := started("10:00:00", cdr.ClockProvider, 2)
	over.State, over.Disposition, over.CDRs = cdr.StateEnded, cdr.Unknown, 1

	runFold(t, []foldCase{
		{"receipt stands in where the provider sends no time", []cdr.Event{receiptStart}, started("09:59:00", cdr.ClockReceiver, 1)},
		{"an approximate time of the provider beats an earlier receipt", []cdr.Event{receiptStart, roughStart},
			started("09:59:30", cdr.ClockProvider, 2)},
		{"a delivered time beats an earlier approximate one", []cdr.Event{receiptStart, roughStart, exactStart},
			started("10:00:00", cdr.ClockProvider, 3)},
		{"of two equally good starts the earlier", []cdr.Event{exactStart, earlierStart},
			started("09:59:55", cdr.ClockProvider, 2)},
		{"a CDR beats an equally good live event", []cdr.Event{earlierStart, recordStart}, over},
		{"a delivered live time beats an approximate one of the CDR", []cdr.Event{exactStart, roughRecordStart}, over},
		{"one moment of receipt among the provider's makes the clock the receiver's", []cdr.Event{
			exactStart,
			received("10:00:05", noted(cdr.KindAnswered, "", cdr.Facts{State: cdr.StateAnswered})),
		}, cdr.Call{
			State: cdr.StateAnswered, Clock: cdr.ClockReceiver, Events: 2,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"),
		}},
	})
}

func TestFoldAnswerOutsideOfTheCall(t *testing.T) {
	t.Parallel()
	answeredAt := func(clock string) cdr.Event {
		return record("r1", "", cdr.Facts{
			Disposition: cdr.Answered, Ends: cdr.EndsCall,
			StartedAt: at("10:00:00"), AnsweredAt: at(clock), EndedAt: at("10:00:20"),
		})
	}
	stray := cdr.Call{
		State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:20"), Duration: num("20"),
		Events: 1, CDRs: 1,
	}
	atStart, atEnd := stray, stray
	atStart.AnsweredAt, atStart.Billsec = at("10:00:00"), num("20")
	atEnd.AnsweredAt, atEnd.Billsec = at("10:00:20"), num("0")
	byLive := stray
	byLive.Events, byLive.AnsweredAt, byLive.Billsec = 2, at("10:00:05"), num("15")
	runFold(t, []foldCase{
		{"before the start", []cdr.Event{answeredAt("09:59:59")}, stray},
		{"after the end", []cdr.Event{answeredAt("10:00:21")}, stray},
		{"at the start", []cdr.Event{answeredAt("10:00:00")}, atStart},
		{"at the end: a delivered zero", []cdr.Event{answeredAt("10:00:20")}, atEnd},
		{"the CDR's is stray, the live event's is not", []cdr.Event{answeredAt("10:00:21"), connect("10:00:05")}, byLive},
		{"a live answer outside of the CDR's span", []cdr.Event{connect("10:00:25"), record("r1", "", cdr.Facts{
			Disposition: cdr.Answered, Ends: cdr.EndsCall, StartedAt: at("10:00:00"), EndedAt: at("10:00:20"),
		})}, func() cdr.Call { c := stray; c.Events = 2; return c }()},
	})
}

func TestFoldDurations(t *testing.T) {
	t.Parallel()
	ends := func(f cdr.Facts) cdr.Event {
		f.Ends, f.Disposition = cdr.EndsCall, cdr.Answered
		return record("r1", "", f)
	}
	call := func(c cdr.Call) cdr.Call {
		c.State, c.Disposition, c.Clock, c.Events, c.CDRs = cdr.StateEnded, cdr.Answered, cdr.ClockProvider, 1, 1
		return c
	}
	runFold(t, []foldCase{
		{"delivered ones stand, whatever the times say", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:20"),
			Duration: num("19"), Billsec: num("10"), ChargedSec: num("60"),
		})}, call(cdr.Call{
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:20"),
			Duration: num("19"), Billsec: num("10"), ChargedSec: num("60"),
		})},
		{"a delivered zero stands", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00"), EndedAt: at("10:00:20"), Duration: num("0"), Billsec: num("0"),
		})}, call(cdr.Call{
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:20"), Duration: num("0"), Billsec: num("0"),
		})},
		{"an end before the start: none, and no end either", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:20"), EndedAt: at("10:00:00"),
		})}, call(cdr.Call{CallTime: at("10:00:20"), StartedAt: at("10:00:20")})},
		{"no end: none", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"),
		})}, call(cdr.Call{CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05")})},
		{"a duration of approximate times, less than the talk: none", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00"), EndedAt: at("10:00:05"), Billsec: num("13"), Derived: derived(cdr.MomentEnded),
		})}, call(cdr.Call{CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:05"), Billsec: num("13")})},
		{"a duration of delivered times, less than the talk: as the times say", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00"), EndedAt: at("10:00:05"), Billsec: num("13"),
		})}, call(cdr.Call{
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:05"), Duration: num("5"), Billsec: num("13"),
		})},
		{"microseconds are kept", []cdr.Event{ends(cdr.Facts{
			StartedAt: at("10:00:00.25"), EndedAt: at("10:00:01.000001"),
		})}, call(cdr.Call{
			CallTime: at("10:00:00.25"), StartedAt: at("10:00:00.25"), EndedAt: at("10:00:01.000001"), Duration: num("0.750001"),
		})},
	})
}

func TestFoldCallTime(t *testing.T) {
	t.Parallel()
	moments := cdr.Facts{RingingAt: at("10:00:02"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:20"), Ends: cdr.EndsCall}
	withoutRinging := moments
	withoutRinging.RingingAt = cdr.Facts{}.RingingAt
	endOnly := withoutRinging
	endOnly.AnsweredAt = cdr.Facts{}.AnsweredAt
	call := func(c cdr.Call, d cdr.Disposition) cdr.Call {
		c.State, c.Disposition, c.EndedAt, c.Clock, c.Events = cdr.StateEnded, d, at("10:00:20"), cdr.ClockProvider, 1
		return c
	}
	runFold(t, []foldCase{
		{"ringing, without a start", []cdr.Event{live(cdr.KindEnded, "", moments)},
			call(cdr.Call{CallTime: at("10:00:02"), RingingAt: at("10:00:02"), AnsweredAt: at("10:00:05"), Billsec: num("15")}, cdr.Answered)},
		{"the answer", []cdr.Event{live(cdr.KindEnded, "", withoutRinging)},
			call(cdr.Call{CallTime: at("10:00:05"), AnsweredAt: at("10:00:05"), Billsec: num("15")}, cdr.Answered)},
		{"the end", []cdr.Event{live(cdr.KindEnded, "", endOnly)}, call(cdr.Call{CallTime: at("10:00:20")}, cdr.Unknown)},
		{"the first receipt of what counts, and the receiver's clock", []cdr.Event{
			received("11:00:00", aside(cdr.KindStream)),
			received("11:00:02", live(cdr.KindOther, "", cdr.Facts{Src: "441"})),
			received("11:00:01", live(cdr.KindOther, "", cdr.Facts{Dst: "442"})),
		}, cdr.Call{Src: "441", Dst: "442", State: cdr.StateStarted, Clock: cdr.ClockReceiver, CallTime: at("11:00:01"), Events: 2}},
	})
}
