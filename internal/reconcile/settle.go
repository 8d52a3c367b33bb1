package reconcile

import (
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// settle decides about a record. It returns whether the record may be new, and
// puts its CDR among what is held, for the records behind it.
func (i *importing) settle(e *entry, held map[string]store.Held, alike alikeCall) bool {
	if e.Reject != nil {
		i.refuse(e, e.Reject.Reason)
		return false
	}
	if fault := e.wrongNumber(); fault != "" {
		i.refuse(e, fault)
		return false
	}
	if c := e.cdr(); c != nil {
		return i.settleCDR(e, c, held, alike)
	}
	for n := range e.Events {
		if e.Events[n].Clock == cdr.ClockReceiver {
			i.leave(e, &e.Events[n], "the event has no time of its own, and that of its receipt is not in the file", nil)
			return false
		}
	}
	return true
}

func (i *importing) settleCDR(e *entry, c *cdr.Event, held map[string]store.Held, alike alikeCall) bool {
	call := held[c.CallID]
	switch {
	case !e.keyed:
		i.settleUnkeyed(e, c, alike)
		return false
	case call.Pruned:
		i.leave(e, c, "the call was pruned", nil)
		return false
	}
	if ours, found := counterpart(c, call.Events); found {
		i.known(e, c, ours)
		return len(e.Recordings)+len(e.Messages) > 0 && e.withoutEvents()
	}
	switch {
	case c.KeyedByStart() && hasFullCDR(call.Events):
		i.leave(e, c, "the call is known, but no CDR of it starts then", nil)
		return false
	case len(call.Events) == 0 && alike.id != "" && alike.id != c.CallID: // c's own was stored just now
		i.leave(e, c, "it looks like call "+alike.id+", which has another id", i.against(c, alike))
		return false
	}
	if old := sameKey(c, call.Events, isImported); old != nil {
		before := counting(c, call.Events, old)
		if worse := saysLess(c, before); worse != "" {
			i.leave(e, c, "what was imported before says more: "+worse, nil)
			return false
		}
		i.done.Replaced++
		i.note(note(e, c, Replaces, "a record that was imported before", compare(c.Facts, before.Facts, Tolerance{})))
	}
	if len(c.Problems) > 0 {
		i.note(note(e, c, InPart, "some fields could not be read and are empty: "+strings.Join(c.Problems, "; "), nil))
	}
	call.Events = append(call.Events, *c)
	held[c.CallID] = call
	return true
}

// saysLess returns what a version of an imported record lacks that the one before
// has; empty where it may count instead.
func saysLess(c, before *cdr.Event) string {
	switch {
	case len(c.Problems) > 0:
		return strings.Join(c.Problems, "; ")
	case before.Facts.Cost.Valid && !c.Facts.Cost.Valid:
		return "here is no cost"
	}
	return ""
}

// withoutEvents leaves of a record what is no event.
func (e *entry) withoutEvents() bool {
	e.Events = nil
	return true
}

// settleUnkeyed compares a row that does not name its call.
func (i *importing) settleUnkeyed(e *entry, c *cdr.Event, alike alikeCall) {
	c.CallID, c.RecordKey = alike.id, ""
	if alike.id == "" {
		i.leave(e, c, "the row does not name its call, and none started then between these numbers and lasted as long", nil)
		return
	}
	if differences := i.against(c, alike); len(differences) > 0 {
		i.done.Known++
		i.done.Differ++
		i.note(note(e, c, Differs, "matched by start, numbers and duration", differences))
		return
	}
	i.done.Known++
}

// against compares a row with the CDR of an alike call that starts with it and
// lasted as long, else with the call as a whole.
func (i *importing) against(c *cdr.Event, alike alikeCall) []Difference {
	for _, r := range cdr.Records(alike.held.Events) {
		if gap(c, r) < time.Second && r.Facts.Billsec.Decimal.Equal(c.Facts.Billsec.Decimal) {
			return compare(c.Facts, r.Facts, Tolerance{})
		}
	}
	call, ok := cdr.Fold(alike.held.Events)
	if !ok {
		return nil // pruned
	}
	return compare(c.Facts, &cdr.Facts{
		StartedAt: call.StartedAt, AnsweredAt: call.AnsweredAt, EndedAt: call.EndedAt,
		Disposition: call.Disposition, Billsec: call.Billsec, Cost: call.Cost, Currency: call.Currency,
		Src: call.Src, Dst: call.Dst, DID: call.DID,
	}, Tolerance{})
}

// known reports a record that there is already where it says something else. Ours
// is nil where prune or erase emptied it.
func (i *importing) known(e *entry, c, ours *cdr.Event) {
	i.done.Known++
	if ours == nil {
		return
	}
	if differences := compare(c.Facts, ours.Facts, Tolerance{}); len(differences) > 0 {
		i.done.Differ++
		i.note(note(e, c, Differs, "ours counts, theirs was not stored", differences))
	}
}

func (i *importing) leave(e *entry, c *cdr.Event, reason string, differences []Difference) {
	i.done.NotAdded++
	i.note(note(e, c, NotAdded, reason, differences))
}

func note(e *entry, c *cdr.Event, what, reason string, differences []Difference) Note {
	return Note{e.file, what, e.line, c.CallID, c.RecordKey, reason, differences}
}

// counterpart returns the CDR of a call that is the same record as an imported
// one, so that this is known: the pushed one of its key, else the very same
// import, else a better one that starts with it. The CDR is nil where its facts
// are gone.
func counterpart(c *cdr.Event, events []cdr.Event) (ours *cdr.Event, found bool) {
	if same := sameKey(c, events, isPushed); same != nil {
		return counting(c, events, same), true
	}
	for n := range events {
		if events[n].ID == c.ID {
			return nil, true
		}
	}
	var nearest *cdr.Event
	for _, r := range cdr.Records(events) {
		better := isPushed(r) || !r.KeyedByStart()
		if better && cdr.SameStart(c, r) && (nearest == nil || gap(c, r) < gap(c, nearest)) {
			nearest = r
		}
	}
	return nearest, nearest != nil
}

// counting returns of the versions of a record the one that counts.
func counting(c *cdr.Event, events []cdr.Event, otherwise *cdr.Event) *cdr.Event {
	for _, r := range cdr.Records(events) {
		if r.RecordKey == c.RecordKey {
			return r
		}
	}
	if otherwise.Facts == nil {
		return nil
	}
	return otherwise
}

func gap(a, b *cdr.Event) time.Duration { return a.Facts.StartedAt.Sub(b.Facts.StartedAt).Abs() }

func sameKey(c *cdr.Event, events []cdr.Event, which func(*cdr.Event) bool) *cdr.Event {
	for n := range events {
		if e := &events[n]; e.Kind == cdr.KindCDR && e.RecordKey == c.RecordKey && which(e) {
			return e
		}
	}
	return nil
}

func isImported(e *cdr.Event) bool { return e.Facts != nil && e.Facts.Imported }

func isPushed(e *cdr.Event) bool { return !isImported(e) }

// hasFullCDR reports whether a call has a CDR that is known by more than its
// start, or was pushed.
func hasFullCDR(events []cdr.Event) bool {
	for n := range events {
		e := &events[n]
		if e.Kind == cdr.KindCDR && (isPushed(e) || !e.KeyedByStart()) {
			return true
		}
	}
	return false
}
