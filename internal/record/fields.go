package record

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Limits on text, in bytes. A longer text is left out and named in the problems.
const (
	MaxText = 1024
	MaxLong = 64 << 10
)

// Fields reads the fields of an object by name. Every getter takes the names
// under which a field is known and reads the first that is present and not
// null. A field that is present but unreadable gives nothing and is named in
// Problems.
type Fields struct {
	record   *Record
	v        *value
	path     string
	problems *[]string
}

// Problems names every field that was present but unreadable so far, and why.
func (f *Fields) Problems() []string { return *f.problems }

// Problem notes that a field cannot be used, by the provider's name of it.
func (f *Fields) Problem(name, reason string) {
	if problem := f.path + name + ": " + reason; !slices.Contains(*f.problems, problem) {
		*f.problems = append(*f.problems, problem)
	}
}

// Errorf returns an error that names a field.
func (f *Fields) Errorf(name, format string, args ...any) error {
	return fmt.Errorf("%s%s: %s", f.path, name, fmt.Sprintf(format, args...))
}

// find returns the first of the fields that is present and neither null nor
// empty text.
func (f *Fields) find(names []string) (string, *value) {
	if f.v == nil {
		return "", nil
	}
	for _, name := range names {
		v := f.record.get(f.v, name)
		if v == nil || v.kind == kindNull || v.kind == kindString && v.text.empty() {
			continue
		}
		return name, v
	}
	return "", nil
}

// Has reports whether one of the fields is present, be it null or empty.
func (f *Fields) Has(names ...string) bool {
	for _, name := range names {
		if f.v != nil && f.record.get(f.v, name) != nil {
			return true
		}
	}
	return false
}

// Object returns the fields of a nested object; an empty one when it is missing
// or no object.
func (f *Fields) Object(names ...string) *Fields {
	name, v := f.find(names)
	switch {
	case v == nil:
		name = names[0]
	case v.kind != kindObject:
		f.Problem(name, "expected an object, found "+v.kind.String())
		v = nil
	}
	return &Fields{record: f.record, v: v, path: f.path + name + ".", problems: f.problems}
}

// Key returns a field that identifies something. It is an error when all of the
// names are missing, or the key cannot be kept as it is.
func (f *Fields) Key(names ...string) (string, error) {
	name, v := f.find(names)
	if v == nil {
		return "", f.Errorf(names[0], "missing")
	}
	if v.kind != kindString && v.kind != kindNumber {
		return "", f.Errorf(name, "expected text, found %s", v.kind)
	}
	key := f.record.numberText(v)
	switch {
	case len(key) > cdr.MaxKey:
		return "", f.Errorf(name, "longer than %d bytes", cdr.MaxKey)
	case strings.ContainsRune(key, 0) || !utf8.ValidString(key):
		return "", f.Errorf(name, "contains NUL or is not UTF-8")
	case strings.TrimSpace(key) == "":
		return "", f.Errorf(name, "blank")
	}
	return key, nil
}

// Text returns a short text as sent; numbers and booleans as their text.
func (f *Fields) Text(names ...string) string { return f.text(MaxText, names) }

// Number returns a telephone number as sent. A form makes a blank of a + that was
// not escaped: it becomes a + again. A number that was written with an exponent, as
// spreadsheets do, is written in full.
func (f *Fields) Number(names ...string) string {
	text := f.Text(names...)
	if rest := strings.TrimLeft(text, " "); rest != text && rest != "" && rest[0] > '0' && rest[0] <= '9' {
		return "+" + rest
	}
	if at := strings.IndexAny(text, "eE"); at < 0 || !strings.ContainsAny(text[at:], "+ ") {
		return text
	}
	d, err := parseDecimal([]byte(text))
	if err != nil || !d.IsInteger() {
		return text
	}
	name, _ := f.find(names)
	f.Problem(name, "written with an exponent: its last digits may be missing")
	return d.StringFixed(0)
}

// Long returns a text that may be long, such as a URL or a message.
func (f *Fields) Long(names ...string) string { return f.text(MaxLong, names) }

func (f *Fields) text(limit int, names []string) string {
	name, v := f.find(names)
	if v == nil {
		return ""
	}
	if v.kind == kindArray || v.kind == kindObject {
		f.Problem(name, "expected text, found "+v.kind.String())
		return ""
	}
	if len(f.record.text(v)) > limit {
		f.Problem(name, fmt.Sprintf("longer than %d bytes", limit))
		return ""
	}
	text := f.record.numberText(v)
	if clean := cdr.Clean(text); clean != text {
		f.Problem(name, Mended)
		return clean
	}
	return text
}

// Opaque returns a text of any form: an object or a list as its JSON text.
func (f *Fields) Opaque(names ...string) string {
	name, v := f.find(names)
	if v == nil || f.record.form || v.kind != kindArray && v.kind != kindObject {
		return f.Long(names...)
	}
	if v.end-v.start > MaxLong {
		f.Problem(name, fmt.Sprintf("longer than %d bytes", MaxLong))
		return ""
	}
	return cdr.Clean(string(f.record.raw[v.start-f.record.root.start : v.end-f.record.root.start]))
}

// Bool returns a boolean, also one sent as text or as 0 or 1; nil when there is
// none.
func (f *Fields) Bool(names ...string) *bool {
	name, v := f.find(names)
	if v == nil {
		return nil
	}
	switch strings.ToLower(string(f.record.text(v))) {
	case "true", "1", "yes":
		return new(true)
	case "false", "0", "no":
		return new(false)
	}
	f.Problem(name, "expected true or false")
	return nil
}

// Time returns a moment, UTC: ISO 8601 with or without T and zone (without: UTC),
// a date and time followed by UTC, or an epoch in seconds to nanoseconds, told
// apart by its size. Zero, and the epoch 0, are no moment. Years outside
// 1970-2200 are unreadable.
func (f *Fields) Time(names ...string) time.Time {
	name, v := f.find(names)
	if v == nil {
		return time.Time{}
	}
	if v.kind != kindString && v.kind != kindNumber {
		f.Problem(name, "expected a time, found "+v.kind.String())
		return time.Time{}
	}
	sent := f.record.text(v)
	if v.kind == kindNumber {
		sent = []byte(f.record.numberText(v))
	}
	at, err := parseTime(bytes.TrimSpace(sent))
	if err != nil {
		f.Problem(name, err.Error())
		return time.Time{}
	}
	return at
}

// Direction returns inbound or outbound, in any case of letters.
func (f *Fields) Direction(names ...string) cdr.Direction {
	switch strings.ToLower(f.Text(names...)) {
	case "inbound":
		return cdr.Inbound
	case "outbound":
		return cdr.Outbound
	case "":
	default:
		name, _ := f.find(names)
		f.Problem(name, "neither inbound nor outbound")
	}
	return ""
}
