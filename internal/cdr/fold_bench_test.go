package cdr_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// BenchmarkFold folds what most calls consist of: three live events and a CDR.
func BenchmarkFold(b *testing.B) {
	events := arrive([]cdr.Event{
		start("10:00:00"), connect("10:00:12"), end("10:00:32", "20"),
		attempt("1", last(answeredAttempt("10:00:00", "10:00:12", "10:00:32", "20"))),
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := cdr.Fold(events); !ok {
			b.Fatal("no call")
		}
	}
}
