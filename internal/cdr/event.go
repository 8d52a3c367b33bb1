package cdr

import (
	"time"

	"github.com/shopspring/decimal"
)

// Amount is a decimal that may be unknown. Money, rates and seconds are
// Amounts; none is ever a float.
type Amount = decimal.NullDecimal

// Span returns seconds as a duration, down to the microsecond. The amount must
// be less than a few thousand years.
func Span(seconds Amount) time.Duration {
	return time.Duration(seconds.Decimal.Shift(6).IntPart()) * time.Microsecond
}

// Kind says what an event reports.
type Kind string

// The kinds of events, a closed list.
const (
	KindStarted    Kind = "started"
	KindRinging    Kind = "ringing"
	KindEarlyMedia Kind = "early_media"
	KindAnswered   Kind = "answered"
	KindEnded      Kind = "ended"
	KindCDR        Kind = "cdr"
	KindStream     Kind = "stream"
	KindPlayback   Kind = "playback"
	KindDTMF       Kind = "dtmf"
	KindOther      Kind = "other"
)

// Clock says whose time an event's moment is.
type Clock string

// The clocks.
const (
	ClockProvider Clock = "provider"
	ClockReceiver Clock = "receiver" // the provider sends no time: the moment of receipt stands in
)

// Direction of a call or message, seen from the customer.
type Direction string

// The directions. Empty means that the provider did not say.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// State is how far a call has come.
type State string

// The states in their order.
const (
	StateStarted  State = "started"
	StateRinging  State = "ringing"
	StateAnswered State = "answered"
	StateEnded    State = "ended"
)

func (s State) rank() int {
	switch s {
	case StateStarted:
		return 1
	case StateRinging:
		return 2
	case StateAnswered:
		return 3
	case StateEnded:
		return 4
	}
	return 0
}

// Disposition is how a call came out.
type Disposition string

// The dispositions. Empty means not known yet.
const (
	Answered  Disposition = "answered"
	NoAnswer  Disposition = "no_answer"
	Busy      Disposition = "busy"
	Cancelled Disposition = "cancelled"
	Rejected  Disposition = "rejected"
	Failed    Disposition = "failed"
	Unknown   Disposition = "unknown"
)

// Party is who hung up.
type Party string

// The parties that can hang up.
const (
	Caller Party = "caller"
	Callee Party = "callee"
	System Party = "system"
)

// Scope says what an end ends.
type Scope string

// The scopes. Empty means that the record ends nothing.
const (
	EndsCall Scope = "call"
	EndsLeg  Scope = "leg"
)

// Moment names one of the four times of a call.
type Moment string

// The moments, by the names of their columns.
const (
	MomentStarted  Moment = "started_at"
	MomentRinging  Moment = "ringing_at"
	MomentAnswered Moment = "answered_at"
	MomentEnded    Moment = "ended_at"
)

// Event is one normalised record about a call: a row of table event.
type Event struct {
	Source, CallID string
	ID             [16]byte // digest of source, provider kind and canonical record
	Kind           Kind
	ProviderKind   string    // the provider's own word
	Leg            string    // empty: the whole call
	RecordKey      string    // CDRs: which record of the call this is
	OccurredAt     time.Time // the provider's time; zero when Clock is ClockReceiver
	Clock          Clock
	ReceivedAt     time.Time // first receipt
	LastReceivedAt time.Time
	Deliveries     int
	Facts          *Facts   // nil: the record says nothing about the call
	Problems       []string // fields that were present but unreadable, and why
	Payload        []byte   // JSON: the whole record as sent
}

// Facts is what one record says about its call, under the names of the columns
// of table call. Empty, zero and nil mean that the record does not say. Facts
// depend on the record and the source's settings only, never on its receipt.
type Facts struct {
	Provider     string    `json:"provider,omitempty"`
	ParentCallID string    `json:"parent_call_id,omitempty"`
	Account      string    `json:"account,omitempty"`
	Direction    Direction `json:"direction,omitempty"`
	Src          string    `json:"src,omitempty"`
	Dst          string    `json:"dst,omitempty"`
	DID          string    `json:"did,omitempty"`
	SrcName      string    `json:"src_name,omitempty"`
	SrcE164      string    `json:"src_e164,omitempty"`
	DstE164      string    `json:"dst_e164,omitempty"`
	SrcCountry   string    `json:"src_country,omitempty"`
	DstCountry   string    `json:"dst_country,omitempty"`
	Trunk        string    `json:"trunk,omitempty"`
	Tag          string    `json:"tag,omitempty"`
	SIPCallID    string    `json:"sip_call_id,omitempty"`

	// State is the furthest state that the record proves. An answered CDR says
	// so by its Disposition and has StateEnded.
	State       State       `json:"state,omitempty"`
	Disposition Disposition `json:"disposition,omitempty"`
	Ends        Scope       `json:"ends,omitempty"`
	Attempt     int         `json:"attempt,omitempty"`  // routing attempt, from 1; the last one decides an unanswered call
	LegRank     int         `json:"leg_rank,omitempty"` // order of the legs, from 1; the first one gives the parties

	StartedAt  time.Time `json:"started_at,omitzero"`
	RingingAt  time.Time `json:"ringing_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	Derived    []Moment  `json:"derived,omitempty"` // moments that were calculated or are approximate

	Duration        Amount `json:"duration,omitzero"`    // seconds, start to end, as delivered
	Billsec         Amount `json:"billsec,omitzero"`     // seconds, answer to end, as delivered
	ChargedSec      Amount `json:"charged_sec,omitzero"` // seconds that were charged
	FirstIncrement  *int   `json:"first_increment,omitempty"`
	NextIncrement   *int   `json:"next_increment,omitempty"`
	Rate            Amount `json:"rate,omitzero"`
	Cost            Amount `json:"cost,omitzero"`
	Tax             Amount `json:"tax,omitzero"`
	CostIncludesTax *bool  `json:"cost_includes_tax,omitempty"` // whether Cost contains Tax; nil: not known
	Currency        string `json:"currency,omitempty"`

	SIPCode         int    `json:"sip_code,omitempty"`
	Q850Cause       int    `json:"q850_cause,omitempty"`
	HangupCause     string `json:"hangup_cause,omitempty"`
	HangupBy        Party  `json:"hangup_by,omitempty"`
	MachineDetected *bool  `json:"machine_detected,omitempty"`

	// Imported says that this CDR came from a file and was not pushed. It yields
	// to a pushed one of the same record, see Fold.
	Imported bool `json:"imported,omitempty"`

	Settings Settings `json:"settings,omitzero"` // what the configuration added when this was decoded
}

// IsDerived reports whether a moment of these facts was calculated or is
// approximate, so that a delivered one beats it.
func (f *Facts) IsDerived(m Moment) bool {
	for _, d := range f.Derived {
		if d == m {
			return true
		}
	}
	return false
}
