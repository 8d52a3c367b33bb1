package cdr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Delivery is one HTTP request of a source, stripped of everything that must
// never be stored (credentials, the token in the query).
type Delivery struct {
	Source   string // configured name, for ever
	Provider string // didww, didlogic, voipnow, piopiy or wavix
	Settings Settings

	Hint            string // VoipNow's event kind from the path or ?event=; else empty
	Method          string // GET or POST
	Query           string // raw query without token and event; may be empty
	ContentType     string // as sent; a clue, never the judge
	ContentEncoding string // as sent, kept for the quarantine
	Body            []byte // inflated, or as received when it could not be inflated
	BodyProblem     string // why the body could not be inflated; empty when it is readable

	ReceivedAt time.Time // when the request arrived, UTC, whole microseconds
}

// Settings is what the configuration of a source adds to its records. It is
// fixed when a record is first decoded and kept in its facts.
type Settings struct {
	Currency        string `json:"currency,omitempty"`          // ISO 4217 code of the amounts, when the provider does not say
	Country         string `json:"country,omitempty"`           // ISO 3166 code by which national numbers are read
	AnswerEvents    *bool  `json:"answer_events,omitempty"`     // VoipNow: false says that no Answer rules exist; nil means true
	CostIncludesTax string `json:"cost_includes_tax,omitempty"` // whether amounts contain their tax: "true", "false" or "unknown"; empty: as the provider documents
}

// IsZero reports whether the configuration adds nothing.
func (s Settings) IsZero() bool { return s == Settings{} }

// Record is what became of one record of a delivery: its rows, or the reason why
// it was set aside. It counts once in the answer, whatever rows it makes.
type Record struct {
	Events     []Event
	Recordings []Recording
	Messages   []Message
	Reject     *Reject
	Raw        []byte    // the bytes of this record as sent, for the quarantine; empty when the query was the record
	Origin     *Delivery // what it came with; shared by all records of the delivery
}

// SetReceipt stamps all rows of a record with the moment of its receipt.
func (r *Record) SetReceipt(at time.Time) {
	for i := range r.Events {
		r.Events[i].ReceivedAt, r.Events[i].LastReceivedAt = at, at
	}
	for i := range r.Recordings {
		r.Recordings[i].ReceivedAt = at
	}
	for i := range r.Messages {
		r.Messages[i].ReceivedAt = at
	}
	if r.Reject != nil {
		r.Reject.ReceivedAt = at
	}
	r.SetDeliveries(1)
}

// SetDeliveries says how often a record came.
func (r *Record) SetDeliveries(n int) {
	for i := range r.Events {
		r.Events[i].Deliveries = n
	}
	for i := range r.Recordings {
		r.Recordings[i].Deliveries = n
	}
	for i := range r.Messages {
		r.Messages[i].Deliveries = n
	}
	if r.Reject != nil {
		r.Reject.Deliveries = n
	}
}

// SetAside gives up the rows of a record and keeps it raw instead.
func (r *Record) SetAside(reason string) {
	d := r.Origin
	at := r.receivedAt()
	*r = Record{Raw: r.Raw, Origin: d, Reject: &Reject{
		Source: d.Source, Hint: Clean(d.Hint), Query: Clean(d.Query), Method: d.Method,
		ContentType: Clean(d.ContentType), Body: r.Raw, Reason: Clean(reason),
	}}
	if d.BodyProblem != "" {
		r.Reject.ContentEncoding = Clean(d.ContentEncoding)
	}
	r.SetReceipt(at)
}

func (r *Record) receivedAt() time.Time {
	switch {
	case len(r.Events) > 0:
		return r.Events[0].ReceivedAt
	case len(r.Recordings) > 0:
		return r.Recordings[0].ReceivedAt
	case len(r.Messages) > 0:
		return r.Messages[0].ReceivedAt
	}
	return r.Origin.ReceivedAt
}

// Check returns an error where a record could not be stored: it makes nothing,
// or a key of it is missing or too long for an index.
func (r *Record) Check() error {
	if len(r.Events)+len(r.Recordings)+len(r.Messages) == 0 {
		return errors.New("the record makes no row")
	}
	for _, e := range r.Events {
		if err := checkKeys("call id", e.CallID, "leg", e.Leg, "record key", e.RecordKey); err != nil {
			return err
		}
		if (e.Kind == KindCDR) != (e.RecordKey != "") {
			return errors.New("a record key is for CDRs, and for each of them")
		}
	}
	for _, rec := range r.Recordings {
		if err := checkKeys("call id", rec.CallID, "recording id", rec.RecordingID); err != nil {
			return err
		}
		if rec.RecordingID == "" {
			return errors.New("recording id: missing")
		}
	}
	for _, m := range r.Messages {
		if err := checkKeys("message id", m.MessageID); err != nil {
			return err
		}
	}
	return nil
}

// MaxKey is the longest id of a call, recording or message as providers send it,
// in bytes, that every index takes with what is appended to some.
const MaxKey = 512

// maxOwnKey is the longest id with what OwnKey or StartedKey appends.
const maxOwnKey = MaxKey + 33

// OwnKey follows an id that identifies nothing, and is in no other: the record gets
// a key of its own, see WithOwnKey, and is merged with none.
const OwnKey = "\x00"

// WithOwnKey puts ~ and a digest of the record in place of OwnKey, so that the same
// record again has the same key. Other keys stay as they are.
func WithOwnKey(key string, digest func() [16]byte) string {
	if strings.Contains(key, OwnKey) {
		d := digest()
		return strings.Replace(key, OwnKey, "~"+hex.EncodeToString(d[:]), 1)
	}
	return key
}

// StartedKey is the key of a call whose id several calls may have, but not with
// one start (UTC, whole microseconds).
func StartedKey(id string, start time.Time) string {
	return id + "~" + start.UTC().Format("20060102T150405.000000Z")
}

// maxSubkey bounds legs, record keys (several ids in one) and recording ids (a
// URL).
const maxSubkey = 3 * MaxKey

// checkKeys takes names and keys by turns; the first key is the one that must
// be there.
func checkKeys(namesAndKeys ...string) error {
	if namesAndKeys[1] == "" {
		return fmt.Errorf("%s: missing", namesAndKeys[0])
	}
	limit := maxOwnKey
	for i := 0; i < len(namesAndKeys); i += 2 {
		if len(namesAndKeys[i+1]) > limit {
			return fmt.Errorf("%s: longer than %d bytes", namesAndKeys[i], limit)
		}
		limit = maxSubkey
	}
	return nil
}

// Reject is a piece of a delivery that could not be read. It is kept raw.
type Reject struct {
	Source          string
	Hint            string
	Query           string
	Method          string
	ContentType     string
	ContentEncoding string // of Body, where it could not be inflated
	Body            []byte
	Reason          string // names the field and what is wrong with it
	ReceivedAt      time.Time
	Deliveries      int
}

// Recording is a notice that a recording of a call can be fetched.
type Recording struct {
	Source      string
	CallID      string
	RecordingID string // stable over repeated notices; set by the adapter
	URL         string
	ExpiresAt   time.Time // zero: the provider did not say
	ReceivedAt  time.Time
	Deliveries  int
	Payload     []byte // JSON
}

// Message is an SMS or MMS, or a report about one.
type Message struct {
	Source     string
	MessageID  string // the provider's, else a digest of the record set by the adapter
	Src, Dst   string // as sent
	Body       string
	Direction  Direction
	Status     string    // the provider's word in lower case; `received` for inbound ones
	OccurredAt time.Time // zero: the provider did not say
	Cost       Amount
	Currency   string
	Segments   int // 0: the provider did not say
	ReceivedAt time.Time
	Deliveries int
	Payload    []byte // JSON
}
