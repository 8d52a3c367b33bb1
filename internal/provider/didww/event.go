package didww

import (
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// incoming reads an event of Voice IN. Its attributes' call_id looks like a tag
// of the outgoing leg and is not the call.
func incoming(f, a *record.Fields, kind string) (cdr.Event, error) {
	callID, err := f.Key("id")
	if err != nil {
		return cdr.Event{}, err
	}
	e := live(a, kind)
	e.CallID = callID
	e.Facts.Direction = cdr.Inbound
	e.Facts.Src = a.Number("src_number")
	e.Facts.DID = a.Number("did_number")
	e.Facts.Dst = e.Facts.DID
	return e, nil
}

// outbound reads an event of Voice OUT. src_number is the caller after DIDWW's
// rewriting; original_src_number, before it, stays in the payload.
func outbound(a *record.Fields, kind string) (cdr.Event, error) {
	callID, err := a.Key("call_id")
	if err != nil {
		return cdr.Event{}, err
	}
	e := live(a, kind)
	e.CallID = callID
	outboundParties(e.Facts, a)
	outboundTariff(e.Facts, a)
	return e, nil
}

// live reads what the events of both services say about the life of a call.
func live(a *record.Fields, kind string) cdr.Event {
	facts := &cdr.Facts{StartedAt: a.Time("time_start")}
	e := cdr.Event{ProviderKind: kind, Facts: facts}
	switch kind {
	case inStart, outStart:
		e.Kind, facts.State = cdr.KindStarted, cdr.StateStarted
		e.OccurredAt = facts.StartedAt
	case inConnect, outConnect:
		e.Kind, facts.State = cdr.KindAnswered, cdr.StateAnswered
		facts.AnsweredAt = a.Time("time_connect")
		e.OccurredAt = facts.AnsweredAt
	case inEnd, outEnd:
		e.Kind, facts.State = cdr.KindEnded, cdr.StateEnded
		facts.AnsweredAt = a.Time("time_connect")
		facts.EndedAt = a.Time("time_end")
		facts.Ends = cdr.EndsCall
		// Talk time. D3 prints 10 between moments that lie 20 s apart: as sent.
		facts.Billsec = a.Seconds("duration")
		if connected(facts) {
			facts.Disposition = cdr.Answered
		}
		e.OccurredAt = facts.EndedAt
	}
	return e
}

func outboundParties(facts *cdr.Facts, a *record.Fields) {
	facts.Direction = cdr.Outbound
	facts.Src = a.Number("src_number")
	facts.SrcName = a.Text("src_name")
	facts.Dst = a.Number("dst_number")
	facts.Trunk = a.Text("trunk_name")
}

// outboundTariff reads the rate, a string in events and a number in CDRs.
func outboundTariff(facts *cdr.Facts, a *record.Fields) {
	facts.Rate = a.Decimal("rate")
	facts.FirstIncrement = a.Int("initial_billing_interval")
	facts.NextIncrement = a.Int("next_billing_interval")
}
