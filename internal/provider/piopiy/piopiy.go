// Package piopiy reads what PIOPIY by TeleCMI posts: CDRs and live events of
// the legs of calls, and stream events. Source: doc.telecmi.com/piopiy/docs/webhooks-overview
// and the pages beside it, in the current and the older look, and those below
// doc.telecmi.com/piopiy-india.
//
// A call is a conversation of leg a and leg b, each reported apart. Four equal
// CDRs of a leg over half an hour are normal; only the account's balance in
// them may differ, which is no part of a record's identity.
package piopiy

import (
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// Decode says what one message of PIOPIY means, or a CDR of TeleCMI's business
// phone. Messages that no page knows are stored without facts.
func Decode(_ *record.Record, f *record.Fields, _ string, _ cdr.Settings) (cdr.Record, error) {
	m := newMessage(f)
	if err := m.refuseNeighbour(f); err != nil {
		return cdr.Record{}, err
	}
	var e cdr.Event
	var err error
	switch {
	case m.isUnplaced(f):
		f.Problem("conversation_uuid", "missing: of which call this leg was is not known")
		e, err = newEvent(f, m, cdr.KindOther)
	case m.family == callRecord:
		e, err = decodeCDR(f, m)
	case m.family == live:
		e, err = decodeLive(f, m)
	case m.family == stream:
		e, err = decodeStream(f, m)
	default:
		e, err = newEvent(f, m, cdr.KindOther)
	}
	if err != nil {
		return cdr.Record{}, err
	}
	return cdr.Record{Events: []cdr.Event{e}}, nil
}

// callKey returns the conversation, which both legs name. Of a click-to-call of the
// business phone the live events name request and conversation, the CDRs of both
// legs the request alone (doc.telecmi.com/chub/docs/outgoing-answered). Its other CDRs
// may know only a leg, and one page spells that cmiuid.
func callKey(f *record.Fields) (string, error) {
	if isBusinessPhone(f) {
		return f.Key("request_id", "conversation_uuid", "cmiuuid", "cmiuid")
	}
	return f.Key("conversation_uuid", "request_id", "cmiuuid", "cmiuid")
}

// newEvent makes an event of a call with the time that all messages carry.
func newEvent(f *record.Fields, m message, kind cdr.Kind) (cdr.Event, error) {
	callID, err := callKey(f)
	e := cdr.Event{CallID: callID, Kind: kind, ProviderKind: m.word(), Leg: m.leg}
	occurred(&e, f.Time("time"))
	return e, err
}

// decodeStream keeps a stream event under the only id it carries, that of a leg.
func decodeStream(f *record.Fields, m message) (cdr.Event, error) {
	callID, err := f.Key("cmiuuid", "conversation_uuid")
	e := cdr.Event{CallID: callID, Kind: cdr.KindStream, ProviderKind: m.word(), Leg: m.leg}
	occurred(&e, f.Time("time"))
	return e, err
}

func occurred(e *cdr.Event, at time.Time) {
	e.OccurredAt, e.Clock = at, cdr.ClockProvider
	if at.IsZero() {
		e.Clock = cdr.ClockReceiver
	}
}

// newFacts reads who and what a CDR and a live event name alike.
func newFacts(f *record.Fields, m message) *cdr.Facts {
	facts := &cdr.Facts{
		Account: f.Text("appid", "app_id"), // the tables say app_id, the samples appid
		Src:     f.Number("from"),
		Dst:     f.Number("to"),
		Tag:     f.Opaque("extra_params", "custom"),
		LegRank: m.legRank(),
	}
	facts.Direction = direction(f, m)
	facts.DID = did(f, facts)
	switch {
	case facts.Dst == "" && facts.Direction == cdr.Inbound:
		facts.Dst = f.Number("virtual_number")
	case facts.Direction == cdr.Outbound && !f.Has("from"): // the business phone names the number shown
		facts.Src = facts.DID
	}
	return facts
}

// direction returns the direction of the call, not of the leg: leg b of an
// inbound call says outbound. A leg b shows an outbound call by the request
// that made it.
func direction(f *record.Fields, m message) cdr.Direction {
	if m.leg != "" && m.leg != "a" {
		if f.Text("request_id") != "" {
			return cdr.Outbound
		}
		return ""
	}
	return f.Direction("direction")
}

// did returns the customer's number: the one that was dialled or, in a call that
// the customer made, the one shown. Only tables print callerid for inbound
// calls. The business phone calls it virtual_number; its "to" is the user's.
func did(f *record.Fields, facts *cdr.Facts) string {
	switch {
	case facts.Direction == cdr.Outbound:
		return f.Number("vn", "callerid", "virtual_number")
	case facts.Direction == cdr.Inbound && f.Has("virtual_number"):
		return f.Number("virtual_number")
	case facts.Direction == cdr.Inbound && facts.Dst != "":
		return facts.Dst
	case facts.Direction == cdr.Inbound:
		return f.Number("callerid")
	}
	return ""
}
