package store

import (
	"slices"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// changes is what a batch writes of events and calls.
type changes struct {
	events  db.AddEventsParams
	repeats db.CountRepeatsParams
	calls   callRows
	facts   []byte // of one event, while it is written
}

// fold folds the calls that the batch changes and says what to write. A repeat
// changes counters only, unless it was received before what was taken for the
// first receipt (a spooled delivery that arrives late): the order of receipt
// decides which version of a CDR counts.
func (b *batch) fold(w *changes) error {
	changed := map[callKey]bool{} // true: also by a new event
	b.added = make(map[eventKey]bool)
	var added []*cdr.Event
	for _, e := range b.events {
		k := callKey{e.Source, e.CallID}
		isNew, changes := b.calls[k].merge(e)
		if isNew {
			b.added[keyOf(e)] = true
			added = append(added, e)
		} else {
			appendRepeat(&w.repeats, e)
		}
		if changes {
			changed[k] = changed[k] || isNew
			if b.calls[k].pruned {
				b.late++
			}
		}
	}
	w.appendEvents(added)
	keys := make([]callKey, 0, len(changed))
	for k := range changed {
		if !b.calls[k].pruned {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, callKey.compare)
	for _, k := range keys {
		stored := b.calls[k]
		if err := stored.read(); err != nil {
			return err
		}
		if call, ok := cdr.Fold(stored.events); ok {
			stored.version++
			w.calls.append(&call, stored.version)
			w.calls.note(k, stored.callTime, call.CallTime, changed[k])
			stored.callTime = call.CallTime
		}
	}
	return nil
}
