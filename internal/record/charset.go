package record

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// byteOrderMark is U+FEFF in UTF-8. It means nothing before a record.
const byteOrderMark = "\xEF\xBB\xBF"

// escape is in texts of ISO-2022-JP, which are ASCII and so UTF-8.
const escape = '\x1B'

// InUTF8 returns a delivery with its body in UTF-8: a body in UTF-16, with or without
// a byte order mark, and JSON in the charset that its Content-Type declares. A form
// stays as it is, because its charset is that of the bytes behind its percent escapes.
// So does a body that cannot be decoded. UTF-8 is UTF-8 whatever is declared.
func InUTF8(d cdr.Delivery) cdr.Delivery {
	if text := fromUTF16(d.Body); text != nil {
		d.Body = text
		return d
	}
	charset := declared(d.ContentType)
	if charset == nil {
		return d
	}
	trimmed := bytes.TrimSpace(d.Body)
	if !isMultipart(d.ContentType, trimmed) && !isForm(d.ContentType, trimmed) {
		d.Body = decode(charset, d.Body)
	}
	return d
}

// declared returns the charset that a Content-Type declares; nil where it declares
// none, a Unicode one, or one that is not known.
func declared(contentType string) encoding.Encoding {
	_, rest, _ := strings.Cut(strings.ToLower(contentType), "charset")
	label, found := strings.CutPrefix(strings.TrimLeft(rest, " "), "=")
	if !found {
		return nil
	}
	label, _, _ = strings.Cut(label, ";")
	return charset(strings.Trim(label, ` "',`))
}

func charset(label string) encoding.Encoding {
	if strings.HasPrefix(label, "utf") {
		return nil // as nearly all are, and known without looking it up
	}
	e, err := htmlindex.Get(label)
	if err != nil {
		return nil
	}
	if name, err := htmlindex.Name(e); err != nil || name == "replacement" || strings.HasPrefix(name, "utf-") {
		return nil
	}
	return e
}

// decode returns a text in UTF-8, or as it was sent where it is UTF-8 already or
// cannot be decoded without loss.
func decode(charset encoding.Encoding, sent []byte) []byte {
	if utf8.Valid(sent) && bytes.IndexByte(sent, escape) < 0 {
		return sent
	}
	text, err := charset.NewDecoder().Bytes(sent)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return sent
	}
	return text
}

// fromUTF16 decodes a body in UTF-16, which its first two bytes tell: a byte order
// mark, or an ASCII character and NUL. It returns nil for any other, and for one with
// NUL in its text. Halves of surrogate pairs become their three bytes, as in a string
// with escapes.
func fromUTF16(body []byte) []byte {
	if len(body) < 2 || body[0] != 0 && body[1] != 0 && body[0] < 0xFE {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case body[0] == 0xFE && body[1] == 0xFF:
		order, body = binary.BigEndian, body[2:]
	case body[0] == 0xFF && body[1] == 0xFE:
		body = body[2:]
	case body[0] == 0 && body[1] != 0 && body[1] < utf8.RuneSelf:
		order = binary.BigEndian
	case body[0] == 0 || body[0] >= utf8.RuneSelf:
		return nil
	}
	out := make([]byte, 0, len(body))
	for ; len(body) > 1; body = body[2:] {
		r := rune(order.Uint16(body))
		if utf16.IsSurrogate(r) && len(body) > 3 {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(body[2:]))); pair != utf8.RuneError {
				r, body = pair, body[2:]
			}
		}
		out = appendRune(out, r)
	}
	out = bytes.TrimRight(append(out, body...), "\x00") // an odd byte is not of the text, a NUL may end it
	if bytes.IndexByte(out, 0) >= 0 {
		return nil
	}
	return out
}
