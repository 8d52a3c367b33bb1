package rate

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cdrstore/cdrstore/internal/gunzip"
)

// maxLine is how many bytes a line of a file may have. One with a quotation mark
// that is never closed would go on to the end of the file.
const maxLine = 1 << 20

var errLongLine = fmt.Errorf("longer than %d bytes: is a quotation mark not closed?", maxLine)

// The columns of a file.
const (
	colDeck           = "deck"
	colPrefix         = "prefix"
	colValidFrom      = "valid_from"
	colValidTo        = "valid_to"
	colPricePerMinute = "price_per_minute"
	colConnectionFee  = "connection_fee"
	colFirstIncrement = "first_increment"
	colNextIncrement  = "next_increment"
	colCurrency       = "currency"
	colDescription    = "description"
)

// Columns are the columns of a file, as in table rate.
func Columns() []string {
	return []string{
		colDeck, colPrefix, colValidFrom, colValidTo, colPricePerMinute, colConnectionFee,
		colFirstIncrement, colNextIncrement, colCurrency, colDescription,
	}
}

// required are the columns that a file must have.
func required() []string {
	return []string{colPrefix, colValidFrom, colPricePerMinute, colCurrency}
}

// table reads the lines of a CSV file that is compressed or not.
type table struct {
	csv    *csv.Reader
	limit  *limitedLines
	header []string // names of the columns in the order of the file
}

// openTable reads the header. Faults of it are the *Faults that it returns.
func openTable(r io.Reader) (*table, error) {
	text := bufio.NewReaderSize(r, 64<<10)
	if magic, err := text.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gunzip.NewReader(text)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		text = bufio.NewReaderSize(unzipped, 64<<10)
	}
	if err := skipMark(text); err != nil {
		return nil, err
	}
	delimiter, err := delimiterOf(text)
	if err != nil {
		return nil, err
	}
	t := &table{limit: &limitedLines{r: text, left: maxLine}}
	t.csv = csv.NewReader(t.limit)
	t.csv.Comma, t.csv.FieldsPerRecord, t.csv.ReuseRecord = delimiter, -1, true
	return t, t.readHeader()
}

// skipMark skips a byte order mark, and refuses those of UTF-16.
func skipMark(text *bufio.Reader) error {
	mark, err := text.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		_, err = text.Discard(3)
		return err
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		return errors.New("the file is in UTF-16: save it as CSV in UTF-8")
	}
	return nil
}

// delimiterOf looks at the header, in which no name has a delimiter in it.
func delimiterOf(text *bufio.Reader) (rune, error) {
	start, err := text.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	header, _, _ := strings.Cut(strings.TrimLeft(string(start), "\r\n"), "\n")
	found := ','
	for _, d := range []rune{',', ';', '\t'} {
		if !strings.ContainsRune(header, d) {
			continue
		}
		if found != d && strings.ContainsRune(header, found) {
			return 0, fmt.Errorf("the header has both %q and %q: what separates the columns?", found, d)
		}
		found = d
	}
	return found, nil
}

func (t *table) readHeader() error {
	cells, line, err := t.next()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty: its first line must name the columns")
	}
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	faults := &Faults{}
	fault := func(column, reason string) { faults.add(Fault{line, column, reason}) }
	for i, cell := range cells {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(cell)), " ", "_")
		switch {
		case name == "":
			fault(fmt.Sprintf("column %d", i+1), "has no name")
		case !slices.Contains(Columns(), name):
			fault(quoted(cell), "is not a column of rates; those are "+strings.Join(Columns(), ", "))
		case slices.Contains(t.header, name):
			fault(name, "is there twice")
		}
		t.header = append(t.header, name)
	}
	for _, name := range required() {
		if !slices.Contains(t.header, name) {
			fault(name, "this column is missing")
		}
	}
	return faults.orNil()
}

// next returns the cells of the next line that is not empty and its number. The
// cells are valid until the next call. After a *csv.ParseError it can go on.
func (t *table) next() (cells []string, line int, err error) {
	t.limit.left = maxLine
	cells, err = t.csv.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, parse.StartLine, err
	case err != nil:
		return nil, 0, err
	}
	line, _ = t.csv.FieldPos(0)
	return cells, line, nil
}

// limitedLines fails when more than left bytes are read; who reads sets it anew
// for every line.
type limitedLines struct {
	r    io.Reader
	left int
}

func (l *limitedLines) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongLine
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}

// quoted shows a cell, shortened.
func quoted(cell string) string {
	const most = 40
	if runes := []rune(cell); len(runes) > most {
		cell = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", cell)
}
