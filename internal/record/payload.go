package record

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// sentBytes is the member of a payload that holds the record as sent, percent-encoded,
// where its text is not UTF-8 and could not be decoded.
const sentBytes = "_bytes"

// Payload returns the record as JSON that Postgres can keep: an object as sent; a
// form as an object of its parameters, with a list where a name repeats. It may be a
// part of the body. Bytes that are not UTF-8 are U+FFFD in it, and the record is there
// as sent too, unless it is longer than MaxLong.
func (r *Record) Payload() []byte {
	switch {
	case r.form:
		return r.formPayload()
	case utf8.Valid(r.raw):
		return slices.Clip(r.raw)
	}
	payload := bytes.ToValidUTF8(r.raw, []byte("\uFFFD"))
	if sent := r.sent(); sent != "" {
		payload = append(payload[:len(payload)-1], `,"`+sentBytes+`":"`+sent+`"}`...)
	}
	return payload
}

// sent returns the record as sent where its text is broken, in characters that JSON
// needs not escape.
func (r *Record) sent() string {
	if len(r.notes) == 0 || len(r.raw) > MaxLong {
		return ""
	}
	return url.PathEscape(string(r.raw))
}

func (r *Record) formPayload() []byte {
	if payload, ok := r.plainPayload(); ok {
		return payload
	}
	return r.oddPayload()
}

func (r *Record) oddPayload() []byte {
	params := make(map[string]any)
	for i := r.root.first; i < r.root.next; i = r.values[i].next {
		m := &r.values[i]
		if m.kind == kindString {
			params[valid(r.name(m))] = valid(r.text(m))
			continue
		}
		var all []string
		for j := m.first; j < m.next; j++ {
			all = append(all, valid(r.text(&r.values[j])))
		}
		params[valid(r.name(m))] = all
	}
	if sent := r.sent(); sent != "" {
		params[sentBytes] = sent
	}
	payload, err := json.Marshal(params)
	if err != nil {
		panic(err) // strings and lists of strings always marshal
	}
	return payload
}

// plainPayload is oddPayload where no text needs an escape. The members are
// sorted and no two have the same name.
func (r *Record) plainPayload() ([]byte, bool) {
	out := make([]byte, 0, len(r.data)+6*len(r.values))
	for i := r.root.first; i < r.root.next; i = r.values[i].next {
		m := &r.values[i]
		if m.kind != kindString || !isPlain(r.name(m)) || !isPlain(r.text(m)) {
			return nil, false
		}
		out = append(out, `,"`...)
		out = append(out, r.name(m)...)
		out = append(out, `":"`...)
		out = append(out, r.text(m)...)
		out = append(out, '"')
	}
	out[0] = '{' // there is a member at least
	return append(out, '}'), true
}

// isPlain reports whether encoding/json writes a text as it is.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// valid puts one U+FFFD for bytes that are not UTF-8, as cdr.Clean does: what is
// decoded from the payload later must be what was decoded at first.
func valid(s []byte) string { return strings.ToValidUTF8(string(s), "\uFFFD") }
