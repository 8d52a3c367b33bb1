package store

import "sync"

// Limits of each of the cache's two generations, and of a call in it.
const (
	cachedEvents = 6144
	cachedBytes  = 8 << 20
	callEvents   = 64
	callBytes    = 64 << 10
)

// cache keeps what was just written of calls, because most of what comes about a
// call comes within minutes: then nothing has to be read before it is folded.
//
// What it holds may be out of date, when another receiver or command has changed
// the call. That costs time and never truth: whatever changes the events that a
// call is folded from gives the call a new version, and ingest_guard refuses
// what was folded from an old one. Whoever takes a call out owns it; it comes
// back only when it was written.
type cache struct {
	mu         sync.Mutex
	young, old map[callKey]*stored
	events     int // in young
	bytes      int
	asked, hit int // since young is young
	resting    int // how many calls are still not kept, after a time of few hits
	strangers  int // how many calls in a row were neither here nor in the database
}

// trust is how many strangers in a row make the next one likely enough: a wrong
// guess costs a few times what asking does.
const trust = 200

// take returns a call and gives it up; nil when it is not there.
func (c *cache) take(k callKey) *stored {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	call, ok := c.young[k]
	if ok {
		delete(c.young, k)
		c.events -= 1 + len(call.events)
		c.bytes -= call.bytes
	} else if call, ok = c.old[k]; ok {
		delete(c.old, k)
	}
	if !ok {
		return nil
	}
	c.hit++
	return call
}

// expectsStrangers reports whether a call that is not here may be taken for new
// without asking the database. Where it is not, its primary key or that of its
// event says so when the batch is written.
func (c *cache) expectsStrangers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.strangers >= trust
}

// met notes that calls which were not here were not in the database either, or
// that one was.
func (c *cache) met(strangers bool, calls int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strangers {
		c.strangers = 0
		return
	}
	c.strangers = min(c.strangers+calls, trust)
}

// put keeps calls as they were just written.
func (c *cache) put(calls map[callKey]*stored) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting > 0 {
		c.resting -= len(calls)
		return
	}
	for k, call := range calls {
		if call.pruned || len(call.events) > callEvents || call.bytes > callBytes {
			continue
		}
		if c.young == nil || c.events >= cachedEvents || c.bytes >= cachedBytes {
			c.turn()
		}
		c.young[k] = call
		c.events += 1 + len(call.events)
		c.bytes += call.bytes
	}
}

// turn begins a new generation. Where hardly a call of the last one was asked
// for again, nothing is kept for a while.
func (c *cache) turn() {
	if c.young != nil && c.hit*20 < c.asked {
		c.resting = 10 * c.asked
		c.young, c.old = nil, nil
	}
	c.old, c.young = c.young, make(map[callKey]*stored, cachedEvents/4)
	c.events, c.bytes, c.asked, c.hit = 0, 0, 0, 0
}
