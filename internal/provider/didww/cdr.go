package didww

import (
	"strconv"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// outboundCDR reads the CDR of a Voice OUT call.
func outboundCDR(f, a *record.Fields) (cdr.Event, error) {
	facts, err := ended(a, "disconnect_code", "disconnect_reason")
	if err != nil {
		return cdr.Event{}, err
	}
	callID, err := outboundCall(facts, a)
	if err != nil {
		return cdr.Event{}, err
	}
	facts.Ends = cdr.EndsCall
	outboundParties(facts, a)
	outboundTariff(facts, a)
	facts.Cost = a.Decimal("price")
	facts.ChargedSec = a.Seconds("billing_duration")
	key := f.ID("id")
	if key == "" {
		key = cdr.StartKey(callID, facts.StartedAt)
	}
	return cdr.Event{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: outCDR, RecordKey: key,
		OccurredAt: facts.StartedAt, Facts: facts,
	}, nil
}

// inboundCDR reads the CDR of one routing attempt of a Voice IN call.
func inboundCDR(f, a *record.Fields) (cdr.Event, error) {
	callID, err := a.Key("local_tag")
	if err != nil {
		return cdr.Event{}, err
	}
	facts, err := ended(a, "internal_disconnect_code", "internal_disconnect_reason")
	if err != nil {
		return cdr.Event{}, err
	}
	facts.Direction = cdr.Inbound
	facts.Src = a.Number("src_number")
	facts.SrcName = a.Text("src_name")
	facts.Dst = a.Number("dst_number", "did_number")
	facts.DID = a.Number("did_number")
	facts.Trunk = a.Text("trunk_destination")
	inboundCharges(facts, a)
	facts.CostIncludesTax = new(true) // D4 has an _amount_no_vat next to each _amount
	e := cdr.Event{
		CallID: callID, Kind: cdr.KindCDR, ProviderKind: inCDR,
		OccurredAt: facts.StartedAt, Facts: facts,
	}
	setAttempt(&e, f, a)
	return e, nil
}

// setAttempt says which attempt a CDR describes: the leg, the key of the record,
// and whether the call ends with it. The pages name no key; the newest example
// of D4 shows no id. Without an attempt the CDR stands for the whole call,
// unless it says that others follow.
func setAttempt(e *cdr.Event, f, a *record.Fields) {
	facts := e.Facts
	facts.Ends = cdr.EndsCall
	if last := a.Bool("is_last_cdr"); last != nil && !*last {
		facts.Ends = cdr.EndsLeg
	}
	attempt := a.Int("routing_attempt")
	if attempt != nil && *attempt < 0 {
		a.Problem("routing_attempt", "negative")
		attempt = nil
	}
	if attempt != nil {
		facts.Attempt = *attempt
		e.Leg = strconv.Itoa(*attempt)
		e.RecordKey = e.CallID + "/" + e.Leg
		return
	}
	if e.RecordKey = f.ID("id"); e.RecordKey == "" {
		e.RecordKey = cdr.StartKey(e.CallID, facts.StartedAt)
	}
	if facts.Ends == cdr.EndsLeg {
		e.Leg = facts.StartedAt.Format(time.RFC3339Nano)
	}
}

// ended reads what both kinds of CDR have in common. Voice IN prints its times
// without a zone: "UTC by inference", as the columns of DIDWW's logs and exports.
// duration is talk time, from the answer.
func ended(a *record.Fields, code, reason string) (*cdr.Facts, error) {
	facts := &cdr.Facts{
		State:       cdr.StateEnded,
		StartedAt:   a.Time("time_start"),
		AnsweredAt:  a.Time("time_connect"),
		EndedAt:     a.End("time_end"),
		Billsec:     a.Talk("duration"),
		Tax:         a.Decimal("customer_vat"),
		HangupCause: a.Text(reason),
		HangupBy:    party(a.Int("disconnect_initiator")),
	}
	if facts.StartedAt.IsZero() {
		return nil, a.Errorf("time_start", "missing or not a time: a CDR must have one")
	}
	if c := a.Int(code); c != nil && *c > 0 {
		facts.SIPCode = *c
	}
	facts.Disposition = disposition(a.Bool("success"), connected(facts), facts.SIPCode, facts.HangupBy)
	return facts, nil
}
