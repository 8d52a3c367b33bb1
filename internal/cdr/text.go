package cdr

import "strings"

// Clean takes out what Postgres' text refuses: NUL, and bytes that are not
// UTF-8, which become U+FFFD.
func Clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
