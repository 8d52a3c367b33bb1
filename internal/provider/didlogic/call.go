package didlogic

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeCDR reads the one CDR of a call. A second, different one with the same
// callid is a newer version of it.
func decodeCDR(f *record.Fields, callID string) (cdr.Record, error) {
	started := f.Time("calldate")
	if started.IsZero() {
		return cdr.Record{}, f.Errorf("calldate", "no readable start of the call")
	}
	word := f.Text("disposition")
	facts := &cdr.Facts{
		Account:     f.Text("user_id"),
		Direction:   f.Direction("direction"),
		Src:         f.Number("src"),
		Dst:         f.Number("dst"),
		State:       cdr.StateEnded,
		Disposition: disposition(word),
		HangupCause: word,
		Ends:        cdr.EndsCall,
		StartedAt:   started,
		Duration:    f.Seconds("duration"), // with ringing
		Billsec:     f.Talk("billsec"),     // the first edition has none
	}
	derive(facts)
	return cdr.Record{Events: []cdr.Event{{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: "cdr", RecordKey: callID,
		OccurredAt: started, Clock: cdr.ClockProvider, Facts: facts,
	}}}, nil
}

// derive works out end and answer, which DIDLogic does not send. Without
// billsec there is no answer: duration is not talk time.
func derive(facts *cdr.Facts) {
	if !facts.Duration.Valid {
		return
	}
	facts.EndedAt = facts.StartedAt.Add(cdr.Span(facts.Duration))
	facts.Derived = append(facts.Derived, cdr.MomentEnded)
	if facts.Billsec.Valid && facts.Disposition == cdr.Answered {
		facts.AnsweredAt = facts.EndedAt.Add(-cdr.Span(facts.Billsec))
		facts.Derived = append(facts.Derived, cdr.MomentAnswered)
	}
}

// disposition reads DIDLogic's word. Its page shows ANSWERED only; the others
// are those of Asterisk, whose CDR and Dial spell them differently.
func disposition(word string) cdr.Disposition {
	switch bare(word) {
	case "":
		return ""
	case "ANSWERED", "ANSWER":
		return cdr.Answered
	case "NOANSWER":
		return cdr.NoAnswer
	case "BUSY":
		return cdr.Busy
	case "CANCEL", "CANCELLED", "CANCELED":
		return cdr.Cancelled
	case "REJECTED", "DECLINED":
		return cdr.Rejected
	case "FAILED", "CONGESTION", "CHANUNAVAIL":
		return cdr.Failed
	}
	return cdr.Unknown
}

// bare takes case, spaces, underscores and hyphens off a word.
func bare(word string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, word))
}
