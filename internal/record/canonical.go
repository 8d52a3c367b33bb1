package record

import "strconv"

// appendCanonical writes a value so that equal records give equal bytes: object
// keys sorted, no white space, number text as sent, strings unescaped with
// their length before them. Members of the outermost object named in without
// are left out.
func (r *Record) appendCanonical(out []byte, v *value, without []string) []byte {
	switch v.kind {
	case kindString:
		return appendText(out, r.text(v))
	case kindArray:
		out = append(out, '[')
		for i := v.first; i < v.next; i = r.values[i].next {
			out = r.appendCanonical(out, &r.values[i], nil)
			out = append(out, ',')
		}
		return append(out, ']')
	case kindObject:
		var room [maxShape]int32 // on the stack
		places := r.members(v, room[:0])
		out = append(out, '{')
		order, repeated := r.order(v, places)
		r.repeated = r.repeated || repeated
		for _, n := range order {
			m := &r.values[places[n]]
			if isOneOf(r.name(m), without) {
				continue
			}
			out = appendText(out, r.name(m))
			out = append(out, ':')
			out = r.appendCanonical(out, m, nil)
			out = append(out, ',')
		}
		return append(out, '}')
	}
	return append(out, r.text(v)...)
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
