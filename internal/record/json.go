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

// kind is what a JSON value is.
type kind byte

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// value is a JSON value that keeps the text of its numbers and the bytes of its
// strings as sent.
type value struct {
	kind    kind
	text    string // number, true or false: as sent; string: unescaped, bytes not checked
	members []member
	items   []value

	start, end int // where it stands in the body
}

type member struct {
	name  string
	value value
}

// get returns the last member of that name, as most parsers do.
func (v *value) get(name string) *value {
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

var errEnd = errors.New("ends in the middle of a value")

// parser reads JSON values one after another. It is written by hand because
// encoding/json loses the text of numbers inside of any, matches names without
// case and replaces broken text silently.
type parser struct {
	data  []byte
	pos   int
	depth int
	count int // values read; bounded, for a tree weighs many times its text
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

func (p *parser) value() (value, error) {
	p.space()
	start := p.pos
	p.count++
	if p.count > MaxValues {
		return value{}, p.errorf("more than %d values in one record", MaxValues)
	}
	v, err := p.read()
	v.start, v.end = start, p.pos
	return v, err
}

func (p *parser) read() (value, error) {
	switch c := p.peek(); {
	case p.pos == len(p.data):
		return value{}, errEnd
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		s, err := p.string()
		return value{kind: kindString, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range [...]value{{kind: kindBool, text: "true"}, {kind: kindBool, text: "false"}, {kind: kindNull, text: "null"}} {
		if end := p.pos + len(w.text); end <= len(p.data) && string(p.data[p.pos:end]) == w.text {
			p.pos = end
			return w, nil
		}
	}
	return value{}, p.errorf("not JSON")
}

func (p *parser) enter() error {
	p.pos++
	p.depth++
	if p.depth > MaxDepth {
		return p.errorf("nested deeper than %d", MaxDepth)
	}
	return nil
}

func (p *parser) object() (value, error) {
	v := value{kind: kindObject}
	if err := p.enter(); err != nil {
		return v, err
	}
	defer func() { p.depth-- }()
	if p.peek() == '}' {
		p.pos++
		return v, nil
	}
	for {
		if p.peek() != '"' {
			return v, p.expected(`"`)
		}
		name, err := p.string()
		if err != nil {
			return v, err
		}
		if p.peek() != ':' {
			return v, p.expected(":")
		}
		p.pos++
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member{name, item})
		more, err := p.more('}')
		if err != nil || !more {
			return v, err
		}
	}
}

func (p *parser) array() (value, error) {
	v := value{kind: kindArray}
	if err := p.enter(); err != nil {
		return v, err
	}
	defer func() { p.depth-- }()
	if p.peek() == ']' {
		p.pos++
		return v, nil
	}
	for {
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		more, err := p.more(']')
		if err != nil || !more {
			return v, err
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

func (p *parser) number() (value, error) {
	start := p.pos
	if p.data[p.pos] == '-' {
		p.pos++
	}
	whole := p.pos
	if !p.digits() || p.data[whole] == '0' && p.pos > whole+1 {
		return value{}, p.errorf("not a number")
	}
	if p.pos < len(p.data) && p.data[p.pos] == '.' {
		p.pos++
		if !p.digits() {
			return value{}, p.errorf("not a number")
		}
	}
	if p.pos < len(p.data) && (p.data[p.pos] == 'e' || p.data[p.pos] == 'E') {
		p.pos++
		if p.pos < len(p.data) && (p.data[p.pos] == '+' || p.data[p.pos] == '-') {
			p.pos++
		}
		if !p.digits() {
			return value{}, p.errorf("not a number")
		}
	}
	return value{kind: kindNumber, text: string(p.data[start:p.pos])}, nil
}

func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}
