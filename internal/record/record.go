package record

import (
	"slices"
	"strings"
)

// Record is one JSON object, or the parameters of one form or query, before
// anybody knows what it means.
type Record struct {
	tree
	root *value
	raw  []byte
	form bool

	notes    []string // problems of its text, whatever is read of it
	repeated bool     // a name stands twice in one object, as far as AppendCanonical came

	texts strings.Builder
}

// Short texts are kept together: how long they are at most, and how many bytes.
const (
	shortText = 64
	together  = 256
)

// keep returns a text of its own, so that it keeps no body alive. Short ones share
// their memory, because the collector of garbage goes by objects, and those of one
// record are held and let go together.
func (r *Record) keep(text []byte) string {
	if len(text) > shortText {
		return string(text)
	}
	if r.texts.Cap()-r.texts.Len() < len(text) {
		r.texts.Reset() // what it held stays where it is
		r.texts.Grow(together)
	}
	start := r.texts.Len()
	r.texts.Write(text)
	return r.texts.String()[start:]
}

// IsForm reports whether the record came as a form or query, so that all its
// values are text.
func (r *Record) IsForm() bool { return r.form }

// Canonical returns bytes that are equal for equal records, whatever their
// order of fields and white space. Fields named in without are left out.
func (r *Record) Canonical(without []string) []byte {
	return r.AppendCanonical(nil, without)
}

// AppendCanonical adds to out what Canonical returns.
func (r *Record) AppendCanonical(out []byte, without []string) []byte {
	return r.appendCanonical(out, r.root, without)
}

// Scratch is memory for what is made of the record and not kept. It is on no stack,
// because thousands of connections would each keep one of that size.
func (r *Record) Scratch() *[]byte {
	if r.scratch == nil {
		r.scratch = new([]byte)
	}
	return r.scratch
}

// Fields gives typed access to the record.
func (r *Record) Fields() *Fields {
	return &Fields{record: r, v: r.root, notes: &Notes{Problems: slices.Clone(r.notes)}}
}

// FromPayload reads a record back from its stored payload.
func FromPayload(payload []byte) (*Record, error) {
	p := parser{tree: tree{data: payload}}
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	root := &t.values[0]
	return &Record{tree: t, root: root, raw: payload[root.start:root.end]}, nil
}
