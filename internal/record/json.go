package record

import (
	"errors"
	"fmt"
)

// MaxDepth is how deep a JSON value may be nested.
const MaxDepth = 128

// MaxValues is how many values, nested ones included, one record may hold. The
// largest record known (DIDWW's inbound CDR) holds 60.
const MaxValues = 100_000

var errEnd = errors.New("ends in the middle of a value")

// parser reads JSON values one after another. It is written by hand because
// encoding/json loses the text of numbers inside of any, matches names without
// case and replaces broken text silently.
type parser struct {
	tree  // of the value that is being read
	pos   int
	depth int
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", p.pos, fmt.Sprintf(format, args...))
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.pos == len(p.data) {
		return 0
	}
	return p.data[p.pos]
}

// next reads a value into the place of the one before. For the first there is as
// much room as a record of the body's length needs, up to 128 values.
func (p *parser) next() (tree, error) {
	if cap(p.values) == 0 {
		p.values = make([]value, 0, min(max(len(p.data)/20, 16), 128))
	}
	p.unescaped, p.values = p.unescaped[:0], p.values[:0]
	err := p.value(span{})
	return p.tree, err
}

// value reads a value, whose name is known already.
func (p *parser) value(name span) error {
	p.space()
	if len(p.values) == MaxValues {
		return p.errorf("more than %d values in one record", MaxValues)
	}
	at := len(p.values)
	p.values = append(p.values, value{name: name, start: int32(p.pos), first: int32(at + 1)})
	kind, text, err := p.read()
	v := &p.values[at]
	v.kind, v.text, v.end, v.next = kind, text, int32(p.pos), int32(len(p.values))
	return err
}

func (p *parser) read() (kind, span, error) {
	c, start := p.peek(), p.pos
	switch {
	case start == len(p.data):
		return kindNull, span{}, errEnd
	case c == '{':
		return kindObject, span{}, p.object()
	case c == '[':
		return kindArray, span{}, p.array()
	case c == '"':
		text, err := p.string()
		return kindString, text, err
	case c == '-' || c >= '0' && c <= '9':
		err := p.number()
		return kindNumber, p.since(start), err
	case p.word("null"):
		return kindNull, p.since(start), nil
	case p.word("true"), p.word("false"):
		return kindBool, p.since(start), nil
	}
	return kindNull, span{}, p.errorf("not JSON")
}

func (p *parser) since(start int) span { return span{start: int32(start), end: int32(p.pos)} }

func (p *parser) word(w string) bool {
	if end := p.pos + len(w); end > len(p.data) || string(p.data[p.pos:end]) != w {
		return false
	}
	p.pos += len(w)
	return true
}

func (p *parser) enter() error {
	p.pos++
	p.depth++
	if p.depth > MaxDepth {
		return p.errorf("nested deeper than %d", MaxDepth)
	}
	return nil
}

func (p *parser) object() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	if p.peek() == '}' {
		p.pos++
		return nil
	}
	for {
		if p.peek() != '"' {
			return p.expected(`"`)
		}
		name, err := p.string()
		if err != nil {
			return err
		}
		if p.peek() != ':' {
			return p.expected(":")
		}
		p.pos++
		if err := p.value(name); err != nil {
			return err
		}
		if more, err := p.more('}'); err != nil || !more {
			return err
		}
	}
}

func (p *parser) array() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		if err := p.value(span{}); err != nil {
			return err
		}
		if more, err := p.more(']'); err != nil || !more {
			return err
		}
	}
}

// more reads a comma, or the closing bracket and returns false.
func (p *parser) more(closing byte) (bool, error) {
	switch p.peek() {
	case ',':
		p.pos++
		return true, nil
	case closing:
		p.pos++
		return false, nil
	}
	return false, p.expected(", or " + string(closing))
}

func (p *parser) expected(what string) error {
	if p.pos == len(p.data) {
		return errEnd
	}
	return p.errorf("expected %s", what)
}

func (p *parser) number() error {
	if p.data[p.pos] == '-' {
		p.pos++
	}
	whole := p.pos
	if !p.digits() || p.data[whole] == '0' && p.pos > whole+1 {
		return p.errorf("not a number")
	}
	if p.pos < len(p.data) && p.data[p.pos] == '.' {
		p.pos++
		if !p.digits() {
			return p.errorf("not a number")
		}
	}
	if p.pos < len(p.data) && (p.data[p.pos] == 'e' || p.data[p.pos] == 'E') {
		p.pos++
		if p.pos < len(p.data) && (p.data[p.pos] == '+' || p.data[p.pos] == '-') {
			p.pos++
		}
		if !p.digits() {
			return p.errorf("not a number")
		}
	}
	return nil
}

func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}
