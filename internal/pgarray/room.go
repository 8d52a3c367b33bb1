package pgarray

import (
	"reflect"
	"slices"
)

// Columns are the columns of statements that are filled again and again.
type Columns []interface{ empty(atMost int) }

// ColumnsOf finds the columns in structs of a statement's parameters, to which it
// takes pointers. It goes by reflection: once, not for each delivery.
func ColumnsOf(parameters ...any) Columns {
	var all Columns
	for _, p := range parameters {
		fields := reflect.ValueOf(p).Elem()
		for i := range fields.NumField() {
			if c, ok := fields.Field(i).Addr().Interface().(interface{ empty(atMost int) }); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

// Empty takes the elements out of all columns, so that they can be filled again.
// They keep their room, each at most so many bytes.
func (c Columns) Empty(atMost int) {
	for _, one := range c {
		one.empty(atMost)
	}
}

// Reserve has the first of a statement's parameters make room for all of them in
// memory that was used before, where pgx would begin with 256 bytes each time. It
// returns how many bytes the arrays among them take. The memory may be used again
// when the statement was sent.
func Reserve(memory *[]byte, parameters []any) int {
	n := 0
	for _, p := range parameters {
		if a, ok := p.(encodable); ok {
			n += a.size()
		}
	}
	if len(parameters) > 0 {
		if first, ok := parameters[0].(encodable); ok {
			parameters[0] = roomy{first, memory, n}
		}
	}
	return n
}

// leastMemory is so much that pgx gives the memory up before it builds the next
// statement. It keeps what has 256 bytes or fewer, and would write into it while
// another connection uses it.
const leastMemory = 4 << 10

// roomy is an array that makes room for others.
type roomy struct {
	encodable
	memory *[]byte
	room   int
}

func (r roomy) encode(out []byte, element uint32) []byte {
	*r.memory = slices.Grow((*r.memory)[:0], max(len(out)+r.room, leastMemory))
	return r.encodable.encode(append(*r.memory, out...), element)
}
