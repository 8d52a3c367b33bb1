package simulate

import (
	"container/heap"
	"iter"
	"time"
)

// sending is a delivery and the line on which it goes. All deliveries of a story
// go on one line, one after another.
type sending struct {
	delivery
	line int
	seq  int
	done int // calls that have begun
}

// timeline plays the stories of a run at the same time: all deliveries in the
// order of the simulated clock. It holds no more stories than overlap.
type timeline struct {
	seed      uint64
	providers []provider
	queue     queue
	begun     int // calls
	seq       int
}

// provider counts how far the stories of a provider are told.
type provider struct {
	name        string
	next, calls int
}

func newTimeline(o Options) *timeline {
	t := &timeline{seed: o.Seed}
	for i, name := range o.Providers {
		calls := o.Calls / len(o.Providers)
		if i < o.Calls%len(o.Providers) {
			calls++
		}
		t.providers = append(t.providers, provider{name: name, calls: calls})
	}
	return t
}

// stories tells all stories, by the time at which they can begin.
func (t *timeline) stories() iter.Seq2[time.Time, *story] {
	return func(yield func(time.Time, *story) bool) {
		for {
			var first *provider
			for i := range t.providers {
				p := &t.providers[i]
				if p.next < p.calls && (first == nil || p.next < first.next) {
					first = p
				}
			}
			if first == nil {
				return
			}
			calls := min(callsPerStory(first.name), first.calls-first.next)
			t.begun += calls
			begin := earliest(t.seed, first.next)
			s := tell(first.name, t.seed, first.next, calls)
			first.next += calls
			if !yield(begin, s) {
				return
			}
		}
	}
}

// deliveries returns everything that is sent, in order, over a number of lines.
func (t *timeline) deliveries(lines int) iter.Seq[sending] {
	return func(yield func(sending) bool) {
		line := 0
		for begin, s := range t.stories() {
			for len(t.queue) > 0 && t.queue[0].at.Before(begin) {
				if !yield(t.pop()) {
					return
				}
			}
			line = (line + 1) % lines
			for _, d := range s.deliveries {
				t.seq++
				heap.Push(&t.queue, sending{delivery: d, line: line, seq: t.seq})
			}
		}
		for len(t.queue) > 0 {
			if !yield(t.pop()) {
				return
			}
		}
	}
}

func (t *timeline) pop() sending {
	s := heap.Pop(&t.queue).(sending)
	s.done = t.begun
	return s
}

// queue is a heap of sendings by time.
type queue []sending

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(sending)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = sending{}
	*q = old[:len(old)-1]
	return last
}
