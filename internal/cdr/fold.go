package cdr

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"
)

// Fold makes a call of the set of its events. It is a pure function of that set:
// neither the order of the slice nor the number of deliveries matters. The
// order of receipt decides one thing only: which of several versions of one CDR
// record counts. A CDR that was imported from a file leaves no trace where the
// same record was pushed. Fold returns false when no event says anything about
// the call.
func Fold(events []Event) (Call, bool) {
	var all [8]*Event // room for as much as most calls have, on the stack
	var parts [2]part
	f := sorted(events, all[:0], parts[:0])
	if len(f.all) == 0 {
		return Call{}, false
	}
	c := Call{
		Source: f.all[0].Source, CallID: f.all[0].CallID,
		Events: len(f.all), CDRs: f.cdrs,
	}
	f.receipts(&c)
	f.parties(&c)
	f.labels(&c)
	f.ending(&c)
	f.times(&c)
	f.outcome(&c)
	f.amounts(&c)
	return c, true
}

// folding holds the events of one call, sorted into parts: a CDR that counts,
// or the live events of one leg.
type folding struct {
	all   []*Event // with facts
	parts []part   // the one that speaks first in front
	cdrs  int      // record keys

	ended       bool
	answered    bool
	approximate bool // start or end is not the provider's word for that moment
}

// sorted puts those of the events that say anything into parts.
func sorted(events []Event, all []*Event, parts []part) (f folding) {
	f.all, f.parts = all, parts
	for i := range events {
		if events[i].Facts != nil {
			f.all = append(f.all, &events[i])
		}
	}
	f.all = withoutCopies(f.all)
	legs := map[string][]*Event{}
	for _, e := range f.all {
		if e.Kind != KindCDR {
			legs[e.Leg] = append(legs[e.Leg], e)
		}
	}
	records := winners(f.all)
	for _, e := range records {
		f.parts = append(f.parts, newPart([]*Event{e}))
	}
	for _, es := range legs {
		slices.SortFunc(es, compareLive)
		f.parts = append(f.parts, newPart(es))
	}
	f.cdrs = len(records)
	slices.SortFunc(f.parts, compareParts)
	f.removeContradicted()
	return f
}

// winners returns of every CDR record the version that counts, by record key.
func winners(events []*Event) map[string]*Event {
	winners := map[string]*Event{}
	for _, e := range events {
		if e.Kind != KindCDR {
			continue
		}
		if w := winners[e.RecordKey]; w == nil || supersedes(e, w) {
			winners[e.RecordKey] = e
		}
	}
	return winners
}

// supersedes reports whether CDR a counts instead of b: a pushed one, else the
// one received last, by its first receipt, so that a late repeat of an old
// version changes nothing.
func supersedes(a, b *Event) bool {
	if a.imported() != b.imported() {
		return b.imported()
	}
	if c := a.ReceivedAt.Compare(b.ReceivedAt); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.ID[:], b.ID[:]) > 0
}

// compareLive puts the events of a leg in the order of the call's life: by
// state first, because providers give several of them one time.
func compareLive(a, b *Event) int {
	return cmp.Or(
		cmp.Compare(a.Facts.State.rank(), b.Facts.State.rank()),
		a.moment().Compare(b.moment()),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// moment is when the event happened, as far as anybody knows.
func (e *Event) moment() time.Time {
	if e.Clock == ClockReceiver || e.OccurredAt.IsZero() {
		return e.ReceivedAt
	}
	return e.OccurredAt
}

// removeContradicted takes the answer off live events where the CDRs that cover
// them say that nobody answered. A CDR covers its own leg; one of the whole call
// covers everything; one that ends the call covers the live events of the call.
func (f *folding) removeContradicted() {
	for i := range f.parts {
		l := &f.parts[i]
		if !l.live {
			continue
		}
		denied, confirmed := false, false
		for j := range f.parts {
			c := &f.parts[j]
			sameLeg := c.leg == "" || c.leg == l.leg
			if c.live || !sameLeg && l.leg != "" {
				continue
			}
			confirmed = confirmed || c.answered
			denied = denied || c.unanswered() && (sameLeg || c.ends == EndsCall)
		}
		if denied && !confirmed {
			l.removeAnswer()
		}
	}
}

func (f *folding) receipts(c *Call) {
	legs := map[string]bool{}
	for _, e := range f.all {
		if c.FirstReceivedAt.IsZero() || e.ReceivedAt.Before(c.FirstReceivedAt) {
			c.FirstReceivedAt = e.ReceivedAt
		}
		if e.ReceivedAt.After(c.LastReceivedAt) {
			c.LastReceivedAt = e.ReceivedAt
		}
		if e.Leg != "" {
			legs[e.Leg] = true
		}
	}
	c.Legs = len(legs)
}

// ending decides whether the call is over: somebody said that the call ended,
// or every known leg has ended.
func (f *folding) ending(c *Call) {
	over := map[string]bool{} // by leg
	for i := range f.parts {
		p := &f.parts[i]
		over[p.leg] = over[p.leg] || p.ends != ""
		f.ended = f.ended || p.ends == EndsCall
		f.answered = f.answered || p.answered
		if p.state.rank() > c.State.rank() {
			c.State = p.state
		}
	}
	allOver := true
	for _, isOver := range over {
		allOver = allOver && isOver
	}
	if f.ended = f.ended || allOver; f.ended {
		c.State = StateEnded
	}
}

// compareParts puts the part that speaks first to the front: a CDR of the whole
// call, then the legs (the lowest routing attempt, the provider's order, a CDR
// before live events, the earliest), then live events of the whole call.
func compareParts(a, b part) int {
	return cmp.Or(
		cmp.Compare(a.class(), b.class()),
		cmp.Compare(a.attempt, b.attempt),
		cmp.Compare(a.legRank, b.legRank),
		cmp.Compare(a.liveRank(), b.liveRank()),
		a.earliest.Compare(b.earliest),
		strings.Compare(a.leg, b.leg),
		strings.Compare(a.key, b.key),
	)
}
