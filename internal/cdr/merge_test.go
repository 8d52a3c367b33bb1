package cdr_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// mergesInAnyOrder fails unless merging gives the same whatever the order and
// grouping of receipts.
func mergesInAnyOrder[T any](t *testing.T, draw func(*rapid.T) T, merge func(a, b T) T) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := draw(t), draw(t), draw(t)
		if x, y := merge(a, b), merge(b, a); !reflect.DeepEqual(x, y) {
			t.Fatalf("a, b gives %+v\nb, a gives %+v", x, y)
		}
		if x, y := merge(merge(a, b), c), merge(a, merge(b, c)); !reflect.DeepEqual(x, y) {
			t.Fatalf("(a, b), c gives %+v\na, (b, c) gives %+v", x, y)
		}
	})
}

func drawReceipt(t *rapid.T) (time.Time, int) {
	return at("12:00:00").Add(drawSeconds(t, 5)), rapid.IntRange(1, 3).Draw(t, "deliveries")
}

func TestMergeEventInAnyOrder(t *testing.T) {
	t.Parallel()
	facts := &cdr.Facts{Src: "441"}
	mergesInAnyOrder(t, func(t *rapid.T) cdr.Event {
		e := cdr.Event{ID: [16]byte{1}, Facts: facts}
		e.ReceivedAt, e.Deliveries = drawReceipt(t)
		e.LastReceivedAt = e.ReceivedAt.Add(drawSeconds(t, 3))
		return e
	}, cdr.MergeEvent)
}

func TestMergeRecordingInAnyOrder(t *testing.T) {
	t.Parallel()
	mergesInAnyOrder(t, func(t *rapid.T) cdr.Recording {
		r := cdr.Recording{
			RecordingID: "r", URL: rapid.SampledFrom([]string{"u1", "u2"}).Draw(t, "url"),
			Payload: []byte(rapid.SampledFrom([]string{"{}", "{ }"}).Draw(t, "payload")),
		}
		if rapid.Bool().Draw(t, "expires") {
			r.ExpiresAt = at("13:00:00").Add(drawSeconds(t, 1))
		}
		r.ReceivedAt, r.Deliveries = drawReceipt(t)
		return r
	}, cdr.MergeRecording)
}

// What a report says follows from its payload; every part of it may be missing.
func TestMergeMessageInAnyOrder(t *testing.T) {
	t.Parallel()
	mergesInAnyOrder(t, func(t *rapid.T) cdr.Message {
		m := cdr.Message{
			MessageID: "m", Status: rapid.SampledFrom([]string{"", "queued", "sent", "buffered", "failed", "delivered"}).Draw(t, "status"),
		}
		n := rapid.IntRange(0, 3).Draw(t, "report")
		m.Payload = []byte(m.Status + string(rune('0'+n)))
		if n&1 != 0 {
			m.Src, m.Body, m.Segments = "src"+m.Status, "body"+m.Status, len(m.Status)
		}
		if n&2 != 0 {
			m.Dst, m.Currency, m.Cost = "dst"+m.Status, "USD", decimal.NewNullDecimal(decimal.New(int64(n), 0))
		}
		m.ReceivedAt, m.Deliveries = drawReceipt(t)
		return m
	}, cdr.MergeMessage)
}

func TestMergeEvent(t *testing.T) {
	t.Parallel()
	a := cdr.Event{ReceivedAt: at("12:00:00"), LastReceivedAt: at("12:00:10"), Deliveries: 2}
	b := cdr.Event{ReceivedAt: at("11:00:00"), LastReceivedAt: at("12:00:05"), Deliveries: 3}
	m := cdr.MergeEvent(a, b)
	if !m.ReceivedAt.Equal(at("11:00:00")) || !m.LastReceivedAt.Equal(at("12:00:10")) || m.Deliveries != 5 {
		t.Errorf("merged: %+v", m)
	}
}

func TestMergeRecording(t *testing.T) {
	t.Parallel()
	lasting := cdr.Recording{URL: "a", ExpiresAt: at("14:00:00"), ReceivedAt: at("12:00:05"), Deliveries: 1, Payload: []byte("1")}
	first := cdr.Recording{URL: "z", ExpiresAt: at("13:00:00"), ReceivedAt: at("12:00:00"), Deliveries: 2, Payload: []byte("2")}
	m := cdr.MergeRecording(first, lasting)
	if m.URL != "a" || !m.ExpiresAt.Equal(lasting.ExpiresAt) || !bytes.Equal(m.Payload, lasting.Payload) {
		t.Errorf("the URL that lasts longer is gone: %+v", m)
	}
	if !m.ReceivedAt.Equal(at("12:00:00")) || m.Deliveries != 3 {
		t.Errorf("receipts: %+v", m)
	}
}

func TestMergeMessage(t *testing.T) {
	t.Parallel()
	delivered := cdr.Message{Status: "delivered", ReceivedAt: at("12:00:00"), Deliveries: 1, Payload: []byte("1")}
	sent := cdr.Message{Status: "sent", Body: "hello", ReceivedAt: at("12:00:05"), Deliveries: 1, Payload: []byte("2")}
	m := cdr.MergeMessage(delivered, sent)
	if m.Status != "delivered" || m.Body != "" || !m.ReceivedAt.Equal(at("12:00:00")) || m.Deliveries != 2 {
		t.Errorf("merged: %+v", m)
	}
}

func TestStatusRank(t *testing.T) {
	t.Parallel()
	for rank, words := range [][]string{
		{""},
		{"accepted", "queued", "pending"},
		{"sent", "buffered", "a word that nobody knows"},
		{"undelivered", "failed", "rejected", "expired", "dlr_expired"},
		{"delivered", "received"},
	} {
		for _, word := range words {
			if got := cdr.StatusRank(word); got != rank {
				t.Errorf("%q: rank %d, want %d", word, got, rank)
			}
		}
	}
}
