package record

import (
	"bytes"
	"cmp"
	"slices"
	"sync/atomic"
)

// shape is what objects have in common that have the same names in the same
// order, as all records of one kind do: it takes longer to find out than to look
// whether an object has it. It never changes.
type shape struct {
	names  []byte // one after another
	ends   []int  // where each of them ends
	sorted []int  // which members they are, in the order of names; those of one name as sent
	slots  [256]uint8

	repeated bool // a name is there twice
}

// Limits of what a shape is kept of: members, and bytes of their names.
const (
	maxShape      = 128
	maxShapeNames = 8 << 10
)

// shapes are those that were met last. Several may ask for one at a time.
type shapes struct{ known [256]atomic.Pointer[shape] }

// members adds the places of an object's members.
func (t *tree) members(v *value, places []int32) []int32 {
	for i := v.first; i < v.next; i = t.values[i].next {
		places = append(places, i)
	}
	return places
}

// of returns the shape of an object with members at these places; nil where it is
// too large.
func (s *shapes) of(t *tree, places []int32) *shape {
	if s == nil || len(places) > maxShape {
		return nil
	}
	hash, size := uint32(len(places)), 0
	for _, i := range places {
		name := t.name(&t.values[i])
		hash = hash*31 + uint32(spread(name))
		size += len(name)
	}
	if size > maxShapeNames {
		return nil
	}
	slot := &s.known[(hash^hash>>8^hash>>16)%uint32(len(s.known))]
	if known := slot.Load(); known != nil && known.has(t, places) {
		return known
	}
	fresh := newShape(t, places, size)
	slot.Store(fresh)
	return fresh
}

// has reports whether an object has the shape.
func (s *shape) has(t *tree, places []int32) bool {
	if len(places) != len(s.ends) {
		return false
	}
	start := 0
	for n, i := range places {
		if !bytes.Equal(t.name(&t.values[i]), s.names[start:s.ends[n]]) {
			return false
		}
		start = s.ends[n]
	}
	return true
}

func newShape(t *tree, places []int32, size int) *shape {
	s := &shape{names: make([]byte, 0, size), ends: make([]int, 0, len(places))}
	s.sorted, s.repeated = t.sorted(places)
	for n, i := range places {
		name := t.name(&t.values[i])
		s.names = append(s.names, name...)
		s.ends = append(s.ends, len(s.names))
		at := spread(name)
		for s.slots[at] != 0 && !bytes.Equal(t.name(&t.values[places[s.slots[at]-1]]), name) {
			at++
		}
		s.slots[at] = uint8(n + 1) // of one name the last
	}
	return s
}

// order returns which members of an object stand at these places, in the order of
// their names, those of one name as sent; and whether there are such.
func (t *tree) order(v *value, places []int32) (order []int, repeated bool) {
	if t.index != nil && t.index.of == v.first {
		return t.index.shape.sorted, t.index.shape.repeated
	}
	if s := t.shapes.of(t, places); s != nil {
		return s.sorted, s.repeated
	}
	return t.sorted(places)
}

// sorted is order for a shape that is not known.
func (t *tree) sorted(places []int32) (order []int, repeated bool) {
	order = make([]int, len(places))
	for n := range order {
		order[n] = n
	}
	name := func(n int) []byte { return t.name(&t.values[places[n]]) }
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(bytes.Compare(name(a), name(b)), a-b) })
	for n := 1; n < len(order) && !repeated; n++ {
		repeated = bytes.Equal(name(order[n-1]), name(order[n]))
	}
	return order, repeated
}
