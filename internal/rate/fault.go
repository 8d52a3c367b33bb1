package rate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults is how many faults of a file are told in words.
const maxFaults = 20

// Fault is what is wrong with a line of a file.
type Fault struct {
	Line   int    // 1 is the header
	Column string // empty: the line as a whole
	Reason string
}

func (f Fault) String() string {
	if f.Column == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Column, f.Reason)
}

// Faults are why a file was not imported. First are those of the lowest lines,
// of which there are at most twenty; Total counts all.
type Faults struct {
	First []Fault
	Total int
}

// Error lists them, one a line.
func (f *Faults) Error() string {
	var b strings.Builder
	b.WriteString("nothing was imported:")
	for _, fault := range f.First {
		b.WriteString("\n  " + fault.String())
	}
	if more := f.Total - len(f.First); more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

// add notes a fault. Those of the lowest lines stay, whatever the order.
func (f *Faults) add(fault Fault) {
	f.Total++
	at, _ := slices.BinarySearchFunc(f.First, fault, func(a, b Fault) int {
		if c := cmp.Compare(a.Line, b.Line); c != 0 {
			return c
		}
		return -1 // of one line, as they come
	})
	f.First = slices.Insert(f.First, at, fault)
	f.First = f.First[:min(len(f.First), maxFaults)]
}

// orNil is the error, nil where there is no fault.
func (f *Faults) orNil() error {
	if f.Total == 0 {
		return nil
	}
	return f
}
