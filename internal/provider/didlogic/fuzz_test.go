package didlogic

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// FuzzDecode: whatever a body holds, decoding does not panic, gives the same
// twice, and gives rows that can be stored.
func FuzzDecode(f *testing.F) {
	for _, c := range testcase.Load(f) {
		if c.Provider != "didlogic" {
			continue
		}
		for i := range c.Deliveries {
			d := c.Delivery(i)
			f.Add(d.Body, d.Query)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		for piece := range record.Read(cdr.Delivery{Body: body, Query: query}) {
			if piece.Record == nil {
				continue
			}
			r, err := Decode(piece.Record, piece.Record.Fields(), "", cdr.Settings{})
			if again, _ := Decode(piece.Record, piece.Record.Fields(), "", cdr.Settings{}); !reflect.DeepEqual(r, again) {
				t.Fatalf("decoded twice: %+v, %+v", r, again)
			}
			if err != nil {
				if !strings.Contains(err.Error(), ": ") {
					t.Fatalf("names no field: %v", err)
				}
				continue
			}
			if len(r.Events)+len(r.Recordings)+len(r.Messages) != 1 {
				t.Fatalf("no single row: %+v", r)
			}
			for _, e := range r.Events {
				checkEvent(t, e)
			}
			for _, rec := range r.Recordings {
				if strings.ContainsAny(rec.RecordingID, "?#\x00") || rec.RecordingID == "" || !sane(rec.ExpiresAt) {
					t.Fatalf("recording %+v", rec)
				}
			}
			for _, m := range r.Messages {
				if strings.Contains(m.Body+m.Src+m.Dst, "\x00") || !sane(m.OccurredAt) {
					t.Fatalf("message %+v", m)
				}
			}
		}
	})
}

func checkEvent(t *testing.T, e cdr.Event) {
	t.Helper()
	facts := e.Facts
	if (facts != nil) != (e.Kind == cdr.KindCDR) || e.CallID == "" || !sane(e.OccurredAt) {
		t.Fatalf("event %+v", e)
	}
	if facts == nil {
		return
	}
	text, err := json.Marshal(facts)
	if err != nil || strings.Contains(facts.Src+facts.Dst+facts.Account+facts.HangupCause, "\x00") {
		t.Fatalf("facts %s: %v", text, err)
	}
	if facts.StartedAt.IsZero() || !sane(facts.StartedAt) || !sane(facts.AnsweredAt) || !sane(facts.EndedAt) {
		t.Fatalf("times of %s", text)
	}
	if facts.Duration.Decimal.IsNegative() || facts.Billsec.Decimal.IsNegative() {
		t.Fatalf("negative: %s", text)
	}
	if !facts.AnsweredAt.IsZero() && (facts.Disposition != cdr.Answered || !facts.Billsec.Valid) {
		t.Fatalf("answered from nothing: %s", text)
	}
}

// sane leaves a year beside the years that are readable, for what is derived.
func sane(at time.Time) bool {
	return at.IsZero() || at.Year() >= 1969 && at.Year() <= 2201
}
