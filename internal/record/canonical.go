package record

import "strconv"

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
		var room [maxShape]int32 // on the stack
		places := t.members(v, room[:0])
		out = append(out, '{')
		for _, n := range t.order(v, places) {
			m := &t.values[places[n]]
			if isOneOf(t.name(m), without) {
				continue
			}
			out = appendText(out, t.name(m))
			out = append(out, ':')
			out = t.appendCanonical(out, m, nil)
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

func isOneOf(name []byte, names []string) bool {
	for _, n := range names {
		if string(name) == n {
			return true
		}
	}
	return false
}
