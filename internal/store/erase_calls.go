package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// fromCalls erases from calls and their events, chunk by chunk. A dry run
// counts a call once, however many pages its events are on.
func (e *erasing) fromCalls(ctx context.Context, keys []callKey) error {
	if e.dryRun {
		keys = slices.DeleteFunc(keys, func(k callKey) bool { return e.calls[k] })
	}
	for part := range slices.Chunk(keys, chunk) {
		if err := e.chunk(ctx, part, maxTries); err != nil {
			return err
		}
	}
	return nil
}

// chunk goes on with halves where other writers keep changing the calls, as
// rebuild does.
func (e *erasing) chunk(ctx context.Context, keys []callKey, tries int) error {
	err := e.try(ctx, keys)
	if err == nil || FaultOf(err) != FaultAgain || tries == 0 {
		return err
	}
	for part := range slices.Chunk(keys, max(1, (len(keys)+1)/2)) {
		if err := e.chunk(ctx, part, tries-1); err != nil {
			return err
		}
	}
	return nil
}

// erasure is what is written of some calls at once.
type erasure struct {
	events db.EraseEventsParams
	calls  callRows
	pruned db.ErasePrunedCallsParams
	keys   []callKey // of calls whose row changes
}

// try reads, erases, folds and writes some calls once. A writer that has folded
// the old events finds another version; one that was faster makes this fail.
func (e *erasing) try(ctx context.Context, keys []callKey) error {
	var w *erasure
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, e.store.pool, options, func(tx pgx.Tx) (err error) {
		w, err = e.plan(ctx, db.New(tx), keys)
		return err
	})
	if err != nil {
		return err
	}
	if e.store.betweenReadAndWrite != nil {
		e.store.betweenReadAndWrite()
	}
	if !e.dryRun && len(w.events.Source)+len(w.keys) > 0 {
		err := inTransaction(ctx, e.store.pool, func(q *db.Queries) error { return w.write(ctx, q) })
		if err != nil {
			return err
		}
	}
	e.done.Events += len(w.events.Source)
	for _, k := range w.keys {
		if !e.calls[k] {
			e.calls[k] = true
			e.done.Calls++
		}
	}
	if e.dryRun {
		for _, k := range keys {
			e.calls[k] = true
		}
	}
	return nil
}

// plan takes the number off the events of some calls and folds them.
func (e *erasing) plan(ctx context.Context, q *db.Queries, keys []callKey) (*erasure, error) {
	w := &erasure{pruned: db.ErasePrunedCallsParams{Number: e.pattern}}
	sources, ids := columns(keys)
	rows, err := q.Calls(ctx, db.CallsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, err
	}
	events, err := q.Events(ctx, db.EventsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, err
	}
	cleaned := map[callKey][]cdr.Event{}
	touched := map[callKey]bool{}
	for i := range events {
		event, err := wholeEvent(&events[i])
		if err != nil {
			return nil, err
		}
		k := callKey{event.Source, event.CallID}
		if e.number.takeOff(&event) {
			touched[k] = true
			w.event(&event)
		}
		cleaned[k] = append(cleaned[k], event)
	}
	calls := map[callKey]*db.Call{}
	for i := range rows {
		calls[callKey{rows[i].Source, rows[i].CallID}] = &rows[i]
	}
	slices.SortFunc(keys, callKey.compare)
	for _, k := range keys {
		w.call(k, calls[k], cleaned[k], touched[k], calls[k] != nil && e.number.in(labels(calls[k])...))
	}
	return w, nil
}

func (w *erasure) event(e *cdr.Event) {
	w.events.Source = append(w.events.Source, e.Source)
	w.events.CallID = append(w.events.CallID, e.CallID)
	w.events.EventID = append(w.events.EventID, uuid(e.ID))
	w.events.Leg = append(w.events.Leg, e.Leg)
	w.events.Facts = append(w.events.Facts, writeFacts(e.Facts))
	w.events.Problems = append(w.events.Problems, problems(e))
}

// call plans what is written of a call: nothing where there is none, a new fold,
// or, where it is pruned, the row without the number.
func (w *erasure) call(k callKey, row *db.Call, events []cdr.Event, touched, found bool) {
	if row != nil && row.PrunedAt.Valid {
		if found {
			w.keys = append(w.keys, k)
			w.pruned.Source = append(w.pruned.Source, k.source)
			w.pruned.CallID = append(w.pruned.CallID, k.callID)
			w.calls.note(k, time.Time{}, time.Time{}, false)
		}
		return
	}
	call, exists := cdr.Fold(events)
	if !exists || !touched && !found {
		return
	}
	version, before := int64(1), time.Time{}
	if row != nil {
		version, before = row.Version+1, momentOf(row.CallTime)
	}
	w.calls.append(&call, version)
	w.calls.note(k, before, call.CallTime, false)
	w.keys = append(w.keys, k)
}

func (w *erasure) write(ctx context.Context, q *db.Queries) error {
	if _, err := q.EraseEvents(ctx, w.events); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if err := w.calls.write(ctx, q); err != nil {
		return fmt.Errorf("write calls: %w", err)
	}
	_, err := q.ErasePrunedCalls(ctx, w.pruned)
	return err
}

// labels are the texts of a call that may hold a number.
func labels(c *db.Call) []string {
	return []string{
		c.ParentCallID.String, c.Account.String, c.Src.String, c.Dst.String, c.Did.String, c.SrcName.String,
		c.SrcE164.String, c.DstE164.String, c.Trunk.String, c.Tag.String, c.SipCallID.String, c.HangupCause.String,
	}
}

// takeOff takes a number off an event, and with it the caller's name. It reports
// whether there was any, also in the payload, which EraseEvents drops.
func (s spelling) takeOff(e *cdr.Event) bool {
	found := s.in(string(e.Payload), e.Leg) || s.in(e.Problems...)
	if f := e.Facts; f != nil {
		if s.in(f.Src, f.SrcE164) {
			f.SrcName = ""
		}
		for _, text := range []*string{
			&f.ParentCallID, &f.Account, &f.Src, &f.Dst, &f.DID, &f.SrcName, &f.SrcE164, &f.DstE164, &f.Trunk, &f.Tag, &f.SIPCallID, &f.HangupCause,
		} {
			if s.in(*text) {
				*text, found = "", true
			}
		}
	}
	if found {
		e.Leg = s.without(e.Leg)
		for i := range e.Problems {
			e.Problems[i] = s.without(e.Problems[i])
		}
	}
	return found
}
