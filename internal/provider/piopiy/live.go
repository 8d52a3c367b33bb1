package piopiy

import (
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeLive reads a live event of a leg. Its time is approximate: started and
// answered of one leg carry the same, and so do India's answered and hangup.
func decodeLive(f *record.Fields, m message) (cdr.Event, error) {
	e, err := newEvent(f, m, liveKind(m.status))
	if err != nil || e.Kind == cdr.KindOther {
		return e, err
	}
	facts := newFacts(f, m)
	at, moment := e.OccurredAt, cdr.MomentStarted
	switch e.Kind {
	case cdr.KindRinging:
		facts.State, facts.RingingAt, moment = cdr.StateRinging, at, cdr.MomentRinging
	case cdr.KindAnswered:
		facts.State, facts.AnsweredAt, moment = cdr.StateAnswered, at, cdr.MomentAnswered
	case cdr.KindEnded:
		facts.State, facts.EndedAt, moment = cdr.StateEnded, at, cdr.MomentEnded
		facts.Ends = m.ends()
	default:
		facts.State, facts.StartedAt = cdr.StateStarted, at
	}
	if !at.IsZero() {
		facts.Derived = []cdr.Moment{moment}
	}
	e.Facts = facts
	return e, nil
}

// liveKind reads the status of a live event: India's and the older look's words
// are bare, the current look's tell the direction. The answer of leg b is
// called bridged.
func liveKind(status string) cdr.Kind {
	switch status {
	case "started", "out_started":
		return cdr.KindStarted
	case "ringing":
		return cdr.KindRinging
	case "answered", "in_answered", "out_answered", "out_bridged":
		return cdr.KindAnswered
	case "hangup", "in_hangup", "out_hangup":
		return cdr.KindEnded
	}
	return cdr.KindOther
}
