package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// VoipNow sends no times: receipts stand in. Every end is the end of a leg.

func dials(leg string, f cdr.Facts) cdr.Event {
	f.State = cdr.StateStarted
	return noted(cdr.KindStarted, leg, f)
}

func picksUp(leg string) cdr.Event {
	return noted(cdr.KindAnswered, leg, cdr.Facts{State: cdr.StateAnswered})
}

func hangsUp(leg string, d cdr.Disposition) cdr.Event {
	return noted(cdr.KindEnded, leg, cdr.Facts{State: cdr.StateEnded, Disposition: d, Ends: cdr.EndsLeg})
}

func between(d cdr.Direction, src, dst string) cdr.Facts {
	return cdr.Facts{Direction: d, Src: src, Dst: dst}
}

func TestFoldVoipNow(t *testing.T) {
	t.Parallel()
	internal := between(cdr.Internal, "0003*210", "0003*211")
	inbound := between(cdr.Inbound, "441", "442")
	runFold(t, []foldCase{
		{"an internal call seen from both ends", []cdr.Event{
			received("10:00:00", dials("OUT/0003*210", internal)),
			received("10:00:01", dials("IN/0003*211", internal)),
			received("10:00:05", picksUp("OUT/0003*210")),
			received("10:00:06", picksUp("IN/0003*211")),
			received("10:00:30", hangsUp("IN/0003*211", cdr.Answered)),
			received("10:00:31", hangsUp("OUT/0003*210", cdr.Answered)),
		}, cdr.Call{
			Direction: cdr.Internal, Src: "0003*210", Dst: "0003*211",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), EndedAt: at("10:00:31"),
			Duration: num("31"), Billsec: num("26"), Legs: 2, Events: 6,
		}},
		{"the hangup comes before the dial-in: no duration, not a negative one", []cdr.Event{
			received("10:00:00", hangsUp("IN/1", cdr.Unknown)),
			received("10:00:01", dials("IN/1", inbound)),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Unknown, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:01"), StartedAt: at("10:00:01"), EndedAt: at("10:00:00"), Legs: 1, Events: 2,
		}},
		{"the answer comes after the hangup: answered, but nobody knows when", []cdr.Event{
			received("10:00:00", dials("IN/1", inbound)),
			received("10:00:20", hangsUp("IN/1", cdr.Unknown)),
			received("10:00:21", picksUp("IN/1")),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:20"), Duration: num("20"), Legs: 1, Events: 3,
		}},
		{"an answered hangup without an answer event: the talk time is not known", []cdr.Event{
			received("10:00:00", dials("IN/1", inbound)),
			received("10:00:20", hangsUp("IN/1", cdr.Answered)),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:20"), Duration: num("20"), Legs: 1, Events: 2,
		}},
		{"in a ring group one extension answers and talks while another gives up", []cdr.Event{
			received("10:00:00", dials("IN/1", inbound)),
			received("10:00:01", dials("IN/2", inbound)),
			received("10:00:05", picksUp("IN/2")),
			received("10:00:06", hangsUp("IN/1", cdr.Unknown)),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateAnswered, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), Legs: 2, Events: 4,
		}},
		{"a hangup of unknown outcome never speaks over an answered one", []cdr.Event{
			received("10:00:00", dials("IN/1", inbound)),
			received("10:00:01", dials("IN/2", inbound)),
			received("10:00:30", hangsUp("IN/2", cdr.Answered)),
			received("10:00:31", hangsUp("IN/1", cdr.Unknown)),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "442",
			State: cdr.StateEnded, Disposition: cdr.Answered, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:00"), StartedAt: at("10:00:00"), EndedAt: at("10:00:31"), Duration: num("31"), Legs: 2, Events: 4,
		}},
		{"the earliest leg gives the parties", []cdr.Event{
			received("10:00:02", dials("IN/1", between(cdr.Inbound, "441", "second"))),
			received("10:00:01", dials("IN/2", between(cdr.Inbound, "441", "first"))),
		}, cdr.Call{
			Direction: cdr.Inbound, Src: "441", Dst: "first",
			State: cdr.StateStarted, Clock: cdr.ClockReceiver,
			CallTime: at("10:00:01"), StartedAt: at("10:00:01"), Legs: 2, Events: 2,
		}},
	})
}
