package store

import (
	"slices"
	"time"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// stored is what the database holds of a call, as far as folding needs it.
type stored struct {
	version  int64
	pruned   bool
	callTime time.Time // zero: there is no row
	events   []cdr.Event
	places   map[[16]byte]int // of the events, by id; nil while they are few
	bytes    int              // about what the events hold
	unread   [][]byte         // facts of the first events, as the database has them; nil when they are read
}

// few is how many events are looked through faster than a map is asked.
const few = 24

// find returns the place of an event, -1 when the call does not have it.
func (c *stored) find(id [16]byte) int {
	if c.places != nil {
		if i, known := c.places[id]; known {
			return i
		}
		return -1
	}
	for i := range c.events {
		if c.events[i].ID == id {
			return i
		}
	}
	return -1
}

// append adds an event that the call does not have.
func (c *stored) append(e cdr.Event, bytes int) {
	c.events = append(c.events, e)
	c.bytes += bytes
	switch {
	case c.places != nil:
		c.places[e.ID] = len(c.events) - 1
	case len(c.events) > few:
		c.places = make(map[[16]byte]int, 2*len(c.events))
		for i := range c.events {
			c.places[c.events[i].ID] = i
		}
	}
}

// receive adds an event that was another call's, or counts its receipts to those
// of the same record.
func (c *stored) receive(e cdr.Event) {
	if at := c.find(e.ID); at >= 0 {
		if e.ReceivedAt.Before(c.events[at].ReceivedAt) {
			c.events[at].ReceivedAt = e.ReceivedAt
		}
		return
	}
	c.append(e, 0)
}

// remove takes an event out.
func (c *stored) remove(at int) {
	c.events = slices.Delete(c.events, at, at+1)
	c.places = nil
}

// add takes over a row of the database, facts unread: a repeat needs none.
func (c *stored) add(r *db.ReadCallsRow) {
	if !r.EventID.Valid {
		c.version, c.pruned, c.callTime = r.Version, r.Pruned != nil && *r.Pruned, momentOf(r.CallTime)
		return
	}
	c.append(eventOf(r), len(r.Facts))
	c.unread = append(c.unread, r.Facts)
}

// read reads the facts, which must be done before the call is folded.
func (c *stored) read() error {
	for i, facts := range c.unread {
		if err := readFacts(&c.events[i], facts); err != nil {
			return err
		}
	}
	c.unread = nil
	return nil
}

// says reports whether an event says anything.
func (c *stored) says(i int) bool {
	return c.events[i].Facts != nil || i < len(c.unread) && c.unread[i] != nil
}

// merge adds an event to what the database holds. It reports whether the event
// is new, and whether the call must be folded.
func (c *stored) merge(e *cdr.Event) (isNew, changes bool) {
	i := c.find(e.ID)
	if i < 0 {
		kept := *e
		kept.Payload, kept.Problems = nil, nil // not for folding, and long
		c.append(kept, len(e.Payload))
		return true, e.Facts != nil
	}
	old := &c.events[i]
	if !e.ReceivedAt.Before(old.ReceivedAt) {
		return false, false
	}
	old.ReceivedAt = e.ReceivedAt
	return false, c.says(i)
}
