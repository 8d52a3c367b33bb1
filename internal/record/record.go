package record

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Record is one JSON object, or the parameters of one form or query, before
// anybody knows what it means.
type Record struct {
	root value
	raw  []byte
	form bool
	note string // what had to be mended to read it at all; empty: nothing
}

// IsForm reports whether the record came as a form or query, so that all its
// values are text.
func (r *Record) IsForm() bool { return r.form }

// Canonical returns bytes that are equal for equal records, whatever their
// order of fields and white space. Fields named in without are left out.
func (r *Record) Canonical(without []string) []byte {
	return appendCanonical(make([]byte, 0, len(r.raw)+len(r.raw)/4), &r.root, without)
}

// Payload returns the record as JSON that Postgres can keep: an object as sent,
// with U+FFFD for bytes that are not UTF-8; a form as an object of its
// parameters, with a list where a name repeats.
func (r *Record) Payload() []byte {
	if !r.form {
		return bytes.ToValidUTF8(r.raw, []byte("\uFFFD"))
	}
	params := make(map[string]any, len(r.root.members))
	for i := range r.root.members {
		m := &r.root.members[i]
		if m.value.kind == kindString {
			params[valid(m.name)] = valid(m.value.text)
			continue
		}
		var all []string
		for _, item := range m.value.items {
			all = append(all, valid(item.text))
		}
		params[valid(m.name)] = all
	}
	payload, err := json.Marshal(params)
	if err != nil {
		panic(err) // strings and lists of strings always marshal
	}
	return payload
}

// valid puts one U+FFFD for bytes that are not UTF-8, as cdr.Clean does: what is
// decoded from the payload later must be what was decoded at first.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Fields gives typed access to the record.
func (r *Record) Fields() *Fields {
	f := &Fields{record: r, v: &r.root, problems: new([]string)}
	if r.note != "" {
		*f.problems = append(*f.problems, r.note)
	}
	return f
}

// FromPayload reads a record back from its stored payload.
func FromPayload(payload []byte) (*Record, error) {
	p := parser{data: payload}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	return &Record{root: v, raw: payload[v.start:v.end]}, nil
}

// newForm makes a record of decoded pairs. Repeated names become a list, sorted,
// because the order of pairs has no meaning.
func newForm(pairs [][2]string, raw []byte) *Record {
	all := map[string][]string{}
	for _, pair := range pairs {
		all[pair[0]] = append(all[pair[0]], pair[1])
	}
	r := &Record{root: value{kind: kindObject}, raw: raw, form: true}
	for name, texts := range all {
		v := value{kind: kindString, text: texts[0]}
		if len(texts) > 1 {
			slices.Sort(texts)
			v = value{kind: kindArray}
			for _, t := range texts {
				v.items = append(v.items, value{kind: kindString, text: t})
			}
		}
		r.root.members = append(r.root.members, member{name, v})
	}
	slices.SortFunc(r.root.members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return r
}
