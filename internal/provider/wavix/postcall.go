package wavix

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// postCall reads a CDR. It has a start and a duration, but neither answer nor
// end.
func postCall(f *record.Fields) (cdr.Event, error) {
	callID, err := callKey(f)
	if err != nil {
		return cdr.Event{}, err
	}
	facts := newFacts(f, callID)
	facts.StartedAt = f.Time("date")
	if facts.StartedAt.IsZero() {
		return cdr.Event{}, f.Errorf("date", "missing or not a time: a CDR must have one")
	}
	facts.State, facts.Ends = cdr.StateEnded, cdr.EndsCall
	facts.HangupCause = f.Text("disposition")
	facts.Disposition = disposition(facts.HangupCause)
	facts.MachineDetected = answeredBy(f)
	setRoute(facts, f)
	setDuration(facts, f)
	facts.Cost = f.Decimal("charge")
	facts.Rate = f.Decimal("per_minute")
	if facts.Cost.Valid || facts.Rate.Valid {
		facts.Currency = currency
	}
	return cdr.Event{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: "post-call", RecordKey: callID,
		OccurredAt: facts.StartedAt, Facts: facts,
	}, nil
}

// setRoute sets trunk and direction. The first edition of W2 has no direction,
// but sip_trunk for "outbound only" and forward_fee for "inbound forwarded only";
// its example prints both, of a call that was placed. destination is a trunk
// where a call came in, else the name of a country.
func setRoute(facts *cdr.Facts, f *record.Fields) {
	facts.Trunk = f.Text("sip_trunk")
	fee := f.Decimal("forward_fee")
	if facts.Direction == "" {
		switch {
		case facts.Trunk != "":
			facts.Direction = cdr.Outbound
		case fee.Valid && !fee.Decimal.IsZero():
			facts.Direction = cdr.Inbound
		}
	}
	if facts.Trunk == "" && facts.Direction == cdr.Inbound {
		facts.Trunk = f.Text("destination")
	}
}

// setDuration reads `duration` as talk time, unless nobody answered: then only a
// 0 can be that.
func setDuration(facts *cdr.Facts, f *record.Fields) {
	seconds := f.Talk("duration")
	talked := facts.Disposition == cdr.Answered || facts.Disposition == cdr.Unknown || facts.Disposition == ""
	if talked || seconds.Decimal.IsZero() {
		facts.Billsec = seconds
		return
	}
	facts.Duration = seconds
}

func answeredBy(f *record.Fields) *bool {
	machine := false
	switch sent := f.Text("answered_by"); strings.ToLower(sent) {
	case "machine":
		machine = true
	case "human":
	case "":
		return nil
	default:
		f.Problem("answered_by", "neither human nor machine")
		return nil
	}
	return &machine
}
