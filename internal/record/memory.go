package record

import (
	"iter"
	"sync"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Memory is what deliveries are read in, so that each does not leave its own
// behind. Its zero value is ready, and several may be read at a time.
type Memory struct {
	free   sync.Pool
	shapes shapes
}

// desk is the memory of one delivery.
type desk struct {
	values    []value
	unescaped []byte
	index     index
	form      []byte
	pairs     []pair
	scratch   []byte
	shapes    *shapes
}

// How much of it is kept: values or parameters, and bytes.
const (
	keptValues = 1024
	keptBytes  = 64 << 10
)

// Read is the function Read in this memory, for the body of a delivery or a share
// of it.
func (m *Memory) Read(d *cdr.Delivery, body []byte) iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		k, ok := m.free.Get().(*desk)
		if !ok {
			k = &desk{shapes: &m.shapes}
		}
		k.read(d, body, yield)
		if k.isSmall() {
			m.free.Put(k)
		}
	}
}

// isSmall reports whether it may be kept: one huge delivery must not take its
// memory for ever.
func (k *desk) isSmall() bool {
	return cap(k.values) <= keptValues && cap(k.pairs) <= keptValues && max(cap(k.unescaped), cap(k.form), cap(k.scratch)) <= keptBytes
}

// tree is an empty one in this memory.
func (k *desk) tree(data []byte) tree {
	k.index.of = 0
	return tree{data: data, unescaped: k.unescaped[:0], values: k.values[:0], index: &k.index, shapes: k.shapes, scratch: &k.scratch}
}
