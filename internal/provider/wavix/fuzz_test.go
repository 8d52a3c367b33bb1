package wavix

import (
	"reflect"
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
			if c.Provider == "wavix" {
				f.Add(c.Deliveries[i].Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for piece := range record.Read(cdr.Delivery{Body: body}) {
			if piece.Record == nil {
				continue
			}
			out, err := Decode(piece.Record, piece.Record.Fields(), "", cdr.Settings{})
			if err != nil {
				continue
			}
			if err := out.Check(); err != nil || len(out.Events)+len(out.Messages) != 1 {
				t.Fatalf("%+v: %v", out, err)
			}
			if utf8.Valid(piece.Record.Canonical(nil)) {
				again(t, piece.Record, out)
			}
		}
	})
}

func again(t *testing.T, r *record.Record, want cdr.Record) {
	t.Helper()
	stored, err := record.FromPayload(r.Payload())
	if err != nil {
		t.Fatal(err)
	}
	out, err := Decode(stored, stored.Fields(), "", cdr.Settings{})
	if err != nil || !reflect.DeepEqual(out, want) {
		t.Fatalf("decoded again: %+v %v, want %+v", out, err, want)
	}
}
