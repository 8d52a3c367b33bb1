// Package didlogic reads what DIDLogic sends: CDRs and recording notices as
// JSON, inbound SMS as a form or a query. Source, in its first and its newer
// edition: docs.didlogic.com/docs/guides/apps-developer-tools/webhooks
//
// All three may come to one URL. A CDR names neither the answer nor the end of
// its call, no price and no cause of the hangup; what follows from its numbers
// is marked as derived.
package didlogic

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// Decode says what one message of DIDLogic means. An event that no page knows
// is kept without facts.
func Decode(r *record.Record, f *record.Fields, _ string, _ cdr.Settings) (cdr.Record, error) {
	if isSMS(r, f) {
		return decodeSMS(r, f)
	}
	event, err := f.Key("event")
	if err != nil {
		return cdr.Record{}, err
	}
	event = strings.TrimSuffix(event, cdr.OwnKey)
	callID, err := f.Key("callid")
	if err != nil {
		return cdr.Record{}, err
	}
	switch strings.ToLower(event) {
	case "cdr":
		return decodeCDR(f, callID)
	case "recording":
		return decodeRecording(f, callID)
	}
	return decodeOther(f, callID, event), nil
}

// isSMS knows an SMS by its shape: it is the one message without an event, and
// the one that comes as a form.
func isSMS(r *record.Record, f *record.Fields) bool {
	return !f.Has("event") && (r.IsForm() || f.Has("message"))
}

// decodeOther keeps an event whose word is unknown.
func decodeOther(f *record.Fields, callID, event string) cdr.Record {
	e := cdr.Event{
		CallID: callID, Kind: cdr.KindOther, ProviderKind: event,
		OccurredAt: f.Time("calldate"), Clock: cdr.ClockProvider,
	}
	if e.OccurredAt.IsZero() {
		e.Clock = cdr.ClockReceiver
	}
	return cdr.Record{Events: []cdr.Event{e}}
}
