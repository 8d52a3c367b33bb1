package record_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// read returns the pieces of a delivery.
func read(d cdr.Delivery) []record.Piece {
	var pieces []record.Piece
	for p := range record.Read(d) {
		pieces = append(pieces, p)
	}
	return pieces
}

// body returns a delivery that is nothing but its body.
func body(text string) cdr.Delivery { return cdr.Delivery{Body: []byte(text)} }

// typed returns a delivery with a content type.
func typed(contentType, text string) cdr.Delivery {
	return cdr.Delivery{ContentType: contentType, Body: []byte(text)}
}

// shown tells records and rejects apart: a record as its bytes, a reject with a
// mark before them.
func shown(pieces []record.Piece) []string {
	var out []string
	for _, p := range pieces {
		if p.Record == nil {
			out = append(out, "REJECT "+string(p.Raw))
			continue
		}
		out = append(out, string(p.Raw))
	}
	return out
}

// one returns the record of a body that holds a single one.
func one(t *testing.T, d cdr.Delivery) *record.Record {
	t.Helper()
	pieces := read(d)
	if len(pieces) != 1 || pieces[0].Record == nil {
		t.Fatalf("%q: not one record: %q", d.Body, shown(pieces))
	}
	return pieces[0].Record
}

// fields returns the fields of a JSON object.
func fields(t *testing.T, object string) *record.Fields {
	t.Helper()
	return one(t, body(object)).Fields()
}

func recordsOf(text string) func(func(record.Piece) bool) { return record.Read(body(text)) }
