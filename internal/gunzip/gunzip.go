// Package gunzip inflates gzip as it comes from other people's tools: several members
// one after another, with blanks, line feeds or zeros after each.
package gunzip

import (
	"compress/gzip"
	"errors"
	"io"
)

// ErrTail says that something else follows the last member. The source then stands at
// its first byte.
var ErrTail = errors.New("something that is not gzip follows the compressed data")

// Source is what gzip is read from. A bytes.Reader and a bufio.Reader are such.
type Source interface {
	io.Reader
	io.ByteScanner
}

// Reader reads what the members of a source hold. Its zero value is ready for Reset.
type Reader struct {
	z  gzip.Reader
	in Source
}

// NewReader returns a reader of a source that stands at a member.
func NewReader(in Source) (*Reader, error) {
	r := new(Reader)
	return r, r.Reset(in)
}

// Reset begins to read another source, which stands at a member.
func (r *Reader) Reset(in Source) error {
	r.in = in
	err := r.z.Reset(in)
	r.z.Multistream(false)
	return err
}

// Read returns io.EOF after the last member, or ErrTail.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, r.next()
}

// next goes on to the next member.
func (r *Reader) next() error {
	for {
		switch c, err := r.in.ReadByte(); {
		case err != nil:
			return err
		case c == 0, c == ' ', c == '\t', c == '\r', c == '\n':
			continue
		case c != 0x1F:
			return errors.Join(r.in.UnreadByte(), ErrTail)
		}
		if err := r.in.UnreadByte(); err != nil {
			return err
		}
		return r.Reset(r.in)
	}
}
