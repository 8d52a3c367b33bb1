package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Redecoder reads a stored event's payload again. The provider and settings are
// those of the event's source.
type Redecoder func(e cdr.Event, src Source) (cdr.Event, error)

// Rebuilt is what Rebuild did.
type Rebuilt struct {
	Calls      int // looked at
	Pruned     int // left alone
	Changed    int // written, made or removed
	Events     int // decoded anew to something else
	Moved      int // of those, events that are of another call than before
	Unreadable int // could not be decoded anew and were left alone
}

// Rebuild folds every call anew from its stored facts; with a Redecoder it
// first decodes the stored payloads again. It works while receivers run: a call
// that changes meanwhile is read again.
func (s *Store) Rebuild(ctx context.Context, redecode Redecoder, progress func(calls int)) (Rebuilt, error) {
	var total Rebuilt
	sources, err := s.Sources(ctx)
	if err != nil {
		return total, err
	}
	var after callKey
	for {
		snap, err := s.next(ctx, after)
		if err != nil {
			return total, err
		}
		if len(snap.keys) == 0 {
			if redecode != nil {
				_, err = s.JoinImported(ctx, time.Time{})
			}
			return total, err
		}
		r := rebuilding{store: s, redecode: redecode, sources: sources}
		if err := r.chunk(ctx, snap, maxTries); err != nil {
			return total, err
		}
		total.add(r.done)
		after = snap.keys[len(snap.keys)-1]
		progress(total.Calls)
	}
}

func (r *Rebuilt) add(o Rebuilt) {
	r.Calls += o.Calls
	r.Pruned += o.Pruned
	r.Changed += o.Changed
	r.Events += o.Events
	r.Moved += o.Moved
	r.Unreadable += o.Unreadable
}

// rebuilding is the work on one chunk of calls.
type rebuilding struct {
	store    *Store
	redecode Redecoder
	sources  map[string]Source
	done     Rebuilt
}

// chunk rebuilds the calls of a snapshot. Where other writers keep changing
// them it goes on with halves, so that one busy call does not hold up the rest.
func (r *rebuilding) chunk(ctx context.Context, snap *snapshot, tries int) error {
	done, err := r.try(ctx, snap)
	if err == nil {
		r.done.add(done)
		return nil
	}
	if FaultOf(err) != FaultAgain || tries == 0 {
		return fmt.Errorf("rebuild %d calls from %q %q: %w", len(snap.keys), snap.keys[0].source, snap.keys[0].callID, err)
	}
	parts := [][]callKey{snap.keys}
	if half := len(snap.keys) / 2; half > 0 {
		parts = [][]callKey{snap.keys[:half], snap.keys[half:]}
	}
	for _, keys := range parts {
		fresh, err := r.store.again(ctx, keys)
		if err != nil {
			return err
		}
		if err := r.chunk(ctx, fresh, tries-1); err != nil {
			return err
		}
	}
	return nil
}

func (r *rebuilding) try(ctx context.Context, snap *snapshot) (Rebuilt, error) {
	done, calls, own := Rebuilt{}, callRows{}, len(snap.keys)
	var gone db.DeleteCallsParams
	decoded := &redecoded{touched: map[callKey]bool{}}
	if r.redecode != nil {
		var err error
		if snap, decoded, err = r.decode(ctx, snap); err != nil {
			return done, err
		}
		done = decoded.done
	}
	for i, k := range snap.keys {
		row := snap.calls[k]
		call, exists, columns := snap.diff(k)
		if asked := i < own; asked && (exists || row != nil) {
			done.Calls++
		}
		if row != nil && row.PrunedAt.Valid {
			done.Pruned++
			continue
		}
		switch {
		case len(columns) == 0 && !decoded.touched[k]:
		case exists:
			calls.append(&call, snap.events[k].version+1)
			calls.note(k, snap.events[k].callTime, call.CallTime, false)
		case row != nil:
			gone.Source = append(gone.Source, k.source)
			gone.CallID = append(gone.CallID, k.callID)
			gone.Version = append(gone.Version, row.Version)
			calls.note(k, snap.events[k].callTime, time.Time{}, false)
		}
		if len(columns) > 0 {
			done.Changed++
		}
	}
	return done, r.store.writeRebuilt(ctx, decoded, calls, gone)
}

func (s *Store) writeRebuilt(ctx context.Context, d *redecoded, calls callRows, gone db.DeleteCallsParams) error {
	if len(d.same.EventID)+len(d.moved.EventID)+calls.len()+len(gone.Source) == 0 {
		return nil
	}
	return inTransaction(ctx, s.pool, func(q *db.Queries) error {
		if err := q.RedecodeEvents(ctx, d.same); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
		n, err := q.MoveEvents(ctx, d.moved)
		switch {
		case err != nil:
			return fmt.Errorf("move events: %w", err)
		case int(n) != len(d.moved.EventID):
			return errOvertaken
		}
		if err := calls.write(ctx, q); err != nil {
			return fmt.Errorf("write calls: %w", err)
		}
		n, err = q.DeleteCalls(ctx, gone)
		if err == nil && int(n) != len(gone.Source) {
			return errOvertaken
		}
		return err
	})
}

// redecoded is what decoding the events of a snapshot anew changes.
type redecoded struct {
	same    db.RedecodeEventsParams // events that stay with their call
	moved   db.MoveEventsParams     // events that are of another call
	touched map[callKey]bool        // calls of those events
	done    Rebuilt
}

// decode decodes the events of the snapshot anew. A call of which an event
// reads differently is always written, so that a writer who folded from the old
// facts finds a newer version. Calls to which events move join the snapshot, which
// is then read again.
func (r *rebuilding) decode(ctx context.Context, snap *snapshot) (*snapshot, *redecoded, error) {
	for {
		d := &redecoded{touched: map[callKey]bool{}}
		joining, err := r.decodeOnce(ctx, snap, d)
		if err != nil || len(joining) == 0 {
			return snap, d, err
		}
		if snap, err = r.store.again(ctx, append(slices.Clone(snap.keys), joining...)); err != nil {
			return nil, nil, err
		}
	}
}

// decodeOnce returns the calls that the snapshot lacks.
func (r *rebuilding) decodeOnce(ctx context.Context, snap *snapshot, d *redecoded) (joining []callKey, err error) {
	sources, ids := columns(snap.keys)
	rows, err := db.New(r.store.pool).Events(ctx, db.EventsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		old, err := wholeEvent(&rows[i])
		if err != nil {
			return nil, err
		}
		from := callKey{old.Source, old.CallID}
		at := snap.events[from].find(old.ID)
		if at < 0 || old.Payload == nil {
			continue // came after the snapshot, or was pruned
		}
		fresh, err := r.redecode(old, r.sources[old.Source])
		if err != nil {
			d.done.Unreadable++
			continue
		}
		if sameEvent(&old, &fresh) {
			continue
		}
		d.done.Events++
		fresh.ReceivedAt = snap.events[from].events[at].ReceivedAt
		to := callKey{fresh.Source, fresh.CallID}
		d.touched[from], d.touched[to] = true, true
		switch {
		case to == from:
			snap.events[from].events[at] = fresh
			appendRedecoded(&d.same, &fresh)
		case snap.events[to] == nil:
			if !slices.Contains(joining, to) {
				joining = append(joining, to)
			}
		default:
			d.done.Moved++
			snap.events[from].remove(at)
			snap.events[to].receive(fresh)
			appendMoved(&d.moved, old.CallID, &fresh)
		}
	}
	return joining, nil
}

func sameEvent(a, b *cdr.Event) bool {
	x, y := writeFacts(a.Facts), writeFacts(b.Facts)
	sameFacts := (x == nil) == (y == nil) && (x == nil || *x == *y)
	return sameFacts && a.CallID == b.CallID && a.Kind == b.Kind && a.Leg == b.Leg && a.RecordKey == b.RecordKey && a.Clock == b.Clock &&
		occurred(a).Equal(occurred(b)) && problems(a) == problems(b)
}

func appendRedecoded(p *db.RedecodeEventsParams, e *cdr.Event) {
	p.Source = append(p.Source, e.Source)
	p.CallID = append(p.CallID, e.CallID)
	p.EventID = append(p.EventID, uuid(e.ID))
	p.Kind = append(p.Kind, string(e.Kind))
	p.Leg = append(p.Leg, e.Leg)
	p.RecordKey = append(p.RecordKey, textOrNil(e.RecordKey))
	p.Clock = append(p.Clock, string(e.Clock))
	p.OccurredAt = append(p.OccurredAt, moment(e.OccurredAt))
	p.Facts = append(p.Facts, writeFacts(e.Facts))
	p.Problems = append(p.Problems, problems(e))
}

func appendMoved(p *db.MoveEventsParams, from string, e *cdr.Event) {
	var same db.RedecodeEventsParams
	appendRedecoded(&same, e)
	p.Source, p.CallID, p.ToCallID = append(p.Source, e.Source), append(p.CallID, from), append(p.ToCallID, e.CallID)
	p.EventID, p.Kind, p.Leg = append(p.EventID, same.EventID...), append(p.Kind, same.Kind...), append(p.Leg, same.Leg...)
	p.RecordKey, p.Clock = append(p.RecordKey, same.RecordKey...), append(p.Clock, same.Clock...)
	p.OccurredAt, p.Facts, p.Problems = append(p.OccurredAt, same.OccurredAt...), append(p.Facts, same.Facts...), append(p.Problems, same.Problems...)
}
