package api

import "sync/atomic"

// budget is what all deliveries together may take: of memory, or of slots.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take reports false, and takes nothing, when the budget has no n left.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// lease is the memory that one delivery has taken of a budget.
type lease struct {
	from  *budget
	bytes int64
}

func (l *lease) take(n int64) bool {
	if !l.from.take(n) {
		return false
	}
	l.bytes += n
	return true
}

func (l *lease) give(n int64) {
	l.from.give(n)
	l.bytes -= n
}

// end gives everything back.
func (l *lease) end() { l.give(l.bytes) }
