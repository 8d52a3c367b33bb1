package cdr

import (
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"
)

// Clean takes out what Postgres' text refuses: NUL, and bytes that are not
// UTF-8, which become U+FFFD.
func Clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// PanicText says what a recovered panic was: the text of one of the runtime, of
// others the type alone, for a text could quote a record.
func PanicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic: a %T", p)
}
