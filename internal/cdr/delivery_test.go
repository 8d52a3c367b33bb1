package cdr_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	long, tooLong := strings.Repeat("x", cdr.MaxKey), strings.Repeat("x", cdr.MaxKey+34)
	longKey, tooLongKey := strings.Repeat("x", 3*cdr.MaxKey), strings.Repeat("x", 3*cdr.MaxKey+1)
	event := func(e cdr.Event) cdr.Record { return cdr.Record{Events: []cdr.Event{e}} }
	recording := func(callID, id string) cdr.Record {
		return cdr.Record{Recordings: []cdr.Recording{{CallID: callID, RecordingID: id}}}
	}
	message := func(id string) cdr.Record { return cdr.Record{Messages: []cdr.Message{{MessageID: id}}} }
	for _, c := range []struct {
		name   string
		record cdr.Record
		want   string // empty: none
	}{
		{"no row", cdr.Record{}, "the record makes no row"},
		{"an event", event(cdr.Event{CallID: long, Leg: longKey}), ""},
		{"an event of no call", event(cdr.Event{Leg: "a"}), "call id: missing"},
		{"a long call id", event(cdr.Event{CallID: tooLong}), "call id: longer than 545 bytes"},
		{"a long leg", event(cdr.Event{CallID: "c", Leg: tooLongKey}), "leg: longer than 1536 bytes"},
		{"a long record key", event(cdr.Event{CallID: "c", Kind: cdr.KindCDR, RecordKey: tooLongKey}), "record key: longer than 1536 bytes"},
		{"a CDR", event(cdr.Event{CallID: "c", Kind: cdr.KindCDR, RecordKey: longKey}), ""},
		{"a CDR without a key", event(cdr.Event{CallID: "c", Kind: cdr.KindCDR}), "a record key is for CDRs, and for each of them"},
		{"a live event with a key", event(cdr.Event{CallID: "c", RecordKey: "k"}), "a record key is for CDRs, and for each of them"},
		{"a recording", recording("c", "r"), ""},
		{"a recording of no call", recording("", "r"), "call id: missing"},
		{"a recording without an id", recording("c", ""), "recording id: missing"},
		{"a recording with a long id", recording("c", tooLongKey), "recording id: longer than 1536 bytes"},
		{"a message", message("m"), ""},
		{"a message without an id", message(""), "message id: missing"},
		{"the second event is wrong", cdr.Record{Events: []cdr.Event{{CallID: "c"}, {}}}, "call id: missing"},
	} {
		got := ""
		if err := c.record.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSetReceipt(t *testing.T) {
	t.Parallel()
	r := cdr.Record{Events: make([]cdr.Event, 2), Recordings: make([]cdr.Recording, 1), Messages: make([]cdr.Message, 1), Reject: &cdr.Reject{}}
	r.SetReceipt(at("12:00:00"))
	for name, receivedAt := range map[string]time.Time{
		"event": r.Events[1].ReceivedAt, "event, last": r.Events[1].LastReceivedAt,
		"recording": r.Recordings[0].ReceivedAt, "message": r.Messages[0].ReceivedAt, "reject": r.Reject.ReceivedAt,
	} {
		if !receivedAt.Equal(at("12:00:00")) {
			t.Errorf("%s: received at %s", name, receivedAt)
		}
	}
	if n := r.Events[0].Deliveries + r.Recordings[0].Deliveries + r.Messages[0].Deliveries + r.Reject.Deliveries; n != 4 {
		t.Errorf("deliveries add up to %d, want 4", n)
	}
}

// A record that is set aside keeps what is needed to read it again, and the
// moment of its own receipt, not of its delivery.
func TestSetAside(t *testing.T) {
	t.Parallel()
	origin := &cdr.Delivery{
		Source: "acme", Hint: "hangup", Query: "a=1", Method: "POST", ContentType: "text/plain", ContentEncoding: "gzip",
		Body: []byte("whole"), ReceivedAt: at("12:00:00"),
	}
	r := cdr.Record{Events: make([]cdr.Event, 1), Raw: []byte("piece"), Origin: origin}
	r.SetReceipt(at("12:00:01"))
	r.SetAside("why")
	if len(r.Events) > 0 || r.Reject == nil {
		t.Fatalf("not set aside: %+v", r)
	}
	j := r.Reject
	if j.Source != "acme" || j.Hint != "hangup" || j.Query != "a=1" || j.Method != "POST" || j.ContentType != "text/plain" {
		t.Errorf("the route is gone: %+v", j)
	}
	if string(j.Body) != "piece" || j.Reason != "why" || j.ContentEncoding != "" {
		t.Errorf("the piece: %+v", j)
	}
	if !j.ReceivedAt.Equal(at("12:00:01")) || j.Deliveries != 1 {
		t.Errorf("the receipt: %+v", j)
	}

	origin.BodyProblem = "gzip: broken"
	r.SetAside("why")
	if r.Reject.ContentEncoding != "gzip" {
		t.Errorf("a body that could not be inflated has encoding %q", r.Reject.ContentEncoding)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"plain": "plain", "a\x00b": "ab", "a\xffb": "a\uFFFDb", "a\xff\xfeb": "a\uFFFDb", "\xed\xa0\x80": "\uFFFD", "é": "é",
	} {
		if got := cdr.Clean(sent); got != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
}
