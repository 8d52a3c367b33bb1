package record

// Names returns the names of the object's fields in their order, as sent. None
// are there where the object is missing.
func (f *Fields) Names() []string {
	if f.v == nil {
		return nil
	}
	var names []string
	for i := f.v.first; i < f.v.next; i = f.record.values[i].next {
		names = append(names, string(f.record.name(&f.record.values[i])))
	}
	return names
}
