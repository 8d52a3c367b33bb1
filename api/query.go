package api

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// asked is what a query says to the receiver, and not about a call.
type asked struct {
	tokens []string
	event  string
}

// splitQuery takes the token off a raw query, and event where it is a hint to the
// receiver: DIDLogic's parameters have an event of their own. The others stay
// byte for byte and in their order, so that a record keeps its identity.
func splitQuery(raw string, hints bool) (rest string, a asked) {
	if raw == "" {
		return "", a
	}
	kept := make([]string, 0, 1+strings.Count(raw, "&"))
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, errKey := url.QueryUnescape(key)
		value, errValue := url.QueryUnescape(value)
		switch {
		case errKey == nil && key == "token":
			if errValue == nil {
				a.tokens = append(a.tokens, value)
			}
		case errKey == nil && key == "event" && hints:
			if a.event == "" && errValue == nil {
				a.event = value
			}
		default:
			kept = append(kept, pair)
		}
	}
	return escapeInvalid(strings.Join(kept, "&")), a
}

// escapeInvalid escapes the bytes above ASCII of a query that is not UTF-8 (and
// so is no URL either): it means the same and can be stored as text.
func escapeInvalid(query string) string {
	if utf8.ValidString(query) {
		return query
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// hasParameters reports whether a query says anything.
func hasParameters(query string) bool { return strings.Trim(query, "&") != "" }
