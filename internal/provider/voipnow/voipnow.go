// Package voipnow reads the Call Events of 4PSA VoipNow: requests that a PBX
// sends for an extension when it gets, places, answers or ends a call.
//
// The pages, with the letters that the comments cite:
//
//	S   knowledge-base article "Call Events", VoipNow 3 and later
//	V1  wiki.4psa.com/VoipNow/Developer-Guide/Call-Events.html
//	V2  wiki.4psa.com/KB/…/How-to-integrate-VoipNow-with-remote-applications-using-Call-Events
//	V4  github.com/4psa/mcp-voipnow, calls/DOCUMENTATION.md
//
// A request names neither its kind nor a time. The kind is the hint (a URL for
// each rule), else what status and flow tell; the times are those of receipt.
//
// A leg is an extension's view of the call: the flow and the rule's own
// extension. A call between two extensions is reported twice, as OUT by the one
// and as IN by the other.
//
// Limits:
//   - requests that are equal in every parameter count as one event: there is no
//     time and no number of the message in them;
//   - without hints ANSWER is an Answer event or the hangup of an answered call.
//     It counts as the first and ends nothing, unless the source's answer_events
//     is false. So an answered call does not end without hints;
//   - a hangup that does not name the rule's own extension ends the call, even where
//     another extension still talks;
//   - the talk time of an answered call without an Answer event is not known;
//   - busy, cancelled, failed and not answered are all UNKNOWN;
//   - two PBXs need two sources: nobody promises that their CallIDs differ.
package voipnow

import (
	"cmp"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// The hints, one for each type of event. S says "three events"; the answers come
// from V1, V2 and V4.
const (
	dialIn    = "dial-in"
	dialOut   = "dial-out"
	answerIn  = "answer-in"
	answerOut = "answer-out"
	hangup    = "hangup"
)

// Decode says what one request of VoipNow means: one event. What is neither
// hinted at nor has a known status is kept without facts. Only a missing CallID
// is an error.
//
// The provider's kind is the hint, else status and flow as sent. It is part of
// the event's identity, so that no setting may change it; and it comes back as
// the hint when a stored event is decoded again, so that it must not become one
// of ours: its blank sees to that.
func Decode(_ *record.Record, f *record.Fields, hint string, s cdr.Settings) (cdr.Record, error) {
	callID, err := f.Key("CallID")
	if err != nil {
		return cdr.Record{}, err
	}
	hint = known(hint)
	r := read(f, hint)
	e := cdr.Event{
		CallID: callID, Kind: kind(hint, r.status, s), ProviderKind: hint,
		Leg: r.leg(), Clock: cdr.ClockReceiver,
	}
	if hint == "" {
		e.ProviderKind = cmp.Or(r.status, "-") + " " + cmp.Or(r.sentFlow, "-")
	}
	if e.Kind != cdr.KindOther {
		e.Facts = r.facts(e.Kind)
	}
	return cdr.Record{Events: []cdr.Event{e}}, nil
}

// known returns a hint in its one spelling, and nothing where it is none of
// ours: what the request itself says is then better than a guess.
func known(hint string) string {
	hint = strings.ReplaceAll(strings.ToLower(hint), "_", "-")
	switch hint {
	case dialIn, dialOut, answerIn, answerOut, hangup:
		return hint
	}
	return ""
}

// kind says what happened. CALLING without a flow is one of the two dials, and
// both are a start.
func kind(hint, status string, s cdr.Settings) cdr.Kind {
	switch hint {
	case dialIn, dialOut:
		return cdr.KindStarted
	case answerIn, answerOut:
		return cdr.KindAnswered
	case hangup:
		return cdr.KindEnded
	}
	switch word(status) {
	case "CALLING":
		return cdr.KindStarted
	case "UNKNOWN":
		return cdr.KindEnded
	case "ANSWER":
		if s.AnswerEvents != nil && !*s.AnswerEvents {
			return cdr.KindEnded
		}
		return cdr.KindAnswered
	}
	return cdr.KindOther
}

// facts says what a request tells about its call. It tells no times.
func (r request) facts(k cdr.Kind) *cdr.Facts {
	facts := &cdr.Facts{
		Direction: r.direction(),
		Src:       r.src(), SrcName: r.callerName,
		Dst: r.dst(), DID: r.calledDID,
	}
	switch k {
	case cdr.KindStarted:
		facts.State = cdr.StateStarted
	case cdr.KindAnswered:
		facts.State = cdr.StateAnswered
	case cdr.KindEnded:
		facts.State = cdr.StateEnded
		facts.Ends = r.ends()
		facts.Disposition = disposition(r.status)
		facts.HangupCause = r.status
	}
	return facts
}

// disposition maps the status of a hangup. S lists ANSWER and UNKNOWN, which
// does not tell busy, no answer, cancelled and failed apart.
func disposition(status string) cdr.Disposition {
	if word(status) == "ANSWER" {
		return cdr.Answered
	}
	return cdr.Unknown
}
