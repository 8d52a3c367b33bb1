package reconcile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// peeked is how much of a file is looked at to see what it is.
const peeked = 1 << 20

// lines reads a file by lines and counts them.
type lines struct {
	from *bufio.Reader
	n    int      // of the line that was read last, from 1
	back [][]byte // lines that are to be read again
}

var errLong = fmt.Errorf("the line is longer than %d MiB", MaxRecord>>20)

// next returns a line without its end, as a slice of its own, io.EOF behind the
// last. Of a line that is too long it returns errLong and goes on behind it.
func (l *lines) next() ([]byte, error) {
	if len(l.back) > 0 {
		line := l.back[0]
		l.back = l.back[1:]
		l.n++
		return line, nil
	}
	var line []byte
	long := false
	for {
		part, err := l.from.ReadSlice('\n')
		if long = long || len(line)+len(part) > MaxRecord; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case err != nil && len(line) == 0 && !long:
			return nil, io.EOF
		}
		l.n++
		if l.n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
		}
		if long {
			return nil, errLong
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

// again puts back the lines that were read last.
func (l *lines) again(lines [][]byte) {
	l.back = append(lines, l.back...)
	l.n -= len(lines)
}
