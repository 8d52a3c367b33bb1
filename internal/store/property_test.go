package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/store/storetest"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// TestAnyOrderAnyRepetitionTwoWriters takes the deliveries of a case in any
// order, each any number of times, cut into batches at will and split over two
// writers that work at once. The rows must be those of the plain order.
func TestAnyOrderAnyRepetitionTwoWriters(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	writers := [2]*store.Store{store.New(pool, slog.New(slog.DiscardHandler)), store.New(pool, slog.New(slog.DiscardHandler))}
	cases := testcase.Load(t)
	var run atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom(cases).Draw(r, "case")
		n := run.Add(1)
		plain, mixed := fmt.Sprintf("plain-%d", n), fmt.Sprintf("mixed-%d", n)
		for i := range c.Deliveries {
			mustSave(r, writers[0], records(t, c, i, plain))
		}
		plan := draw(r, t, c, mixed)
		var both sync.WaitGroup
		for w, batches := range plan {
			both.Go(func() {
				for _, b := range batches {
					mustSave(r, writers[w], b)
				}
			})
		}
		both.Wait()

		want := storetest.Rows(t, pool, plain, c.Provider)
		got := storetest.Rows(t, pool, mixed, c.Provider)
		wantSameCalls(r, want, got)
		wantSameRows(r, withoutCounts(want), withoutCounts(got))
	})
	s := writers[0]
	wantConsistent(t, s)
	done, err := s.Rebuild(t.Context(), nil, func(int) {})
	if err != nil || done.Changed != 0 {
		t.Errorf("rebuild after all: %+v, %v; want nothing changed", done, err)
	}
}

// draw deals the deliveries of a case, each one to three times, to two writers
// and cuts each one's share into batches.
func draw(r *rapid.T, t *testing.T, c testcase.Case, source string) [2][][]cdr.Record {
	var deal []int
	for i := range c.Deliveries {
		for range rapid.IntRange(1, 3).Draw(r, "times") {
			deal = append(deal, i)
		}
	}
	deal = rapid.Permutation(deal).Draw(r, "order")
	var plan [2][][]cdr.Record
	for _, i := range deal {
		w := rapid.IntRange(0, 1).Draw(r, "writer")
		batch := records(t, c, i, source)
		if last := len(plan[w]) - 1; last >= 0 && rapid.Bool().Draw(r, "same batch") {
			plan[w][last] = append(plan[w][last], batch...)
			continue
		}
		plan[w] = append(plan[w], batch)
	}
	return plan
}

// mustSave saves, and again while two writers keep overtaking each other on one
// call, as a receiver's sender would.
func mustSave(r *rapid.T, s *store.Store, batch []cdr.Record) {
	for range 20 {
		_, err := s.Save(context.Background(), slices.Clone(batch))
		if err == nil {
			return
		}
		if store.FaultOf(err) != store.FaultAgain {
			r.Errorf("save: %v", err)
			return
		}
	}
	r.Errorf("save: never got through")
}

// withoutCounts leaves out how often things came, and the calls.
func withoutCounts(rows testcase.Rows) testcase.Rows {
	rows.Calls = nil
	for i := range rows.Events {
		rows.Events[i].Deliveries = 0
	}
	for i := range rows.Recordings {
		rows.Recordings[i].Deliveries = 0
	}
	for i := range rows.Messages {
		rows.Messages[i].Deliveries = 0
	}
	for i := range rows.Quarantine {
		rows.Quarantine[i].Deliveries = 0
	}
	rows.Sort()
	return rows
}

func wantSameRows(r *rapid.T, want, got testcase.Rows) {
	w, errW := json.Marshal(want)
	g, errG := json.Marshal(got)
	if errW != nil || errG != nil || !bytes.Equal(w, g) {
		r.Errorf("rows differ\n got: %s\nwant: %s (%v, %v)", g, w, errG, errW)
	}
}

func wantSameCalls(r *rapid.T, want, got testcase.Rows) {
	if len(want.Calls) != len(got.Calls) {
		r.Fatalf("%d calls, want %d", len(got.Calls), len(want.Calls))
	}
	for i := range want.Calls {
		if d := want.Calls[i].Diff(&got.Calls[i]); len(d) > 0 {
			r.Errorf("call %s differs in %v:\n got: %+v\nwant: %+v", want.Calls[i].CallID, d, got.Calls[i], want.Calls[i])
		}
	}
}
