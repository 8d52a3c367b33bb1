package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Wavix and DIDLogic report whole calls: no legs, every end ends the call.

func TestFoldWavix(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	parties := cdr.Facts{Direction: cdr.Outbound, Src: "+441", Dst: "442", StartedAt: at("10:00:00")}
	setup := parties
	setup.State, setup.MachineDetected, setup.Tag = cdr.StateStarted, &no, "campaign"
	ringing := parties
	ringing.State, ringing.RingingAt = cdr.StateRinging, at("10:00:02")
	answered := parties
	answered.State, answered.AnsweredAt, answered.MachineDetected = cdr.StateAnswered, at("10:00:05"), &yes
	completed := parties
	completed.State, completed.Ends, completed.EndedAt = cdr.StateEnded, cdr.EndsCall, at("10:00:20")
	busy := completed
	busy.Disposition = cdr.Busy
	postCall := record("uuid", "", cdr.Facts{
		Direction: cdr.Outbound, Src: "441", Dst: "442", Disposition: cdr.Answered, Ends: cdr.EndsCall,
		StartedAt: at("10:00:01"), Billsec: num("15"), Rate: num("0.027"), Cost: num("0.822"), Currency: "USD",
	})
	whole := cdr.Call{
		Direction: cdr.Outbound, Src: "441", Dst: "442", Tag: "campaign",
		State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:01"), StartedAt: at("10:00:01"), RingingAt: at("10:00:02"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:20"),
		Duration: num("19"), Billsec: num("15"), Rate: num("0.027"), Cost: num("0.822"), Currency: "USD",
		MachineDetected: &yes, Events: 5, CDRs: 1,
	}
	runFold(t, []foldCase{
		{"live events fill the times that the record leaves out; a late ringing reopens nothing", []cdr.Event{
			live(cdr.KindStarted, "", setup),
			live(cdr.KindAnswered, "", answered),
			live(cdr.KindEnded, "", completed),
			live(cdr.KindRinging, "", ringing),
			postCall,
		}, whole},
		{"live alone: started, ringing, busy", []cdr.Event{
			live(cdr.KindStarted, "", setup),
			live(cdr.KindRinging, "", ringing),
			live(cdr.KindEnded, "", busy),
		}, cdr.Call{
			Direction: cdr.Outbound, Src: "+441", Dst: "442", Tag: "campaign",
			State: cdr.StateEnded, Disposition: cdr.Busy, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), RingingAt: at("10:00:02"), EndedAt: at("10:00:20"),
			Duration: num("20"), MachineDetected: &no, Events: 3,
		}},
		{"ringing", []cdr.Event{
			live(cdr.KindRinging, "", ringing),
			live(cdr.KindStarted, "", setup),
		}, cdr.Call{
			Direction: cdr.Outbound, Src: "+441", Dst: "442", Tag: "campaign",
			State: cdr.StateRinging, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), RingingAt: at("10:00:02"),
			MachineDetected: &no, Events: 2,
		}},
		{"a playback neither makes nor counts in a call", []cdr.Event{
			aside(cdr.KindPlayback),
			live(cdr.KindStarted, "", setup),
		}, cdr.Call{
			Direction: cdr.Outbound, Src: "+441", Dst: "442", Tag: "campaign",
			State: cdr.StateStarted, Clock: cdr.ClockProvider,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), MachineDetected: &no, Events: 1,
		}},
	})
}

func TestFoldDIDLogic(t *testing.T) {
	t.Parallel()
	first := cdr.Facts{
		Direction: cdr.Outbound, Src: "441", Dst: "442", Account: "7", Disposition: cdr.Answered, Ends: cdr.EndsCall,
		StartedAt: at("10:00:00"), EndedAt: at("10:00:09"), Duration: num("9"), Derived: derived(cdr.MomentEnded),
	}
	second := first
	second.Billsec, second.AnsweredAt = num("5"), at("10:00:04")
	second.Derived = derived(cdr.MomentEnded, cdr.MomentAnswered)
	call := cdr.Call{
		Direction: cdr.Outbound, Src: "441", Dst: "442", Account: "7",
		State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockProvider,
		CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:09"), Duration: num("9"),
		Events: 1, CDRs: 1,
	}
	withTalk := call
	withTalk.AnsweredAt, withTalk.Billsec = at("10:00:04"), num("5")

	runFold(t, []foldCase{
		{"the edition without billsec: no talk time", []cdr.Event{record("c1", "", first)}, call},
		{"the edition with billsec", []cdr.Event{record("c1", "", second)}, withTalk},
	})
}

func TestFoldNothing(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]cdr.Event{
		"no event":                       nil,
		"events without facts":           {aside(cdr.KindStream), aside(cdr.KindOther)},
		"a CDR kind that says nothing":   {aside(cdr.KindCDR)},
		"a recording is no event at all": {},
	} {
		if c, ok := cdr.Fold(arrive(events)); ok {
			t.Errorf("%s: made a call: %s", name, text(c))
		}
	}
}
