package piopiy

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeCDR reads the CDR of a leg. Its call_rate is kept as a rate, for its
// unit is not known; balance is the account's and not a price.
func decodeCDR(f *record.Fields, m message) (cdr.Event, error) {
	callID, err := f.Key("conversation_uuid", "request_id", "cmiuuid")
	if err != nil {
		return cdr.Event{}, err
	}
	facts := newFacts(f, m)
	facts.State, facts.Ends = cdr.StateEnded, m.ends()
	facts.Disposition = disposition(m.status)
	if facts.Disposition == cdr.Unknown {
		facts.HangupCause = m.status
	}
	facts.Billsec = f.Seconds("duration") // labelled total, but talk time
	facts.Rate = f.Decimal("call_rate")   // text when charged, the number 0 when not
	if err := times(f, facts); err != nil {
		return cdr.Event{}, err
	}
	return cdr.Event{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: m.word(), Leg: m.leg,
		RecordKey:  strings.Join([]string{callID, m.leg, f.Text("cmiuuid")}, "/"),
		OccurredAt: facts.StartedAt, Clock: cdr.ClockProvider, Facts: facts,
	}, nil
}

// times reads the moments of a CDR. `time` lies seconds beside the start and
// stands in for it only where there is none, as in India, whose CDRs have no
// end either. The answer_time of a missed leg is left over from another call.
func times(f *record.Fields, facts *cdr.Facts) error {
	facts.StartedAt = f.Time("start_time")
	if facts.StartedAt.IsZero() {
		facts.StartedAt = f.Time("time")
		facts.Derived = append(facts.Derived, cdr.MomentStarted)
	}
	if facts.StartedAt.IsZero() {
		return f.Errorf("start_time", "no readable start of the call, nor is time")
	}
	facts.EndedAt = f.Time("end_time")
	if facts.Disposition != cdr.Answered {
		return nil
	}
	facts.AnsweredAt = f.Time("answer_time")
	if facts.AnsweredAt.IsZero() && !facts.EndedAt.IsZero() && facts.Billsec.Valid {
		facts.AnsweredAt = facts.EndedAt.Add(-cdr.Span(facts.Billsec))
		facts.Derived = append(facts.Derived, cdr.MomentAnswered)
	}
	return nil
}

// disposition reads the status of a CDR. PIOPIY has two; why a call was missed
// it does not say.
func disposition(status string) cdr.Disposition {
	switch status {
	case "":
		return ""
	case "answered":
		return cdr.Answered
	case "missed":
		return cdr.NoAnswer
	}
	return cdr.Unknown
}
