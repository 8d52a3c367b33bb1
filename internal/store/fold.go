package store

import (
	"slices"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// fold folds the calls that the batch changes and returns what to write. A
// repeat changes counters only, unless it was received before what was taken
// for the first receipt (a spooled delivery that arrives late): the order of
// receipt decides which version of a CDR counts.
func (b *batch) fold() db.SaveCallsParams {
	var p db.SaveCallsParams
	changed := map[callKey]bool{}
	for i := range b.events {
		e := &b.events[i]
		appendEvent(&p, e)
		k := callKey{e.Source, e.CallID}
		isNew, changes := b.calls[k].merge(e)
		if isNew {
			p.NewEvents++
		}
		changed[k] = changed[k] || changes
		if changes && b.calls[k].pruned {
			b.late++
		}
	}
	keys := make([]callKey, 0, len(changed))
	for k, changes := range changed {
		if changes && !b.calls[k].pruned {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, callKey.compare)
	for _, k := range keys {
		if call, ok := cdr.Fold(b.calls[k].events); ok {
			appendCall(&p, &call, b.calls[k].version+1)
		}
	}
	return p
}

// merge adds an event to what the database holds. It reports whether the event
// is new, and whether the call must be folded.
func (c *stored) merge(e *cdr.Event) (isNew, changes bool) {
	i, known := c.known[e.ID]
	if !known {
		c.known[e.ID] = len(c.events)
		c.events = append(c.events, *e)
		return true, e.Facts != nil
	}
	old := &c.events[i]
	if !e.ReceivedAt.Before(old.ReceivedAt) {
		return false, false
	}
	old.ReceivedAt = e.ReceivedAt
	return false, old.Facts != nil
}
