package console

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// piece is a part of a text. An odd one stands for a character that would not
// be seen, or would change how others are seen.
type piece struct {
	Text string
	Odd  bool
}

// visible cuts a text into pieces. Line ends and tabs stay; bytes that are no
// UTF-8 are written \xNN.
func visible(text string) []piece {
	var pieces []piece
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			pieces = append(pieces, piece{Text: plain.String()})
			plain.Reset()
		}
	}
	for i, r := range text {
		written := ""
		switch {
		case r == '\n', r == '\t':
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				written = fmt.Sprintf(`\x%02X`, text[i])
			}
		case r < ' ', isUnseen(r):
			written = fmt.Sprintf("U+%04X", r)
		}
		if written == "" {
			plain.WriteRune(r)
			continue
		}
		flush()
		pieces = append(pieces, piece{written, true})
	}
	flush()
	return pieces
}

// isUnseen reports whether a character shows nothing of its own, or turns the
// direction of others.
func isUnseen(r rune) bool {
	switch {
	case r < 0x7f:
		return false
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x2800, r == 0x3164, r == 0xffa0:
		return true // letters and marks that are blank
	case unicode.Is(unicode.Variation_Selector, r):
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zs, unicode.Zl, unicode.Zp) || !unicode.IsPrint(r)
}

// preview is the beginning of a body as a page shows it.
type preview struct {
	Pieces []piece // a text
	Hex    string  // what is no text
	Cut    bool    // there is more
}

// hexBytes is how much of a binary body is shown.
const hexBytes = 1024

// previewOf makes a body safe to look at. begin is its beginning, size the length of
// the whole. mask hides phone numbers in a text; nil leaves them.
func previewOf(begin []byte, size int64, mask func(string) string) preview {
	s := preview{Cut: int64(len(begin)) < size}
	if s.Cut {
		begin = wholeRunes(begin)
	}
	if !binary(begin) {
		text := string(begin)
		if mask != nil {
			if s.Cut {
				text = strings.TrimRight(text, "0123456789") // a number that is cut may look like none
			}
			text = mask(text)
		}
		s.Pieces = visible(text)
		return s
	}
	if len(begin) > hexBytes {
		begin, s.Cut = begin[:hexBytes], true
	}
	if mask != nil {
		begin = withoutDigits(begin)
	}
	s.Hex = hex.Dump(begin)
	return s
}

// withoutDigits hides all digits: in bytes that are no text nobody knows which
// of them belong together.
func withoutDigits(bytes []byte) []byte {
	hidden := make([]byte, len(bytes))
	for i, b := range bytes {
		if b >= '0' && b <= '9' {
			b = '*'
		}
		hidden[i] = b
	}
	return hidden
}

// wholeRunes takes off a character that was cut in two.
func wholeRunes(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if last := b[len(b)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return b[:len(b)-i]
			}
			return b
		}
	}
	return b
}

// binary reports whether a tenth of the bytes are no text.
func binary(b []byte) bool {
	odd := 0
	for rest := b; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
		rest = rest[size:]
	}
	return odd*10 > len(b)
}
