package record

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// splitter reads JSON values one after another and gets over broken ones.
type splitter struct {
	parser
	yield   func(Piece) bool
	opening []byte // of the list whose items are the records; nil: not inside of one
	records int
	budget  int // bytes that may be read in vain while looking for the next value
}

func (k *desk) readJSON(body []byte, yield func(Piece) bool) {
	s := &splitter{parser: parser{tree: k.tree(body)}, yield: yield, budget: 4*len(body) + 1<<20}
	for s.step() {
	}
	k.values, k.unescaped = s.values, s.unescaped
}

// step reads one value or bracket. It returns false at the end.
func (s *splitter) step() bool {
	c := s.peek()
	start := s.pos
	switch {
	case s.pos == len(s.data):
		return s.end()
	case s.records >= MaxRecords:
		s.pos = len(s.data)
		return s.reject(start, fmt.Errorf("more than %d records in one delivery: the rest is kept unread", MaxRecords))
	case c == ',':
		s.pos++
		return true
	case c == byteOrderMark[0] && bytes.HasPrefix(s.data[s.pos:], []byte(byteOrderMark)):
		s.pos += len(byteOrderMark) // files with a mark each, put together
		return true
	case c == '[' && !s.list():
		s.pos++
		s.opening = s.data[start:s.pos]
		return true
	case c == ']' && s.list():
		s.pos++
		s.opening = nil
		return true
	}
	v, err := s.next()
	if err != nil {
		s.depth = 0
		s.budget -= s.pos - start
		if s.enterWrapper(start) {
			return true
		}
		s.recover(start)
		return s.reject(start, err)
	}
	return s.unwrap(&v)
}

// list reports whether this is inside of a list whose items are the records.
func (s *splitter) list() bool { return s.opening != nil }

// end hands on the opening of a list that does not end: what was in the rest of it
// nobody knows, even where all that came is good.
func (s *splitter) end() bool {
	if s.list() {
		s.yield(Piece{Raw: s.opening, Reason: "body: the list has no end"})
	}
	return false
}

// unwrap hands on a value, or the values inside of a JSON:API envelope.
func (s *splitter) unwrap(t *tree) bool {
	root := &t.values[0]
	data := t.wrapped(root)
	if len(data) == 0 {
		return s.accept(t, root)
	}
	for _, v := range data {
		if !s.accept(t, v) {
			return false
		}
	}
	return true
}

// wrapped returns the object or list of objects inside of {"data":…}, each of them
// where the name is repeated; none when the value is a record itself.
func (t *tree) wrapped(v *value) (data []*value) {
	for i := v.first; i < v.next; i = t.values[i].next {
		m := &t.values[i]
		switch string(t.name(m)) {
		case "data":
			if m.kind != kindObject && m.kind != kindArray {
				return nil
			}
			data = append(data, m)
		case "meta", "links", "jsonapi", "included":
		default:
			return nil
		}
	}
	return data
}

// enterWrapper steps into {"data":[ where the whole is broken or too long to be
// read in one, so that its good items are not lost with the bad one.
func (s *splitter) enterWrapper(start int) bool {
	end := s.pos
	s.pos = start
	for _, token := range []string{"{", `"data"`, ":", "["} {
		s.space()
		if s.list() || !bytes.HasPrefix(s.data[s.pos:], []byte(token)) {
			s.pos = end
			return false
		}
		s.pos += len(token)
	}
	s.opening = s.data[start:s.pos]
	return true
}

// accept hands on a record; of a list the items.
func (s *splitter) accept(t *tree, v *value) bool {
	if v.kind == kindArray {
		for i := v.first; i < v.next; i = t.values[i].next {
			if !s.accept(t, &t.values[i]) {
				return false
			}
		}
		return true
	}
	s.records++
	raw := s.data[v.start:v.end]
	if v.kind != kindObject {
		return s.yield(Piece{Raw: raw, Reason: "expected an object, found " + v.kind.String()})
	}
	t.index.of = 0
	r := &Record{tree: *t, root: v, raw: raw}
	if !utf8.Valid(raw) {
		r.notes = []string{"body: " + Mended}
	}
	return s.yield(Piece{Record: r, Raw: raw})
}

// reject hands on the bytes from start to here, unless they are only the end of
// an envelope.
func (s *splitter) reject(start int, err error) bool {
	raw := bytes.TrimSpace(s.data[start:s.pos])
	if len(bytes.Trim(raw, "]}, \t\r\n")) == 0 && s.records > 0 {
		return true
	}
	s.records++
	if s.pos == len(s.data) {
		s.opening = nil // its end was in these bytes, if anywhere
	}
	if errors.Is(err, errEnd) {
		err = fmt.Errorf("byte %d: %w", start, err)
	}
	return s.yield(Piece{Raw: raw, Reason: "body: " + err.Error()})
}

// recover moves on from a broken value that begins at start: to its end where
// its brackets close on the same line, else to the next line from which a
// value can be read, else to the end.
func (s *splitter) recover(start int) {
	if end := s.balanced(start); end > 0 {
		s.pos = end
		return
	}
	at, trial := start, parser{tree: tree{data: s.data}}
	for s.budget > 0 {
		newline := bytes.IndexByte(s.data[at:], '\n')
		if newline < 0 {
			break
		}
		trial.pos, trial.depth = at+newline+1, 0
		trial.space()
		at = trial.pos
		if s.readable(&trial) {
			s.pos = at
			return
		}
	}
	s.pos = len(s.data)
}

// readable reports whether a record, or a list of them, begins where a parser is.
func (s *splitter) readable(p *parser) bool {
	c := p.peek()
	if c != '{' && (c != '[' || s.list()) {
		return false
	}
	begin := p.pos
	_, err := p.next()
	s.budget -= p.pos - begin
	return err == nil
}

// balanced returns the end of a broken value on the same line: behind its last
// bracket, or, for an item of a list without brackets, before the next comma.
// 0 when there is no such end.
func (s *splitter) balanced(start int) int {
	depth, inString := 0, false
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '\n':
			return 0
		case inString && c == '\\' && i+1 < len(s.data) && s.data[i+1] != '\n':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case (c == ',' || c == ']') && depth == 0 && s.list() && i > start:
			return i
		case c == '}' || c == ']':
			depth--
			if depth <= 0 {
				return i + 1
			}
		case depth == 0 && !s.list():
			return 0
		}
	}
	return 0
}
