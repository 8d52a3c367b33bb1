package provider_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// TestCases decodes every delivery of testdata, and folds the deliveries of each
// case in many orders, once and four times. Run with -update to write the
// expectations anew; then read every one of them.
func TestCases(t *testing.T) {
	t.Parallel()
	update := flag.Lookup("update").Value.String() == "true"
	for _, c := range testcase.Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			adapter, ok := provider.ByName(c.Provider)
			if !ok {
				t.Fatalf("no adapter %q", c.Provider)
			}
			decoded := make([][]cdr.Record, len(c.Deliveries))
			for i, d := range c.Deliveries {
				decoded[i] = adapter.Read(c.Delivery(i))
				c.Compare(t, d.Name, testcase.Decoded(decoded[i]), update)
			}
			c.Compare(t, "rows", fold(decoded, order(len(decoded), 0), 1), update)
			for seed := range uint64(24) {
				c.Compare(t, "rows", fold(decoded, order(len(decoded), seed), 1), false)
			}
			once, four := fold(decoded, order(len(decoded), 0), 1), fold(decoded, order(len(decoded), 7), 4)
			for i := range once.Calls {
				if d := once.Calls[i].Diff(&four.Calls[i]); len(d) > 0 {
					t.Errorf("four times instead of once changes %v", d)
				}
			}
		})
	}
}

// order returns the numbers below n, shuffled by a seed; seed 0 keeps them.
func order(n int, seed uint64) []int {
	if seed == 0 {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	}
	return rand.New(rand.NewPCG(seed, seed)).Perm(n)
}

// fold makes the rows of decoded deliveries that arrive in an order, each so
// many times.
func fold(decoded [][]cdr.Record, order []int, times int) testcase.Rows {
	events := map[string]map[[16]byte]cdr.Event{}
	recordings := map[[2]string]cdr.Recording{}
	messages := map[string]cdr.Message{}
	rejects := map[string]cdr.Reject{}
	for range times {
		for _, i := range order {
			for _, r := range decoded[i] {
				for _, e := range r.Events {
					if events[e.CallID] == nil {
						events[e.CallID] = map[[16]byte]cdr.Event{}
					}
					merge(events[e.CallID], e.ID, e, cdr.MergeEvent)
				}
				for _, rec := range r.Recordings {
					merge(recordings, [2]string{rec.CallID, rec.RecordingID}, rec, cdr.MergeRecording)
				}
				for _, m := range r.Messages {
					merge(messages, m.MessageID, m, cdr.MergeMessage)
				}
				if r.Reject != nil {
					merge(rejects, string(r.Reject.Body), *r.Reject, func(a, b cdr.Reject) cdr.Reject {
						a.Deliveries += b.Deliveries
						return a
					})
				}
			}
		}
	}
	var rows testcase.Rows
	for _, byID := range events {
		var all []cdr.Event
		for _, e := range byID {
			all = append(all, e)
			rows.Events = append(rows.Events, testcase.NewEvent(e))
		}
		if call, ok := cdr.Fold(all); ok {
			rows.Calls = append(rows.Calls, call)
		}
	}
	for _, r := range recordings {
		rows.Recordings = append(rows.Recordings, testcase.NewRecording(r))
	}
	for _, m := range messages {
		rows.Messages = append(rows.Messages, testcase.NewMessage(m))
	}
	for _, r := range rejects {
		rows.Quarantine = append(rows.Quarantine, testcase.NewReject(r))
	}
	rows.Sort()
	return rows
}

func merge[K comparable, V any](all map[K]V, key K, v V, with func(a, b V) V) {
	if old, ok := all[key]; ok {
		v = with(old, v)
	}
	all[key] = v
}
