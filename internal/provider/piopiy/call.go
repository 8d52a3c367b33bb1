package piopiy

import (
	"slices"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeCDR reads the CDR of a leg. Its call_rate is kept as a rate, for its
// unit is not known; balance is the account's and not a price.
//
// The business phone's CDRs (doc.telecmi.com/chub/docs/incoming-answered and the
// pages next to it) say answeredsec instead of duration, waitedsec, and why the call
// ended. What their user, team, record and filename say stays in the payload.
func decodeCDR(f *record.Fields, m message) (cdr.Event, error) {
	callID, err := callKey(f)
	if err != nil {
		return cdr.Event{}, err
	}
	facts := newFacts(f, m)
	facts.State, facts.Ends = cdr.StateEnded, m.ends()
	setOutcome(facts, f, m)
	setTalk(facts, f)
	facts.Rate = f.Decimal("call_rate") // text when charged, the number 0 when not
	at, err := times(f, facts)
	if err != nil {
		return cdr.Event{}, err
	}
	return cdr.Event{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: m.word(), Leg: m.leg,
		RecordKey:  strings.Join([]string{callID, m.leg, f.Text("cmiuuid", "cmiuid")}, "/"),
		OccurredAt: at, Clock: cdr.ClockProvider, Facts: facts,
	}, nil
}

// times reads the moments of a CDR and returns the one that it certainly has.
// `time` lies seconds beside the start and stands in for it only where there is
// none, as in India, whose CDRs have no end either. The answer_time of a missed
// leg is left over from another call.
func times(f *record.Fields, facts *cdr.Facts) (at time.Time, err error) {
	facts.StartedAt, facts.EndedAt = f.Time("start_time"), f.End("end_time")
	if at = facts.StartedAt; at.IsZero() {
		at = f.Time("time")
		if at.IsZero() {
			return at, f.Errorf("start_time", "no readable start of the call, nor is time")
		}
		if isBusinessPhone(f) {
			businessTimes(f, facts, at)
			return at, nil
		}
		facts.StartedAt = at
		facts.Derived = append(facts.Derived, cdr.MomentStarted)
	}
	if facts.Disposition != cdr.Answered {
		return at, nil
	}
	facts.AnsweredAt = f.Time("answer_time")
	if facts.AnsweredAt.IsZero() && !facts.EndedAt.IsZero() && facts.Billsec.Valid {
		facts.AnsweredAt = facts.EndedAt.Add(-cdr.Span(facts.Billsec))
		facts.Derived = append(facts.Derived, cdr.MomentAnswered)
	}
	return at, nil
}

// businessTimes follows the chub pages, by which `time` is when the call was
// answered or missed, and waitedsec how long the caller had waited. The samples put
// it some seconds off, so that all of it is derived.
func businessTimes(f *record.Fields, facts *cdr.Facts, at time.Time) {
	derive := func(name cdr.Moment, moment *time.Time, at time.Time) {
		if moment.IsZero() {
			*moment, facts.Derived = at, append(facts.Derived, name)
		}
	}
	if waited := f.Seconds("waitedsec"); waited.Valid {
		derive(cdr.MomentStarted, &facts.StartedAt, at.Add(-cdr.Span(waited)))
	}
	if facts.Disposition != cdr.Answered {
		derive(cdr.MomentEnded, &facts.EndedAt, at)
		return
	}
	derive(cdr.MomentAnswered, &facts.AnsweredAt, at)
	if facts.Billsec.Valid {
		derive(cdr.MomentEnded, &facts.EndedAt, at.Add(cdr.Span(facts.Billsec)))
	}
}

// setOutcome reads how a call came out. The chub pages define the reasons for
// calls that come in: sent_bye and sent_reject are of the user who was called,
// recv_bye is of the caller, recv_cancel means that the user did not answer.
func setOutcome(facts *cdr.Facts, f *record.Fields, m message) {
	facts.Disposition = disposition(m.status)
	if facts.Disposition == cdr.Unknown {
		f.Problem("status", "a word that is not known")
		facts.HangupCause = m.status
	}
	reason := f.Text("hangup_reason")
	if reason != "" {
		facts.HangupCause = reason
	}
	reason = strings.ToLower(reason)
	switch {
	case reason == "sent_reject" && facts.Disposition == cdr.NoAnswer:
		facts.Disposition = cdr.Rejected
	case reason != "" && !slices.Contains([]string{"sent_bye", "recv_bye", "recv_cancel", "sent_reject"}, reason):
		f.Problem("hangup_reason", "a word that is not known")
	}
	if facts.Direction == cdr.Inbound {
		switch reason {
		case "sent_bye", "sent_reject":
			facts.HangupBy = cdr.Callee
		case "recv_bye":
			facts.HangupBy = cdr.Caller
		}
	}
}

// setTalk reads the talk time. PIOPIY labels duration as the total and sends the
// talk in it; next to answeredsec a longer duration is the total.
func setTalk(facts *cdr.Facts, f *record.Fields) {
	if !f.Has("answeredsec") {
		facts.Billsec = f.Talk("duration")
	} else {
		facts.Billsec = f.Talk("answeredsec")
		if total := f.Seconds("duration"); total.Valid && total.Decimal.GreaterThan(facts.Billsec.Decimal) {
			facts.Duration = total
		}
	}
}

// disposition reads the status of a CDR. PIOPIY's pages have two, answered and
// missed, which the overview lists as in_missed and so on; the others are spellings
// of what a switch reports.
func disposition(status string) cdr.Disposition {
	status = strings.TrimPrefix(strings.TrimPrefix(status, "in_"), "out_")
	switch strings.NewReplacer("_", "", "-", "", " ", "").Replace(status) {
	case "":
		return ""
	case "answered", "answer":
		return cdr.Answered
	case "missed", "noanswer", "unanswered", "notanswered":
		return cdr.NoAnswer
	case "busy", "userbusy":
		return cdr.Busy
	case "rejected", "reject", "declined":
		return cdr.Rejected
	case "cancelled", "canceled", "cancel":
		return cdr.Cancelled
	case "failed", "fail", "failure", "congestion", "unreachable":
		return cdr.Failed
	}
	return cdr.Unknown
}
