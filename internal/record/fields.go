package record

import (
	"bytes"
	"cmp"
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
	record *Record
	v      *value
	path   string
	notes  *Notes
}

// Notes is what was noticed while fields were read, of an object and those in it.
type Notes struct {
	Problems []string // fields that were present but unreadable, and why
	Talk     string   // name of the field that Talk read or looked for
	End      string   // name of the field that End read
}

// Problem notes that a field cannot be used, by its full name.
func (n *Notes) Problem(name, reason string) {
	if problem := name + ": " + reason; !slices.Contains(n.Problems, problem) {
		n.Problems = append(n.Problems, problem)
	}
}

// Once notes that a field cannot be used, unless it is named already.
func (n *Notes) Once(name, reason string) {
	if !slices.ContainsFunc(n.Problems, func(p string) bool { return strings.HasPrefix(p, name+": ") }) {
		n.Problem(name, reason)
	}
}

// Notes returns what was noticed so far.
func (f *Fields) Notes() *Notes { return f.notes }

// Problems names every field that was present but unreadable so far, and why.
func (f *Fields) Problems() []string { return f.notes.Problems }

// Problem notes that a field cannot be used, by the provider's name of it.
func (f *Fields) Problem(name, reason string) {
	f.notes.Problem(f.path+name, reason)
}

// Once is Problem, unless the field is named already.
func (f *Fields) Once(name, reason string) { f.notes.Once(f.path+name, reason) }

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
	return &Fields{record: f.record, v: v, path: f.path + name + ".", notes: f.notes}
}

// Key returns the field that identifies the call or message of a record: the
// first that identifies anything. Where all that are there are placeholders (see
// IsPlaceholder) it names them in Problems and returns the first with
// cdr.OwnKey, which asks for a key of the record's own. It is an error when all
// of the names are missing, or the key cannot be kept as it is.
func (f *Fields) Key(names ...string) (string, error) {
	placeholder := ""
	for i := range names {
		name, v := f.find(names[i : i+1])
		if v == nil {
			continue
		}
		key, err := f.key(name, v)
		if err != nil {
			return "", err
		}
		if !IsPlaceholder(key) {
			return key, nil
		}
		f.Problem(name, "identifies nothing")
		placeholder = cmp.Or(placeholder, key)
	}
	if placeholder == "" {
		return "", f.Errorf(names[0], "missing")
	}
	return placeholder + cdr.OwnKey, nil
}

func (f *Fields) key(name string, v *value) (string, error) {
	if v.kind != kindString && v.kind != kindNumber {
		return "", f.Errorf(name, "expected text, found %s", v.kind)
	}
	key := oneSpelling(f.record.numberText(v))
	switch {
	case len(key) > cdr.MaxKey:
		return "", f.Errorf(name, "longer than %d bytes", cdr.MaxKey)
	case strings.ContainsRune(key, 0) || !utf8.ValidString(key):
		return "", f.Errorf(name, "contains NUL or is not UTF-8")
	case key == "":
		return "", f.Errorf(name, "blank")
	}
	return key, nil
}

// ID returns an id that a record may lack, such as that of another call; empty
// where it is missing or a placeholder.
func (f *Fields) ID(names ...string) string {
	if id := oneSpelling(f.Text(names...)); !IsPlaceholder(id) {
		return id
	}
	return ""
}

// oneSpelling takes blanks off the ends of an id, and writes a UUID in lower
// case.
func oneSpelling(id string) string {
	id = strings.TrimSpace(id)
	if len(id) != 36 {
		return id
	}
	for i := range len(id) {
		isDash := i == 8 || i == 13 || i == 18 || i == 23
		if isDash != (id[i] == '-') || !isDash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(id[i])) {
			return id
		}
	}
	return strings.ToLower(id)
}

// IsPlaceholder reports whether an id is a word for nothing, as programs write
// for a value that they lack: empty, 0, -, null and the like, or one character
// over and over, as in a nil UUID.
func IsPlaceholder(id string) bool {
	switch strings.ToLower(strings.Trim(id, "()<>[]{}")) {
	case "", "0", "-", "null", "nil", "none", "nan", "unknown", "undefined", "n/a":
		return true
	}
	bare := strings.ReplaceAll(id, "-", "")
	same := bare == "" || strings.Count(bare, bare[:1]) == len(bare)
	return same && (bare == "" || bare[0] == '0' || len(bare) > 2) && len(id) <= 64
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
func (f *Fields) Time(names ...string) time.Time { return f.time(f.find(names)) }

// End returns the moment when a call ended. It notes the name of the field.
func (f *Fields) End(names ...string) time.Time {
	name, v := f.find(names)
	f.notes.End = f.path + name
	return f.time(name, v)
}

func (f *Fields) time(name string, v *value) time.Time {
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
