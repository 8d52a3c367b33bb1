package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

type callKey struct{ source, callID string }

func (k callKey) compare(o callKey) int {
	return cmp.Or(strings.Compare(k.source, o.source), strings.Compare(k.callID, o.callID))
}

type eventKey struct {
	callKey
	id [16]byte
}

func keyOf(e *cdr.Event) eventKey { return eventKey{callKey{e.Source, e.CallID}, e.ID} }

// batch is what one statement writes: the records of many deliveries, repeats
// counted together, in the order of their keys.
type batch struct {
	records []cdr.Record
	bounded bool // the quarantine takes only so much

	events     []*cdr.Event // those of records, which are not changed
	recordings []cdr.Recording
	messages   []cdr.Message
	rejects    []cdr.Reject

	calls   map[callKey]*stored
	guessed bool              // calls that the cache does not have were taken for new
	added   map[eventKey]bool // events that are new
	late    int               // events that would change a call which was pruned
	seen    seenOthers
	refused map[[16]byte]bool // pieces that the quarantine has no room for
}

func newBatch(records []cdr.Record, bounded bool) *batch {
	b := &batch{
		records: records, bounded: bounded, events: make([]*cdr.Event, 0, len(records)),
	}
	for i := range records {
		r := &records[i]
		for j := range r.Events {
			b.events = append(b.events, &r.Events[j])
		}
		b.recordings = append(b.recordings, r.Recordings...)
		b.messages = append(b.messages, r.Messages...)
		if r.Reject != nil {
			b.rejects = append(b.rejects, *r.Reject)
		}
	}
	b.events = together(b.events, compareEvents, mergeEvents)
	b.recordings = together(b.recordings, compareRecordings, cdr.MergeRecording)
	b.messages = together(b.messages, compareMessages, cdr.MergeMessage)
	b.rejects = together(b.rejects, compareRejects, mergeRejects)
	return b
}

// together sorts rows by their key and merges those of one key.
func together[T any](rows []T, compare func(a, b T) int, merge func(a, b T) T) []T {
	slices.SortStableFunc(rows, compare)
	out := rows[:0]
	for _, r := range rows {
		if n := len(out); n > 0 && compare(out[n-1], r) == 0 {
			out[n-1] = merge(out[n-1], r)
			continue
		}
		out = append(out, r)
	}
	return out
}

func mergeEvents(a, b *cdr.Event) *cdr.Event {
	both := cdr.MergeEvent(*a, *b)
	return &both
}

func compareEvents(a, b *cdr.Event) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.CallID, b.CallID), bytes.Compare(a.ID[:], b.ID[:]))
}

func compareRecordings(a, b cdr.Recording) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.CallID, b.CallID), strings.Compare(a.RecordingID, b.RecordingID))
}

func compareMessages(a, b cdr.Message) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.MessageID, b.MessageID))
}

func compareRejects(a, b cdr.Reject) int {
	x, y := rejectID(&a), rejectID(&b)
	return cmp.Or(strings.Compare(a.Source, b.Source), bytes.Compare(x[:], y[:]))
}

func mergeRejects(a, b cdr.Reject) cdr.Reject {
	if b.ReceivedAt.Before(a.ReceivedAt) {
		a.ReceivedAt = b.ReceivedAt
	}
	a.Deliveries += b.Deliveries
	return a
}

// rejectID makes the same bytes on the same route one row.
func rejectID(r *cdr.Reject) [16]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%d:%s%d:%s", len(r.Source), r.Source, len(r.Hint), r.Hint, len(r.Query), r.Query)
	h.Write(r.Body)
	return [16]byte(h.Sum(nil))
}

// read asks the cache and the database what must be known before anything is
// written.
func (b *batch) read(ctx context.Context, q *db.Queries, c *cache, r *rooms) error {
	if err := b.readCalls(ctx, q, c); err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	return b.refuse(ctx, q, r)
}

func (b *batch) readCalls(ctx context.Context, q *db.Queries, c *cache) error {
	b.calls = map[callKey]*stored{}
	var keys db.ReadCallsParams
	for i := range b.events {
		k := callKey{b.events[i].Source, b.events[i].CallID}
		if b.calls[k] != nil {
			continue
		}
		if b.calls[k] = c.take(k); b.calls[k] == nil {
			b.calls[k] = &stored{}
			keys.Sources = append(keys.Sources, k.source)
			keys.CallIds = append(keys.CallIds, k.callID)
		}
	}
	b.guessed = len(keys.Sources) > 0 && c.expectsStrangers()
	if len(keys.Sources) == 0 || b.guessed {
		return nil
	}
	rows, err := q.ReadCalls(ctx, keys)
	if err != nil {
		return err
	}
	c.met(len(rows) == 0, len(keys.Sources))
	for i := range rows {
		b.calls[callKey{rows[i].Source, rows[i].CallID}].add(&rows[i])
	}
	return nil
}

// settle says what became of each record. The first of several equal ones in a
// batch is the new one.
func (b *batch) settle() []Outcome {
	outcomes := make([]Outcome, len(b.records))
	for i := range b.records {
		outcomes[i] = b.outcome(&b.records[i])
	}
	return outcomes
}

func (b *batch) outcome(r *cdr.Record) Outcome {
	if r.Reject != nil {
		if len(b.refused) > 0 && b.refused[rejectID(r.Reject)] {
			return Outcome{Refused, r.Reject.Reason}
		}
		return Outcome{Quarantine, r.Reject.Reason}
	}
	status := Duplicate
	for i := range r.Events {
		if k := keyOf(&r.Events[i]); b.added[k] {
			delete(b.added, k)
			status = Stored
		}
	}
	for i := range r.Recordings {
		if b.seen.recording(&r.Recordings[i]) {
			status = Stored
		}
	}
	for i := range r.Messages {
		if b.seen.message(&r.Messages[i]) {
			status = Stored
		}
	}
	return Outcome{Status: status}
}
