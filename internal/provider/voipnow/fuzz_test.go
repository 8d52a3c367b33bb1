package voipnow

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// FuzzDecode reads anything without a panic, and reads a stored event again as
// the same one.
func FuzzDecode(f *testing.F) {
	for _, c := range testcase.Load(f) {
		for i := range c.Deliveries {
			if c.Provider == "voipnow" {
				d := c.Delivery(i)
				f.Add(d.Hint, d.Query, d.ContentType, d.Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, hint, query, contentType string, body []byte) {
		for piece := range record.Read(cdr.Delivery{Query: query, ContentType: contentType, Body: body}) {
			if piece.Record == nil {
				continue
			}
			out, err := Decode(piece.Record, piece.Record.Fields(), hint, cdr.Settings{})
			if err != nil {
				continue
			}
			e := out.Events[0]
			if err := out.Check(); err != nil || e.CallID == "" || strings.Contains(e.CallID+e.Leg+e.ProviderKind, "\x00") {
				t.Fatalf("%+v: %v", e, err)
			}
			if utf8.Valid(piece.Record.Canonical(nil)) {
				again(t, piece.Record, e)
			}
		}
	})
}

func again(t *testing.T, r *record.Record, e cdr.Event) {
	t.Helper()
	stored, err := record.FromPayload(r.Payload())
	if err != nil {
		t.Fatal(err)
	}
	out, err := Decode(stored, stored.Fields(), e.ProviderKind, cdr.Settings{})
	if err != nil || !reflect.DeepEqual(out.Events[0], e) {
		t.Fatalf("decoded again: %+v %v, want %+v", out.Events, err, e)
	}
}
