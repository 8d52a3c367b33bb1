package reconcile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// hasRecordPerLine reports whether a file holds a record a line, as nearly all
// do, also as a list with an item a line. It does where one of the first lines
// is an object by itself, or where nothing looks like JSON (forms).
func hasRecordPerLine(start []byte) bool {
	if c := bytes.TrimSpace(start)[0]; c != '{' && c != '[' {
		return true
	}
	if isWrapper(start) {
		return false
	}
	for line := range bytes.Lines(start) {
		if item, ok := bare(line); ok && item[0] == '{' && json.Valid(item) {
			return true
		}
	}
	return false
}

// bare takes the brackets and commas of a list off a line. It returns false
// where nothing else is there.
func bare(line []byte) ([]byte, bool) {
	line = bytes.TrimSpace(line)
	if json.Valid(line) {
		return line, len(line) > 0
	}
	item := bytes.TrimSpace(bytes.TrimSuffix(line, []byte(",")))
	if !json.Valid(item) {
		item = bytes.TrimSpace(bytes.TrimPrefix(item, []byte("[")))
	}
	if !json.Valid(item) {
		item = bytes.TrimSpace(bytes.TrimSuffix(item, []byte("]")))
	}
	if len(item) == 0 {
		return nil, false
	}
	if json.Valid(item) {
		return item, true
	}
	return line, true
}

// perLine reads a record from each line.
func (r *reading) perLine(name string, in *lines) error {
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLong):
			err = r.unreadable(name, in.n, err)
		case err != nil:
			return err
		default:
			if item, ok := bare(line); ok {
				err = r.decode(name, in.n, "", true, item)
			}
		}
		if err != nil {
			return err
		}
	}
}

// isWrapper reports whether an object begins as an envelope of many records does.
func isWrapper(object []byte) bool {
	for _, token := range []string{"{", `"data"`, ":", "["} {
		object = bytes.TrimSpace(object)
		if !bytes.HasPrefix(object, []byte(token)) {
			return false
		}
		object = object[len(token):]
	}
	return true
}

// values reads objects one after another whatever the line ends: printed over
// several lines, items of a list, {"data":[…]}. It cuts by counting brackets
// alone; what is inside is the adapter's.
func (r *reading) values(name string, in *lines) error {
	c := cutter{each: func(line int, object []byte) error { return r.decode(name, line, "", true, object) }}
	line := 1
	for {
		b, err := in.from.ReadByte()
		if errors.Is(err, io.EOF) {
			return c.end()
		}
		if err != nil {
			return err
		}
		if err := c.add(b, line); err != nil {
			return err
		}
		if b == '\n' {
			line++
		}
	}
}

// cutter cuts a stream of bytes into objects, and what is between them.
type cutter struct {
	each     func(line int, object []byte) error
	object   []byte // or what is between objects, where depth is 0
	line     int    // where it begins
	depth    int
	inString bool
	escaped  bool
	wrapped  bool // inside the list of an envelope
	leaving  bool // behind that list, to the end of the envelope
}

// add takes one byte.
func (c *cutter) add(b byte, line int) error {
	if c.depth == 0 && b != '{' {
		return c.between(b, line)
	}
	if c.depth == 0 {
		if err := c.end(); err != nil {
			return err
		}
		c.line = line
	}
	if !c.leaving {
		c.object = append(c.object, b)
	}
	c.nest(b)
	switch {
	case c.depth == 0 && c.leaving:
		c.leaving, c.wrapped = false, false
	case c.depth == 0, len(c.object) > MaxRecord:
		return c.end()
	case b == '[' && c.depth == 2 && !c.inString && !c.wrapped && isWrapper(c.object):
		*c = cutter{each: c.each, wrapped: true}
	}
	return nil
}

// between takes a byte outside of objects: the brackets and commas of a list
// and white space mean nothing, all else is handed on by the line.
func (c *cutter) between(b byte, line int) error {
	switch {
	case b == ']' && c.wrapped:
		c.leaving, c.depth = true, 1
		return nil
	case b == '\n' || len(c.object) > MaxRecord:
		return c.end()
	case len(c.object) == 0 && bytes.IndexByte([]byte("[], \t\r\xEF\xBB\xBF"), b) >= 0:
		return nil
	}
	if len(c.object) == 0 {
		c.line = line
	}
	c.object = append(c.object, b)
	return nil
}

// nest follows the brackets, but not those inside of strings.
func (c *cutter) nest(b byte) {
	switch {
	case c.escaped:
		c.escaped = false
	case c.inString && b == '\\':
		c.escaped = true
	case b == '"':
		c.inString = !c.inString
	case c.inString:
	case b == '{' || b == '[':
		c.depth++
	case b == '}' || b == ']':
		c.depth--
	}
}

// end hands on what there is.
func (c *cutter) end() error {
	object, line := c.object, c.line
	c.object, c.depth, c.inString, c.escaped = nil, 0, false, false
	if len(object) == 0 {
		return nil
	}
	return c.each(line, object)
}
