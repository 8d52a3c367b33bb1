package record

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// appendCanonical writes a value so that equal records give equal bytes: object
// keys sorted, no white space, number text as sent, strings unescaped with
// their length before them. Members of the outermost object named in without
// are left out.
func (t *tree) appendCanonical(out []byte, v *value, without []string) []byte {
	switch v.kind {
	case kindString:
		return appendText(out, t.text(v))
	case kindArray:
		out = append(out, '[')
		for i := v.first; i < v.next; i = t.values[i].next {
			out = t.appendCanonical(out, &t.values[i], nil)
			out = append(out, ',')
		}
		return append(out, ']')
	case kindObject:
		var few [64]place // on the stack
		out = append(out, '{')
		for _, p := range t.sorted(v, few[:0]) {
			if isOneOf(p.name, without) {
				continue
			}
			out = appendText(out, p.name)
			out = append(out, ':')
			out = t.appendCanonical(out, &t.values[p.at], nil)
			out = append(out, ',')
		}
		return append(out, '}')
	}
	return append(out, t.text(v)...)
}

func appendText(out, text []byte) []byte {
	out = append(out, '"')
	out = strconv.AppendInt(out, int64(len(text)), 10)
	out = append(out, ':')
	return append(out, text...)
}

// place is where a member stands among the values.
type place struct {
	name []byte
	at   int32
}

// sorted adds the places of an object's members in the order of their names,
// those of one name as sent.
func (t *tree) sorted(v *value, places []place) []place {
	for i := v.first; i < v.next; i = t.values[i].next {
		places = append(places, place{t.name(&t.values[i]), i})
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(bytes.Compare(a.name, b.name), int(a.at-b.at))
	})
	return places
}

func isOneOf(name []byte, names []string) bool {
	for _, n := range names {
		if string(name) == n {
			return true
		}
	}
	return false
}
