// Package wavix reads the webhooks of Wavix: on-call events, post-call CDRs, SMS
// and their delivery reports, and notices of transcriptions.
//
// The pages, with the letters that the comments cite:
//
//	W1  docs.wavix.com/api-reference/call-webhooks/on-call-event
//	W2  docs.wavix.com/api-reference/call-webhooks/post-call-event (two editions)
//	W5  github.com/EvgeniiDurin/wavix-mcp, a copy of Wavix's OpenAPI file and pages
//	W6  github.com/Wavix/wavix-ruby-sdk, github.com/Wavix/sdk-go (older)
//	W7  docs.wavix.com/api-reference/cdrs/retrieve-a-cdr
//	W8  docs.wavix.com/messaging
//
// A call is its uuid, which W7 calls deprecated in favour of call_id. A body does
// not name its webhook: its fields tell the kinds apart. A transfer makes a call
// of its own that names its parent; W2 prints a parent_uuid that equals the uuid,
// which is no parent.
//
// Amounts are US dollars, as W2 and W8 say: cost is `charge`, rate is
// `per_minute`. forward_fee is not added to the cost: W2 calls charge the "total
// price" and does not say that the fee is on top of it. The same holds for the
// carrier_fees of a message.
//
// Limits: W2 does not say what `duration` measures. It is read as talk time,
// which cannot be of a call that nobody answered.
package wavix

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// currency of all amounts: W2 says USD.
const currency = "USD"

// Decode says what one webhook of Wavix means: one event or one message. A kind
// that is not on the pages is kept without facts where it names a call.
func Decode(_ *record.Record, f *record.Fields, _ string, _ cdr.Settings) (cdr.Record, error) {
	if !f.Has("event_type", "event_time", "disposition") && f.Has("message_id") {
		return message(f)
	}
	e, err := event(f)
	if err != nil {
		return cdr.Record{}, err
	}
	e.Clock = cdr.ClockProvider
	if e.OccurredAt.IsZero() {
		e.Clock = cdr.ClockReceiver
	}
	return cdr.Record{Events: []cdr.Event{e}}, nil
}

func event(f *record.Fields) (cdr.Event, error) {
	switch {
	case f.Has("event_type", "event_time"):
		return onCall(f)
	case f.Has("disposition"), f.Has("charge") && f.Has("date"):
		return postCall(f)
	}
	return other(f)
}

// other keeps what says nothing about a call: a transcription of a call
// ({uuid, status}) or of an uploaded file ({request_id, status, error}), a status
// of 10DLC under the id of its brand or campaign, or a kind that nobody
// described.
func other(f *record.Fields) (cdr.Event, error) {
	callID, err := f.Key("uuid", "call_id", "request_id", "campaign_id", "brand_id")
	if err != nil {
		return cdr.Event{}, err
	}
	e := cdr.Event{CallID: callID, Kind: cdr.KindOther}
	switch {
	case f.Has("campaign_id", "brand_id"):
		e.ProviderKind = "10dlc"
	case f.Has("status"):
		e.ProviderKind = "transcription"
	}
	return e, nil
}

func callKey(f *record.Fields) (string, error) { return f.Key("uuid", "call_id") }

// newFacts reads what on-call and post-call have in common. Numbers are as sent:
// on-call prints `from` with + and `to` without.
func newFacts(f *record.Fields, callID string) *cdr.Facts {
	facts := &cdr.Facts{
		Direction: f.Direction("direction"),
		Src:       f.Number("from"),
		Dst:       f.Number("to"),
	}
	if parent := f.ID("parent_uuid", "parent_call_id"); parent != callID {
		facts.ParentCallID = parent
	}
	return facts
}

// disposition maps the words of `disposition` and those of `event_type` that say
// how a call came out. "all" is a search filter that slipped into W2's list. Case
// and gaps do not count: W5 prints ANSWERED.
func disposition(word string) cdr.Disposition {
	switch bare(word) {
	case "answered":
		return cdr.Answered
	case "noanswer":
		return cdr.NoAnswer
	case "busy":
		return cdr.Busy
	case "cancelled", "canceled":
		return cdr.Cancelled
	case "rejected":
		return cdr.Rejected
	case "failed":
		return cdr.Failed
	case "":
		return ""
	}
	return cdr.Unknown
}

// bare takes case, spaces, underscores and hyphens off a word.
func bare(word string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, word))
}
