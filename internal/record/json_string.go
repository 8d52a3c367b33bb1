package record

import (
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string. Escaped lone surrogates become their three bytes, which
// are not UTF-8: they count in the identity of a record and are mended where
// text is taken from it.
func (p *parser) string() (span, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			s := p.since(start)
			p.pos++
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return span{}, p.errorf("control character in a string")
		}
		p.pos++
	}
	return span{}, errEnd
}

// escaped reads a string that has its first escape here.
func (p *parser) escaped(start int) (span, error) {
	s := span{start: int32(len(p.unescaped)), unescaped: true}
	out, err := p.unescape(append(p.unescaped, p.data[start:p.pos]...))
	p.unescaped, s.end = out, int32(len(out))
	return s, err
}

func (p *parser) unescape(out []byte) ([]byte, error) {
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return out, nil
		case c < ' ':
			return nil, p.errorf("control character in a string")
		case c != '\\':
			out = append(out, c)
			p.pos++
			continue
		}
		p.pos++
		if p.pos == len(p.data) {
			return nil, errEnd
		}
		c := p.data[p.pos]
		p.pos++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := p.codepoint()
			if err != nil {
				return nil, err
			}
			out = appendRune(out, r)
		default:
			return nil, p.errorf("unknown escape in a string")
		}
	}
	return nil, errEnd
}

// codepoint reads the hex digits after \u, and the second half of a surrogate
// pair.
func (p *parser) codepoint() (rune, error) {
	r, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	rest := p.data[p.pos:]
	if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		mark := p.pos
		p.pos += 2
		low, err := p.hex4()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
		p.pos = mark
	}
	return r, nil
}

func (p *parser) hex4() (rune, error) {
	if len(p.data)-p.pos < 4 {
		return 0, errEnd
	}
	var r rune
	for _, c := range p.data[p.pos : p.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, p.errorf("expected four hex digits")
		}
	}
	p.pos += 4
	return r, nil
}

func appendRune(out []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(out, r)
}
