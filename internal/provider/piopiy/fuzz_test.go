package piopiy

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
// twice, and gives an event that can be stored.
func FuzzDecode(f *testing.F) {
	for _, c := range testcase.Load(f) {
		if c.Provider != "piopiy" {
			continue
		}
		for _, d := range c.Deliveries {
			f.Add(d.Body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for piece := range record.Read(cdr.Delivery{Body: body}) {
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
			if len(r.Events) != 1 {
				t.Fatalf("no single event: %+v", r)
			}
			checkEvent(t, r.Events[0])
		}
	})
}

func checkEvent(t *testing.T, e cdr.Event) {
	t.Helper()
	facts := e.Facts
	bare := e.Kind == cdr.KindOther || e.Kind == cdr.KindStream
	if (facts == nil) != bare || e.CallID == "" || (e.RecordKey == "") == (e.Kind == cdr.KindCDR) {
		t.Fatalf("event %+v", e)
	}
	if !sane(e.OccurredAt) || e.OccurredAt.IsZero() == (e.Clock == cdr.ClockProvider) {
		t.Fatalf("time of %+v", e)
	}
	if facts == nil {
		return
	}
	text, err := json.Marshal(facts)
	if err != nil || strings.Contains(facts.Tag+facts.Src+facts.Dst+facts.DID+facts.Account+facts.HangupCause, "\x00") {
		t.Fatalf("facts %s: %v", text, err)
	}
	if !sane(facts.StartedAt) || !sane(facts.RingingAt) || !sane(facts.AnsweredAt) || !sane(facts.EndedAt) {
		t.Fatalf("times of %s", text)
	}
	if e.Kind == cdr.KindCDR && (facts.StartedAt.IsZero() && facts.AnsweredAt.IsZero() && facts.EndedAt.IsZero() || !facts.AnsweredAt.IsZero() && facts.Disposition != cdr.Answered) {
		t.Fatalf("CDR %s", text)
	}
	if facts.Billsec.Decimal.IsNegative() || facts.Cost.Valid || facts.ChargedSec.Valid {
		t.Fatalf("amounts of %s", text)
	}
}

// sane leaves a year beside the years that are readable, for what is derived.
func sane(at time.Time) bool {
	return at.IsZero() || at.Year() >= 1969 && at.Year() <= 2201
}
