package gunzip_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/gunzip"
)

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a Buffer takes everything
	_ = w.Close()
	return b.String()
}

func TestRead(t *testing.T) {
	t.Parallel()
	a, b := zip("a"), zip("b")
	for _, c := range []struct {
		sent, want, rest string
		err              error
	}{
		{a, "a", "", nil},
		{a + "\n", "a", "", nil},
		{a + "\x00\x00\x00" + b + " \r\n\t", "ab", "", nil},
		{zip("") + a, "a", "", nil},
		{a + "\nx\n", "a", "x\n", gunzip.ErrTail},
		{a + "\x1f", "a", "", io.ErrUnexpectedEOF},
		{a + b[:len(b)-1], "ab", "", io.ErrUnexpectedEOF},
		{a + "\x1fxxxxxxxxxxxxxxxxx", "a", "", gzip.ErrHeader},
		{a[:len(a)-8] + "\x00\x00\x00\x00" + a[len(a)-4:], "a", "", gzip.ErrChecksum},
	} {
		for _, in := range []gunzip.Source{bytes.NewReader([]byte(c.sent)), bufio.NewReader(strings.NewReader(c.sent))} {
			r, err := gunzip.NewReader(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q: %q, %v; want %q, %v", c.sent, got, err, c.want, c.err)
			}
			if rest, _ := io.ReadAll(in); errors.Is(c.err, gunzip.ErrTail) && string(rest) != c.rest {
				t.Errorf("%q: then %q, want %q", c.sent, rest, c.rest)
			}
		}
	}
	if _, err := gunzip.NewReader(strings.NewReader("x")); err == nil {
		t.Error("no error of what is no gzip")
	}
}
