package cdr

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A CDR may come twice: pushed, and from a file that was imported because the
// push was lost, or seemed to be. A file does not always name the record as the
// push does (DIDWW's outbound export has no record id, and no fraction of a
// second; its inbound one has the attempt, which old pushes lack): then the call
// and its start tell that two CDRs are one record.

// StartKey is the record key of a CDR of which the provider names no other: its
// call and its start.
func StartKey(callID string, start time.Time) string {
	return callID + "/" + start.Format(time.RFC3339Nano)
}

// MoveTo makes an event one of another call. A record key that is the start of the
// call stays that.
func (e *Event) MoveTo(callID string) {
	keyedByStart := e.KeyedByStart()
	if e.CallID = callID; keyedByStart {
		e.RecordKey = StartKey(callID, e.Facts.StartedAt)
	}
}

// Records returns the CDRs of a call that count, one for each record, in no
// particular order. Events that say nothing about the call are left out.
func Records(events []Event) []*Event {
	var all []*Event
	for i := range events {
		if events[i].Facts != nil {
			all = append(all, &events[i])
		}
	}
	var records []*Event
	for _, e := range winners(withoutCopies(all)) {
		records = append(records, e)
	}
	return records
}

// SameStart reports whether two CDRs of one call may be one record although
// their record keys differ: they start within a second of each other, and the
// key of one is nothing but its start, or one is known by its leg and the other
// names none.
func SameStart(a, b *Event) bool {
	unlike := a.KeyedByStart() || b.KeyedByStart() ||
		a.keyedByLeg() && b.namesNoLeg() || b.keyedByLeg() && a.namesNoLeg()
	return unlike && apart(a, b) < time.Second
}

// keyedByLeg reports whether all that names a CDR's record is its call and leg.
func (e *Event) keyedByLeg() bool { return e.Leg != "" && e.RecordKey == e.CallID+"/"+e.Leg }

// namesNoLeg reports whether a CDR stands for the whole call, or for a leg that
// is known by its start alone.
func (e *Event) namesNoLeg() bool {
	return e.Leg == "" || e.Leg == e.Facts.StartedAt.Format(time.RFC3339Nano)
}

func (e *Event) imported() bool { return e.Facts != nil && e.Facts.Imported }

// KeyedByStart reports whether all that names a CDR's record is its call and its
// start.
func (e *Event) KeyedByStart() bool {
	return e.Facts != nil && e.RecordKey == StartKey(e.CallID, e.Facts.StartedAt)
}

func apart(a, b *Event) time.Duration {
	return a.Facts.StartedAt.Sub(b.Facts.StartedAt).Abs()
}

// withoutCopies leaves out the imported CDRs of which there is a better copy:
// those of a record key that was pushed; those that start with a pushed CDR;
// those known by their start alone that start with an imported one that has a
// full key. It makes what the call is independent of whether a file was imported
// before or after the push. It reuses the slice.
func withoutCopies(all []*Event) []*Event {
	if !slices.ContainsFunc(all, (*Event).imported) {
		return all
	}
	best := winners(all)
	records := make([]*Event, 0, len(best))
	for _, e := range best {
		records = append(records, e)
	}
	slices.SortFunc(records, func(a, b *Event) int {
		return cmp.Or(a.Facts.StartedAt.Compare(b.Facts.StartedAt), strings.Compare(a.RecordKey, b.RecordKey))
	})
	copies := map[string]bool{}
	pushed := func(e *Event) bool { return !e.imported() }
	full := func(e *Event) bool { return e.imported() && !e.KeyedByStart() }
	rough := func(e *Event) bool { return e.imported() && e.KeyedByStart() }
	claim(records, pushed, (*Event).imported, copies)
	claim(records, full, rough, copies)
	return slices.DeleteFunc(all, func(e *Event) bool {
		return e.imported() && (copies[e.RecordKey] || !best[e.RecordKey].imported())
	})
}

// claim lets each of the better records have the nearest of the weaker ones
// that may be its copy, and no two the same.
func claim(records []*Event, better, weaker func(*Event) bool, copies map[string]bool) {
	taken := map[*Event]bool{}
	for _, b := range records {
		if !better(b) {
			continue
		}
		var nearest *Event
		for _, w := range records {
			if weaker(w) && !taken[w] && SameStart(b, w) && (nearest == nil || apart(b, w) < apart(b, nearest)) {
				nearest = w
			}
		}
		if nearest != nil {
			taken[nearest] = true
			copies[nearest.RecordKey] = true
		}
	}
}
