package cdr

import "time"

// Call is the fold of a call's events: a row of table call, but for the
// columns that the store keeps (version, changed_at, pruned_at). Empty, zero
// and nil mean that no provider's record says.
type Call struct {
	Source       string    `json:"source"`
	CallID       string    `json:"call_id"`
	Provider     string    `json:"provider,omitempty"`
	ParentCallID string    `json:"parent_call_id,omitempty"`
	Account      string    `json:"account,omitempty"`
	Direction    Direction `json:"direction,omitempty"`

	// As sent; with + only where certain; countries by ISO 3166.
	Src        string `json:"src,omitempty"`
	Dst        string `json:"dst,omitempty"`
	DID        string `json:"did,omitempty"`
	SrcName    string `json:"src_name,omitempty"`
	SrcE164    string `json:"src_e164,omitempty"`
	DstE164    string `json:"dst_e164,omitempty"`
	SrcCountry string `json:"src_country,omitempty"`
	DstCountry string `json:"dst_country,omitempty"`
	Trunk      string `json:"trunk,omitempty"`
	Tag        string `json:"tag,omitempty"`
	SIPCallID  string `json:"sip_call_id,omitempty"`

	State       State       `json:"state"`
	Disposition Disposition `json:"disposition,omitempty"` // empty while the call lives

	CallTime   time.Time `json:"call_time"` // start, else ringing, answer, end, first receipt
	StartedAt  time.Time `json:"started_at,omitzero"`
	RingingAt  time.Time `json:"ringing_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	Clock      Clock     `json:"clock"` // receiver when any of the moments above is one of receipt

	Duration        Amount `json:"duration,omitzero"`    // seconds, start to end
	Billsec         Amount `json:"billsec,omitzero"`     // seconds, answer to end
	ChargedSec      Amount `json:"charged_sec,omitzero"` // seconds, what the provider rounded up to
	FirstIncrement  *int   `json:"first_increment,omitempty"`
	NextIncrement   *int   `json:"next_increment,omitempty"`
	Rate            Amount `json:"rate,omitzero"`
	Cost            Amount `json:"cost,omitzero"`
	Tax             Amount `json:"tax,omitzero"`
	CostIncludesTax *bool  `json:"cost_includes_tax,omitempty"` // nil: not known
	Currency        string `json:"currency,omitempty"`

	SIPCode         int    `json:"sip_code,omitempty"`
	Q850Cause       int    `json:"q850_cause,omitempty"`
	HangupCause     string `json:"hangup_cause,omitempty"`
	HangupBy        Party  `json:"hangup_by,omitempty"`
	MachineDetected *bool  `json:"machine_detected,omitempty"`

	Legs   int `json:"legs"`   // distinct non-empty legs
	Events int `json:"events"` // events that were folded, CDRs and their older versions included
	CDRs   int `json:"cdrs"`   // record keys that count

	FirstReceivedAt time.Time `json:"first_received_at"` // first receipt of the earliest folded event
	LastReceivedAt  time.Time `json:"last_received_at"`  // first receipt of the latest folded event; repeats do not move it
}
