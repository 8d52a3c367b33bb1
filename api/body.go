package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/gunzip"
)

// readBody returns a body inflated, or as it was received and the reason why it
// could not be inflated. An error means that nothing may be stored.
//
// The read deadline that observe set is the body's alone: at the end of a body
// net/http clears it, and leaveBody sets another where the end was not reached.
func (s *Server) readBody(c echo.Context, x *exchange, held *lease) (body []byte, problem string, err error) {
	r := c.Request()
	size, limit := int64(minBuffer), s.limits.Body
	if r.ContentLength >= 0 {
		size, limit = min(r.ContentLength+1, maxFirstBuffer), r.ContentLength
	}
	if limit > s.limits.Body {
		return nil, "", errTooLarge
	}
	in := &pacedReader{r: r.Body, c: c, start: x.start, grace: s.limits.BodyGrace, rate: s.limits.BodyRate}
	received, err := readAll(in, size, limit, held)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, "", errSlow
	case errors.Is(err, errTooLarge), errors.Is(err, errInFlight):
		return nil, "", err
	case err != nil:
		return nil, "", errIncomplete
	}
	return s.inflate(received, r.Header.Values("Content-Encoding"), held)
}

// inflate goes by the header and, failing that, by the first bytes. Text is
// read as it is, whatever the header says: some proxies inflate a body and
// leave the header.
func (s *Server) inflate(received []byte, header []string, held *lease) (body []byte, problem string, err error) {
	zipped, unknown := contentEncoding(header)
	isGzip := bytes.HasPrefix(received, []byte{0x1F, 0x8B})
	switch {
	case len(received) == 0, !zipped && unknown == "" && !isGzip, isText(received):
		return received, "", nil
	case unknown != "":
		return received, fmt.Sprintf("content encoding %q is not supported", unknown), nil
	}
	in := bytes.NewReader(received)
	defer in.Reset(nil) // the pool does not keep the body
	z := s.inflaters.Get().(*gunzip.Reader)
	defer s.inflaters.Put(z)
	if err := z.Reset(in); err != nil {
		return received, fmt.Sprintf("body: gzip: %v", err), nil
	}
	before := held.bytes
	body, err = readAll(untilTail{z}, minBuffer, s.limits.Inflated, held)
	if err == nil && in.Len() > 0 {
		body, err = addTail(body, received[len(received)-in.Len():], s.limits.Inflated, held)
	}
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errInFlight):
		return nil, "", err
	case err != nil:
		held.give(held.bytes - before)
		return received, fmt.Sprintf("body: gzip: %v", err), nil
	}
	held.give(before)
	return body, "", nil
}

// untilTail ends where gzip does, whatever follows.
type untilTail struct{ *gunzip.Reader }

func (r untilTail) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, gunzip.ErrTail) {
		err = io.EOF
	}
	return n, err
}

// addTail adds what follows gzip as another line of a body in JSON: a record, or what
// is quarantined alone. A form would take it for a part of its last value.
func addTail(body, tail []byte, limit int64, held *lease) ([]byte, error) {
	start := bytes.TrimSpace(body[:min(len(body), 64)])
	switch size := int64(len(body) + 1 + len(tail)); {
	case len(start) == 0 || start[0] != '{' && start[0] != '[':
		return nil, gunzip.ErrTail
	case size > limit:
		return nil, errTooLarge
	case !held.take(size):
		return nil, errInFlight
	}
	return slices.Concat(body, []byte("\n"), tail), nil
}

// contentEncoding reads the header: gzip, or what is neither that nor nothing.
func contentEncoding(header []string) (zipped bool, unknown string) {
	if len(header) == 0 {
		return false, ""
	}
	var words []string
	for word := range strings.SplitSeq(strings.ToLower(strings.Join(header, ",")), ",") {
		if word = strings.TrimSpace(word); word != "" && word != "identity" {
			words = append(words, word)
		}
	}
	switch {
	case len(words) == 0:
		return false, ""
	case len(words) == 1 && (words[0] == "gzip" || words[0] == "x-gzip"):
		return true, ""
	}
	unknown = strings.Join(words, ", ")
	return false, strings.ToValidUTF8(unknown[:min(len(unknown), 100)], "")
}

// isText reports whether a body cannot be compressed data: UTF-8 without control
// characters.
func isText(body []byte) bool {
	control := func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }
	return utf8.Valid(body) && bytes.IndexFunc(body, control) < 0
}

// A client's word is taken for the size of its first buffer, up to a size that
// as many clients as there are slots may announce without taking all memory.
const (
	minBuffer      = 512
	maxFirstBuffer = 16 << 10
)

// readAll reads to the end, but not over limit, into a buffer that begins with
// size bytes. Memory is taken from the lease as it is needed, not as a client
// announces it.
func readAll(r io.Reader, size, limit int64, held *lease) ([]byte, error) {
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			size = min(max(size, 2*int64(cap(buf))), limit+1)
			if !held.take(size - int64(cap(buf))) {
				return nil, errInFlight
			}
			buf = append(make([]byte, 0, size), buf...)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// pacedReader ends a body that comes too slowly: the time for it grows with what
// has come.
type pacedReader struct {
	r      io.Reader
	c      echo.Context
	start  time.Time
	grace  time.Duration
	rate   int64
	n      int64
	earned time.Duration // what of it the deadline has
}

// Read moves the deadline when a sixteenth of the grace was earned: most bodies
// are read before.
func (p *pacedReader) Read(b []byte) (int, error) {
	earned := time.Duration(float64(p.n) / float64(p.rate) * float64(time.Second))
	if earned-p.earned > p.grace/16 {
		p.earned = earned
		setReadDeadline(p.c, p.start.Add(p.grace+earned))
	}
	n, err := p.r.Read(b)
	p.n += int64(n)
	return n, err
}
