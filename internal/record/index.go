package record

// index finds the members of one object by their names, of one that has many: in
// CDRs of DIDWW are sixty, of which half are asked for.
type index struct {
	of    int32      // place of the first member; 0: it is of no object yet
	slots [256]int32 // places of the members; 0: free
}

// How many members are looked through as fast, and how many an index takes.
const (
	few  = 16
	many = 128
)

func (t *tree) makeIndex(v *value) {
	*t.index = index{of: v.first}
	for i := v.first; i < v.next; i = t.values[i].next {
		*slot(t, t.name(&t.values[i])) = i // of one name the last
	}
}

// slot returns where a name stands in the index, or the free slot where it would.
// There is always a free one.
func slot[T string | []byte](t *tree, name T) *int32 {
	for at := spread(name); ; at++ {
		place := &t.index.slots[at]
		if *place == 0 || string(t.name(&t.values[*place])) == string(name) {
			return place
		}
	}
}

// spread is where to begin looking for a name: names of one object differ in
// their length, their ends or their middle.
func spread[T string | []byte](name T) uint8 {
	n := len(name)
	if n == 0 {
		return 0
	}
	hash := uint32(n)
	for _, c := range [...]byte{name[0], name[n/3], name[n/2], name[n-1]} {
		hash = hash*31 + uint32(c)
	}
	return uint8(hash ^ hash>>8)
}
