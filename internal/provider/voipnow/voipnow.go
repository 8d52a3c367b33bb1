// Package voipnow reads the Call Events of 4PSA VoipNow: requests that a PBX
// sends for an extension when it gets, places, answers or ends a call.
//
// The pages, with the letters that the comments cite:
//
//	S   knowledge-base article "Call Events", VoipNow 3 and later
//	V1  wiki.4psa.com/VoipNow/Developer-Guide/Call-Events.html
//	V2  wiki.4psa.com/KB/…/How-to-integrate-VoipNow-with-remote-applications-using-Call-Events
//	V4  github.com/4psa/mcp-voipnow, calls/DOCUMENTATION.md
//	V5  wiki.4psa.com/pages/diffpages.action?originalId=44084270&pageId=44086720: the
//	    statuses of a hangup
//	V6  "Extension Number Events" of Telphin and Ringme, PBXs with the same interface:
//	    ringme-confluence.atlassian.net/wiki/spaces/Ringme/pages/1901921397,
//	    ucom4b.atlassian.net/wiki/spaces/RACD/pages/18743379 and 28213730
//
// A request of VoipNow names neither its kind nor a time. The kind is the hint (a
// URL for each rule), else what status and flow tell; the times are those of
// receipt. Those of V6 name both: EventType, EventTime (microseconds since 1970) and,
// in a hangup, Duration, the talk time in the same unit. RecID stays in the payload:
// it is no address of a recording.
//
// A leg is an extension's view of the call: the flow and the rule's own
// extension, or V6's SubCallID. CallID stays the same over transfers. A call between two extensions is reported twice, as OUT by the one
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
//   - S calls busy, cancelled, failed and not answered all UNKNOWN; V5 and V6 do not;
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
	answer    = "answer" // V6: the flow tells which
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
	hint = cmp.Or(eventType(f), known(hint))
	r := read(f, hint)
	e := cdr.Event{
		CallID: callID, Kind: kind(hint, r.status, s), ProviderKind: hint,
		Leg: r.leg(), Clock: cdr.ClockReceiver,
	}
	if hint == "" {
		e.ProviderKind = cmp.Or(r.status, "-") + " " + cmp.Or(r.sentFlow, "-")
	}
	if at := f.Time("EventTime"); !at.IsZero() {
		e.Clock, e.OccurredAt = cdr.ClockProvider, at
	}
	if e.Kind != cdr.KindOther {
		e.Facts = r.facts(f, &e)
	}
	return cdr.Record{Events: []cdr.Event{e}}, nil
}

// eventType returns what a request of V6 says that happened, empty where it does
// not. Its messages and voicemails, and words that are not known, are no events of
// a call, whatever URL they come to.
func eventType(f *record.Fields) string {
	sent := strings.ToLower(f.Text("EventType"))
	if kind := known(unspaced(sent)); kind != "" {
		return kind
	}
	switch sent {
	case "", "message-in", "message-out", "voicemail":
	default:
		f.Problem("EventType", "an event that is not known")
	}
	return sent
}

// known returns a hint in its one spelling, and nothing where it is none of
// ours: what the request itself says is then better than a guess.
func known(hint string) string {
	hint = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(hint))
	for _, known := range []string{dialIn, dialOut, answerIn, answerOut, answer, hangup} {
		if hint == strings.ReplaceAll(known, "-", "") {
			return known
		}
	}
	return ""
}

func unspaced(word string) string { return strings.ReplaceAll(word, " ", "") }

// kind says what happened. CALLING without a flow is one of the two dials, and
// both are a start.
func kind(hint, status string, s cdr.Settings) cdr.Kind {
	switch hint {
	case dialIn, dialOut:
		return cdr.KindStarted
	case answerIn, answerOut, answer:
		return cdr.KindAnswered
	case hangup:
		return cdr.KindEnded
	case "":
	default: // EventType
		return cdr.KindOther
	}
	switch word(status) {
	case "CALLING":
		return cdr.KindStarted
	case "ANSWER":
		if s.AnswerEvents != nil && !*s.AnswerEvents {
			return cdr.KindEnded
		}
		return cdr.KindAnswered
	}
	if _, known := disposition(status); known {
		return cdr.KindEnded
	}
	return cdr.KindOther
}

// facts says what a request tells about its call.
func (r request) facts(f *record.Fields, e *cdr.Event) *cdr.Facts {
	facts := &cdr.Facts{
		Direction: r.direction(),
		Src:       r.src(), SrcName: r.callerName,
		Dst: r.dst(), DID: r.calledDID,
	}
	switch e.Kind {
	case cdr.KindStarted:
		facts.State, facts.StartedAt = cdr.StateStarted, e.OccurredAt
	case cdr.KindAnswered:
		facts.State, facts.AnsweredAt = cdr.StateAnswered, e.OccurredAt
	case cdr.KindEnded:
		facts.State, facts.EndedAt = cdr.StateEnded, e.OccurredAt
		facts.Ends = r.ends()
		facts.HangupCause = r.status
		facts.Billsec = talk(f)
		var known bool
		if facts.Disposition, known = disposition(r.status); !known && r.status != "" {
			f.Problem("CallStatus", "not a status of a hangup that is known")
		}
		if facts.Disposition == cdr.Answered && !facts.Billsec.Valid && f.Has("EventType") {
			f.Once("Duration", "missing: only an Answer event tells the talk time")
		}
		if facts.Disposition == cdr.Answered && facts.Billsec.Valid && !e.OccurredAt.IsZero() {
			// The talk of a leg: that of the call, over transfers, follows from the times.
			facts.AnsweredAt, facts.Billsec = e.OccurredAt.Add(-cdr.Span(facts.Billsec)), cdr.Amount{}
			facts.Derived = []cdr.Moment{cdr.MomentAnswered}
		}
	}
	return facts
}

// talk reads Duration in the unit of EventTime, which V6 gives in microseconds. Less
// than a millisecond is no talk: that is in seconds.
func talk(f *record.Fields) cdr.Amount {
	exponent := int32(0)
	switch digits := len(f.Text("EventTime")); {
	case digits == 0 || digits > 14 && isDigits(f.Text("EventTime")):
		exponent = -6
	case digits > 11 && isDigits(f.Text("EventTime")):
		exponent = -3
	}
	a := f.TalkIn(exponent, "Duration")
	if a.Valid && exponent == -6 && a.Decimal.Shift(3).IntPart() == 0 {
		a.Decimal = a.Decimal.Shift(6)
	}
	return a
}

// disposition maps the status of a hangup. S lists ANSWER and UNKNOWN, which
// covers busy, no answer, cancelled and failed; V5 and V6 list those.
func disposition(status string) (d cdr.Disposition, known bool) {
	switch strings.NewReplacer("_", "", "-", "").Replace(unspaced(word(status))) {
	case "ANSWER", "ANSWERED":
		return cdr.Answered, true
	case "BUSY":
		return cdr.Busy, true
	case "NOANSWER":
		return cdr.NoAnswer, true
	case "CANCEL", "CANCELED", "CANCELLED":
		return cdr.Cancelled, true
	case "CONGESTION", "CHANUNAVAIL", "FAILED":
		return cdr.Failed, true
	case "UNKNOWN":
		return cdr.Unknown, true
	}
	return cdr.Unknown, false
}
