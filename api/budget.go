package api

import "sync/atomic"

// budget is the memory that all bodies together may take.
type budget struct {
	limit int64
	used  atomic.Int64
}

// lease is what one delivery has taken of it.
type lease struct {
	from  *budget
	bytes int64
}

// take reports false, and takes nothing, when the budget has no n bytes left.
func (l *lease) take(n int64) bool {
	if l.from.used.Add(n) > l.from.limit {
		l.from.used.Add(-n)
		return false
	}
	l.bytes += n
	return true
}

func (l *lease) give(n int64) {
	l.from.used.Add(-n)
	l.bytes -= n
}

// end gives everything back.
func (l *lease) end() { l.give(l.bytes) }
