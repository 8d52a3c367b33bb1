package record

// index finds the members of one object by their names, of one that has many: in
// CDRs of DIDWW are sixty, of which half are asked for.
type index struct {
	of     int32 // place of the first member; 0: it is of no object yet
	shape  *shape
	places [maxShape]int32 // of the members
}

// few is how many members are looked through as fast as an index is made.
const few = 16

// makeIndex indexes an object, unless it has too many members.
func (t *tree) makeIndex(v *value) {
	x := t.index
	places := t.members(v, x.places[:0])
	if x.shape = t.shapes.of(t, places); x.shape != nil {
		x.of = v.first
	}
}

// find returns the last member of a name, nil when there is none.
func (x *index) find(t *tree, name string) *value {
	for at := spread(name); x.shape.slots[at] != 0; at++ {
		v := &t.values[x.places[x.shape.slots[at]-1]]
		if string(t.name(v)) == name {
			return v
		}
	}
	return nil
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
