package testcase

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Rows is what the tables hold, in a form to compare and to read.
type Rows struct {
	Calls      []cdr.Call  `json:"call,omitempty"`
	Events     []Event     `json:"event,omitempty"`
	Recordings []Recording `json:"recording,omitempty"`
	Messages   []Message   `json:"message,omitempty"`
	Quarantine []Reject    `json:"quarantine,omitempty"`
}

// Event is what a test compares of an event.
type Event struct {
	CallID       string     `json:"call_id"`
	Kind         cdr.Kind   `json:"kind"`
	ProviderKind string     `json:"provider_kind"`
	Leg          string     `json:"leg,omitempty"`
	RecordKey    string     `json:"record_key,omitempty"`
	OccurredAt   time.Time  `json:"occurred_at,omitzero"`
	Clock        cdr.Clock  `json:"clock"`
	Deliveries   int        `json:"deliveries"`
	Facts        *cdr.Facts `json:"facts,omitempty"`
	Problems     []string   `json:"problems,omitempty"`
}

// Recording is what a test compares of a recording.
type Recording struct {
	CallID      string    `json:"call_id"`
	RecordingID string    `json:"recording_id"`
	URL         string    `json:"url"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	Deliveries  int       `json:"deliveries"`
}

// Message is what a test compares of a message.
type Message struct {
	MessageID  string        `json:"message_id"`
	Src        string        `json:"src,omitempty"`
	Dst        string        `json:"dst,omitempty"`
	Body       string        `json:"body,omitempty"`
	Direction  cdr.Direction `json:"direction,omitempty"`
	Status     string        `json:"status,omitempty"`
	OccurredAt time.Time     `json:"occurred_at,omitzero"`
	Cost       cdr.Amount    `json:"cost,omitzero"`
	Currency   string        `json:"currency,omitempty"`
	Segments   int           `json:"segments,omitempty"`
	Deliveries int           `json:"deliveries"`
}

// Reject is what a test compares of a quarantined piece.
type Reject struct {
	Reason     string `json:"reason"`
	Body       string `json:"body"`
	Deliveries int    `json:"deliveries"`
}

// NewEvent takes what is compared of an event.
func NewEvent(e cdr.Event) Event {
	return Event{e.CallID, e.Kind, e.ProviderKind, e.Leg, e.RecordKey, e.OccurredAt, e.Clock, e.Deliveries, e.Facts, e.Problems}
}

// NewRecording takes what is compared of a recording.
func NewRecording(r cdr.Recording) Recording {
	return Recording{r.CallID, r.RecordingID, r.URL, r.ExpiresAt, r.Deliveries}
}

// NewMessage takes what is compared of a message.
func NewMessage(m cdr.Message) Message {
	return Message{m.MessageID, m.Src, m.Dst, m.Body, m.Direction, m.Status, m.OccurredAt, m.Cost, m.Currency, m.Segments, m.Deliveries}
}

// NewReject takes what is compared of a quarantined piece.
func NewReject(r cdr.Reject) Reject { return Reject{r.Reason, string(r.Body), r.Deliveries} }

// Decoded shows the records of one delivery.
func Decoded(records []cdr.Record) Rows {
	var rows Rows
	for _, r := range records {
		for _, e := range r.Events {
			rows.Events = append(rows.Events, NewEvent(e))
		}
		for _, rec := range r.Recordings {
			rows.Recordings = append(rows.Recordings, NewRecording(rec))
		}
		for _, m := range r.Messages {
			rows.Messages = append(rows.Messages, NewMessage(m))
		}
		if r.Reject != nil {
			rows.Quarantine = append(rows.Quarantine, NewReject(*r.Reject))
		}
	}
	return rows
}

// Sort brings rows into one order, whatever order they came in. Events keep no
// facts: those are compared where they are decoded.
func (r *Rows) Sort() {
	slices.SortFunc(r.Calls, func(a, b cdr.Call) int { return strings.Compare(a.CallID, b.CallID) })
	for i := range r.Events {
		r.Events[i].Facts = nil
	}
	slices.SortFunc(r.Events, func(a, b Event) int {
		return cmp.Or(strings.Compare(a.CallID, b.CallID), strings.Compare(a.Leg, b.Leg),
			strings.Compare(a.ProviderKind, b.ProviderKind), strings.Compare(a.RecordKey, b.RecordKey),
			a.OccurredAt.Compare(b.OccurredAt), cmp.Compare(a.Deliveries, b.Deliveries), slices.Compare(a.Problems, b.Problems))
	})
	slices.SortFunc(r.Recordings, func(a, b Recording) int { return strings.Compare(a.RecordingID, b.RecordingID) })
	slices.SortFunc(r.Messages, func(a, b Message) int { return strings.Compare(a.MessageID, b.MessageID) })
	slices.SortFunc(r.Quarantine, func(a, b Reject) int { return strings.Compare(a.Body, b.Body) })
}

// Compare holds rows against NAME.want.json of the case and shows where they
// differ. With update it writes the file instead.
func (c Case) Compare(t testing.TB, name string, got Rows, update bool) {
	t.Helper()
	file := filepath.Join(c.Dir, name+".want.json")
	text := marshal(t, got)
	if update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, text) {
		t.Errorf("%s: %s differs\n got: %s\nwant: %s", c.Name, name, text, want)
	}
}

func marshal(t testing.TB, rows Rows) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(rows); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Want returns the rows that the case expects in the end.
func (c Case) Want(t testing.TB) Rows {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, "rows.want.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows Rows
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatalf("%s: rows.want.json: %v", c.Name, err)
	}
	return rows
}
