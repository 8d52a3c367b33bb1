package record

import "github.com/cdrstore/cdrstore/internal/cdr"

// Reasons of problems that a stored payload shows no more.
const (
	Mended   = "NUL or broken UTF-8 taken out"
	Repeated = "given more than once"
)

// maxNotes is how many problems one record gets for what is in no field of a call.
const maxNotes = 20

// appendNote adds a problem with a member of any name.
func appendNote(notes []string, name, reason string) []string {
	if len(notes) >= maxNotes {
		return notes
	}
	return append(notes, cdr.Clean(name[:min(len(name), 100)])+": "+reason)
}

// NameRepeated adds to the problems the members that stand more than once in one
// object, whose last one counts, and the repeated parameters of a form. It finds
// them once AppendCanonical has met one, which costs other records nothing.
func (f *Fields) NameRepeated() {
	if f.record.repeated {
		f.nameRepeated(f.v, f.path)
	}
}

func (f *Fields) nameRepeated(v *value, path string) {
	members := map[string]int{}
	for i := v.first; i < v.next; i = f.record.values[i].next {
		m, of := &f.record.values[i], path
		if v.kind == kindObject {
			name := path + string(f.record.name(m))
			members[name]++
			if members[name] == 2 || f.record.form && m.kind == kindArray {
				f.notes.Problems = appendNote(f.notes.Problems, name, Repeated)
			}
			of = name + "."
		}
		f.nameRepeated(m, of)
	}
}
