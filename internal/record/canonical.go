package record

import (
	"slices"
	"strconv"
	"strings"
)

// appendCanonical writes a value so that equal records give equal bytes: object
// keys sorted, no white space, number text as sent, strings unescaped with
// their length before them. Members of the outermost object named in without
// are left out.
func appendCanonical(out []byte, v *value, without []string) []byte {
	switch v.kind {
	case kindString:
		out = append(out, '"')
		out = strconv.AppendInt(out, int64(len(v.text)), 10)
		out = append(out, ':')
		return append(out, v.text...)
	case kindArray:
		out = append(out, '[')
		for i := range v.items {
			out = appendCanonical(out, &v.items[i], nil)
			out = append(out, ',')
		}
		return append(out, ']')
	case kindObject:
		members := slices.Clone(v.members)
		slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
		out = append(out, '{')
		for i := range members {
			if slices.Contains(without, members[i].name) {
				continue
			}
			out = appendCanonical(out, &value{kind: kindString, text: members[i].name}, nil)
			out = append(out, ':')
			out = appendCanonical(out, &members[i].value, nil)
			out = append(out, ',')
		}
		return append(out, '}')
	}
	return append(out, v.text...)
}
