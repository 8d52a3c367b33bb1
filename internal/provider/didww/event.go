package didww

import (
	"strings"

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
	e := live(a, kind)
	callID, err := outboundCall(e.Facts, a)
	if err != nil {
		return cdr.Event{}, err
	}
	e.CallID = callID
	outboundParties(e.Facts, a)
	outboundTariff(e.Facts, a)
	return e, nil
}

// outboundCall returns the key of a Voice OUT call and notes its SIP Call-ID. The
// Call-ID is made up by the customer's equipment: some uses one again hours later,
// and serial forking within seconds. All events and the CDR of a call carry the
// same time_start (D3, D5), which tells such calls from each other. The CDR's own
// record id would not do: events have none.
func outboundCall(facts *cdr.Facts, a *record.Fields) (string, error) {
	id, err := a.Key("call_id")
	if err != nil {
		return "", err
	}
	facts.SIPCallID = strings.TrimSpace(a.Text("call_id"))
	switch {
	case strings.HasSuffix(id, cdr.OwnKey):
		return id, nil
	case facts.StartedAt.IsZero():
		a.Once("time_start", "no readable start: the call is known by its SIP Call-ID alone, which other calls may have")
		return id, nil
	}
	return cdr.StartedKey(id, facts.StartedAt), nil
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
		facts.EndedAt = a.End("time_end")
		facts.Ends = cdr.EndsCall
		// Talk time. D3 prints 10 between moments that lie 20 s apart: as sent.
		facts.Billsec = a.Talk("duration")
		if !facts.AnsweredAt.IsZero() {
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
