// Package table writes rows of texts as CSV. It imports nothing of cdrstore.
package table

import (
	"encoding/csv"
	"io"
	"strings"
)

// CSV writes RFC 4180. A text that a spreadsheet would run gets an apostrophe in
// front; numbers stay as they are.
type CSV struct{ *csv.Writer }

// NewCSV returns a writer whose lines end with LF. Set UseCRLF for CRLF.
func NewCSV(out io.Writer) CSV { return CSV{csv.NewWriter(out)} }

// Write writes a row.
func (c CSV) Write(cells []string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		if safe[i] = cell; cell != "-" && !isNumber(cell) {
			safe[i] = Harmless(cell)
		}
	}
	return c.Writer.Write(safe)
}

// Harmless returns a text so that no spreadsheet runs it. A + with nothing but
// digits after it is a phone number, which one may show as a number at worst.
func Harmless(text string) string {
	if IsFormula(text) {
		return "'" + text
	}
	return text
}

// IsFormula reports whether a spreadsheet may run a text.
func IsFormula[T ~string | ~[]byte](text T) bool {
	s := string(text)
	if s == "" || !strings.ContainsAny(s[:1], "=+-@\t\r\n") {
		return false
	}
	return s[0] != '+' || strings.Trim(s[1:], "0123456789") != ""
}

// isNumber reports whether a text is a number with at most a sign and a point.
func isNumber(text string) bool {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return whole+fraction != "" && strings.Trim(whole, "0123456789") == "" && strings.Trim(fraction, "0123456789") == ""
}
