package store

import (
	"slices"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestOutcomesOfOthers says of recordings and messages what is new: what neither
// the database nor the batch had before, and a status that settles more.
func TestOutcomesOfOthers(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	recording := func(id string) cdr.Record {
		return cdr.Record{Recordings: []cdr.Recording{{
			Source: "s", CallID: "c1", RecordingID: id, URL: "https://recordings.example/" + id, ReceivedAt: at, Deliveries: 1, Payload: []byte(`{}`),
		}}}
	}
	message := func(id, status string) cdr.Record {
		return cdr.Record{Messages: []cdr.Message{{
			Source: "s", MessageID: id, Status: status, ReceivedAt: at, Deliveries: 1, Payload: []byte(`{}`),
		}}}
	}
	for i, step := range []struct {
		records []cdr.Record
		want    []Status
	}{
		{[]cdr.Record{recording("a"), recording("a")}, []Status{Stored, Duplicate}},
		{[]cdr.Record{recording("a")}, []Status{Duplicate}},
		{[]cdr.Record{recording("b"), recording("a"), live(1, cdr.StateStarted, cdr.KindStarted, 1)}, []Status{Stored, Duplicate, Stored}},
		{[]cdr.Record{message("m", "queued"), message("m", "queued")}, []Status{Stored, Duplicate}},
		{[]cdr.Record{message("m", "queued"), message("m", "delivered"), message("n", "queued")}, []Status{Duplicate, Stored, Stored}},
		{[]cdr.Record{message("m", "queued"), recording("b")}, []Status{Duplicate, Duplicate}},
	} {
		known, err := s.Known(t.Context(), step.records)
		if err != nil {
			t.Fatal(err)
		}
		for name, outcomes := range map[string][]Outcome{"foreseen": known, "saved": mustSave(t, s, step.records...)} {
			var got []Status
			for _, o := range outcomes {
				got = append(got, o.Status)
			}
			if !slices.Equal(got, step.want) {
				t.Errorf("step %d, %s: statuses %v, want %v", i, name, got, step.want)
			}
		}
	}
}
