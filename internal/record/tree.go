package record

// kind is what a JSON value is.
type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// tree is a JSON value and all that is in it. It keeps the text of numbers and
// the bytes of strings as sent, as places in the body: a tree has no pointers and
// no copies. Whatever leaves this package is a string of its own, so that it
// keeps no body alive.
type tree struct {
	data      []byte // the body
	unescaped []byte // strings that have escapes in the body
	values    []value
	index     *index  // of one of its objects; nil: there is no memory for it
	shapes    *shapes // nil: the same
	scratch   *[]byte // nil: the same
}

// value is a value of a tree. Each stands before what is in it. Places fit 32
// bits: the receiver takes no body of 2 GiB.
type value struct {
	kind        kind
	name        span  // of a member of an object
	text        span  // number, true or false: as sent; string: unescaped, bytes not checked
	start, end  int32 // where it stands in the body
	first, next int32 // index of the first value in it, and of the one behind it
}

// span is a part of a body, or of its unescaped strings.
type span struct {
	start, end int32
	unescaped  bool
}

func (s span) empty() bool { return s.start == s.end }

func (t *tree) bytes(s span) []byte {
	if s.unescaped {
		return t.unescaped[s.start:s.end]
	}
	return t.data[s.start:s.end]
}

func (t *tree) name(v *value) []byte { return t.bytes(v.name) }

func (t *tree) text(v *value) []byte { return t.bytes(v.text) }

// get returns the last member of that name, as most parsers do.
func (t *tree) get(v *value, name string) *value {
	if t.index != nil && t.index.of == v.first {
		return t.index.find(t, name)
	}
	var found *value
	members := 0
	for i := v.first; i < v.next; i = t.values[i].next {
		m := &t.values[i]
		if int(m.name.end-m.name.start) == len(name) && string(t.name(m)) == name {
			found = m
		}
		members++
	}
	if t.index != nil && t.index.of == 0 && members > few && members <= maxShape {
		t.makeIndex(v)
	}
	return found
}
