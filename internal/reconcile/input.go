package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/gunzip"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/record"
	"github.com/cdrstore/cdrstore/internal/store"
)

// MaxRecord is how long one record of a file may be, in bytes, as in a delivery.
const MaxRecord = 16 << 20

// Input is files of one source.
type Input struct {
	Source store.Source
	Files  []string  // names; - is Stdin
	Stdin  io.Reader // may be nil where no name is -
	Now    time.Time // when the records count as received; later ones a microsecond after those before
}

// entry is one record of a file.
type entry struct {
	file  string
	line  int
	keyed bool // false: the row does not name its call, so that it can only be compared
	cdr.Record
}

// reading decodes the files of an input in order.
type reading struct {
	Input
	adapter provider.Adapter
	records int // so far
	each    func(entry) error
}

// read hands every record of the files to each, rejects included. Memory is
// bounded by the longest record.
func (in Input) read(ctx context.Context, each func(entry) error) error {
	adapter, ok := provider.Adapters()[in.Source.Provider]
	if !ok {
		return fmt.Errorf("source %s: no provider %q is known", in.Source.Name, in.Source.Provider)
	}
	r := &reading{Input: in, adapter: adapter}
	r.each = func(e entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(e)
	}
	for _, name := range in.Files {
		if err := r.file(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (r *reading) file(name string) (err error) {
	from := r.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	if from == nil {
		return errors.New("there is no standard input")
	}
	plain, err := inflated(from)
	if err != nil {
		return err
	}
	in := &lines{from: bufio.NewReaderSize(plain, peeked)}
	start, err := in.from.Peek(peeked)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return err
	}
	start = bytes.TrimPrefix(start, []byte("\xEF\xBB\xBF"))
	switch {
	case len(bytes.TrimSpace(start)) == 0:
		return errors.New("the file is empty")
	case isCSV(start):
		return r.csv(name, in)
	case hasRecordPerLine(start):
		return r.perLine(name, in)
	}
	return r.values(name, in)
}

// inflated takes gzip off, told by its first bytes.
func inflated(from io.Reader) (io.Reader, error) {
	b := bufio.NewReader(from)
	magic, err := b.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return b, nil // too short a file is plain
	}
	z, err := gunzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return z, nil
}

// decode reads the records of a piece of a file and hands them on.
func (r *reading) decode(name string, line int, hint string, keyed bool, body []byte) error {
	d := cdr.Delivery{
		Source: r.Source.Name, Provider: r.Source.Provider, Settings: r.Source.Settings,
		Hint: hint, Method: "POST", Body: body,
		ReceivedAt: r.Now.Add(time.Duration(r.records) * time.Microsecond),
	}
	for _, read := range r.adapter.ReadImported(d) {
		r.records++
		if err := r.each(entry{name, line, keyed, read}); err != nil {
			return err
		}
	}
	return nil
}

// unreadable hands on a line that could not even be told apart.
func (r *reading) unreadable(name string, line int, err error) error {
	r.records++
	return r.each(entry{name, line, true, cdr.Record{Reject: &cdr.Reject{Reason: err.Error()}}})
}

// wrongNumber says which amount or length of a CDR is there and cannot be read;
// empty: none. A file that has one is at fault: taken for missing it would agree
// with everything.
func (e *entry) wrongNumber() string {
	for n := range e.Events {
		for _, problem := range e.Events[n].Problems {
			if e.Events[n].Kind == cdr.KindCDR && record.IsNumberProblem(problem) {
				return problem
			}
		}
	}
	return ""
}
