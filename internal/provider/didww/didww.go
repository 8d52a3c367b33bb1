// Package didww reads what DIDWW pushes: call events and CDRs of its services
// Voice IN and Voice OUT; and the rows of its CSV exports of them.
//
// The pages, with the letters that the comments cite:
//
//	D2  doc.didww.com/call-events/did-call-events.html          Voice IN events
//	D3  doc.didww.com/call-events/termination-call-events.html  Voice OUT events
//	D4  doc.didww.com/call-events/did-cdr.html                  Voice IN CDRs
//	D5  doc.didww.com/call-events/termination-cdr.html          Voice OUT CDRs
//	D6  doc.didww.com/cdr-streaming/index.html                  the oldest edition
//	D8  doc.didww.com/voice/inbound-trunks/technical-data/call-logs-response-codes.html
//
// One message is {"type", "id", "attributes"}. Beware of id: it is the call in
// events and the record in CDRs, and the pages print the same values for both
// services. A call is
//
//	Voice IN   id of the events = local_tag of the CDRs, one CDR per routing attempt
//	Voice OUT  call_id (the SIP Call-ID) and time_start of events and CDR, see
//	           outboundCall; a Voice IN event's call_id is a leg, not this
//
// Amounts: the pages do not name the currency of the amounts; it is the source's
// setting. cost is DIDWW's charge to its customer, never the reseller's to theirs
// (sub_customer_*). tax is customer_vat, "VAT amount" of the call. Voice IN's
// amounts contain it: there is an *_amount_no_vat for each. Whether a Voice OUT
// price does is not stated.
package didww

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// The words in `type`. Events say incoming, CDRs say inbound.
const (
	inStart    = "incoming-call-start-event"
	inConnect  = "incoming-call-connect-event"
	inEnd      = "incoming-call-end-event"
	outStart   = "outbound-call-start-event"
	outConnect = "outbound-call-connect-event"
	outEnd     = "outbound-call-end-event"
	inCDR      = "inbound-cdr"
	outCDR     = "outbound-cdr"
)

// Decode says what one message of DIDWW means: one event. A type that is not on
// the pages is kept without facts. Only a missing call key, or in a CDR a missing
// start, is an error.
//
// The hint is not DIDWW's: it tells a row of an export, see Header.
func Decode(_ *record.Record, f *record.Fields, hint string, _ cdr.Settings) (cdr.Record, error) {
	e, err := decodeHinted(f, hint)
	if err != nil {
		return cdr.Record{}, err
	}
	e.Clock = cdr.ClockProvider
	if e.OccurredAt.IsZero() {
		e.Clock = cdr.ClockReceiver
	}
	return cdr.Record{Events: []cdr.Event{e}}, nil
}

func decodeHinted(f *record.Fields, hint string) (cdr.Event, error) {
	switch {
	case hint == ExportInbound || hint == ExportOutbound:
		return export(f, hint)
	case f.Has("attributes"):
		return decode(f, f.Object("attributes"))
	}
	return decode(f, f)
}

// decode reads a message f whose attributes are a; both are the same where they
// stand without an envelope.
func decode(f, a *record.Fields) (cdr.Event, error) {
	kind := f.Text("type")
	if kind == "" {
		kind = guess(f, a)
	}
	switch kind {
	case inStart, inConnect, inEnd:
		return incoming(f, a, kind)
	case outStart, outConnect, outEnd:
		return outbound(a, kind)
	case inCDR:
		return inboundCDR(f, a)
	case outCDR:
		return outboundCDR(f, a)
	}
	return other(f, a, kind)
}

// guess tells a CDR without a type by its attributes, because the first edition
// of D6 prints them bare. The attributes of a Voice OUT CDR count only when
// bare: an event in its envelope has those too.
func guess(f, a *record.Fields) string {
	switch {
	case a.Has("local_tag") || a.Has("routing_attempt") && a.Has("did_number"):
		return inCDR
	case f.Has("call_id") && f.Has("dst_number") && f.Has("time_start"):
		return outCDR
	}
	return ""
}

// other keeps a message of an unknown type under the call that it seems to be of.
// It says nothing about it.
func other(f, a *record.Fields, kind string) (e cdr.Event, err error) {
	e = cdr.Event{Kind: cdr.KindOther, ProviderKind: kind}
	switch {
	case a.Has("local_tag"):
		e.CallID, err = a.Key("local_tag")
	case a.Has("call_id") && strings.HasPrefix(kind, "outbound"):
		e.CallID, err = outboundCall(&cdr.Facts{StartedAt: a.Time("time_start")}, a)
	case a.Has("call_id") && !f.Has("id"):
		e.CallID, err = a.Key("call_id")
	default:
		e.CallID, err = f.Key("id")
	}
	return e, err
}
