package rate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/money"
	"github.com/cdrstore/cdrstore/internal/span"
)

// maxIncrement is a day, in seconds.
const maxIncrement = 86400

// lineReader makes rates of the lines of a file.
type lineReader struct {
	header []string
	deck   string         // of all lines; empty: the column says it
	zone   *time.Location // of times that name none

	prefix, price, currency *regexp.Regexp
}

func newLineReader(header []string, deck string, zone *time.Location) *lineReader {
	return &lineReader{
		header: header, deck: deck, zone: zone,
		prefix:   regexp.MustCompile(`^([1-9][0-9]{0,14}|exact:[^+\s@;>][^\s@;>]*)?$`),
		price:    regexp.MustCompile(`^([0-9]{1,9}(\.[0-9]{0,20})?|\.[0-9]{1,20})$`),
		currency: regexp.MustCompile(`^[A-Z]{3}$`),
	}
}

// read returns the rate of a line, and what is wrong with it by column.
func (l *lineReader) read(cells []string) (Rate, []Fault) {
	r := Rate{Deck: l.deck, FirstIncrement: 1, NextIncrement: 1}
	if len(cells) != len(l.header) {
		hint := ""
		if len(cells) > len(l.header) {
			hint = "; is there a comma in a price, or a text without quotation marks?"
		}
		return r, []Fault{{Reason: fmt.Sprintf("has %d columns, the header has %d%s", len(cells), len(l.header), hint)}}
	}
	var faults []Fault
	for i, column := range l.header {
		cell := strings.TrimSpace(cells[i])
		if err := l.cell(&r, column, cell); err != nil {
			faults = append(faults, Fault{Column: column, Reason: err.Error()})
		}
	}
	if r.Deck == "" {
		faults = append(faults, Fault{Column: colDeck, Reason: "is empty, and --deck does not name one"})
	}
	if len(faults) == 0 && !r.ValidTo.IsZero() && !r.ValidTo.After(r.ValidFrom) {
		faults = append(faults, Fault{Column: colValidTo, Reason: fmt.Sprintf("%s is not after valid_from, %s", moment(r.ValidTo), moment(r.ValidFrom))})
	}
	return r, faults
}

// cell reads one cell into a rate.
func (l *lineReader) cell(r *Rate, column, cell string) (err error) {
	if !utf8.ValidString(cell) || strings.ContainsRune(cell, 0) {
		return fmt.Errorf("%s is not text in UTF-8", quoted(cell))
	}
	switch column {
	case colDeck:
		if cell != "" && l.deck != "" && cell != l.deck {
			return fmt.Errorf("is %s, and --deck says %q", quoted(cell), l.deck)
		}
		if cell != "" {
			r.Deck = cell
		}
	case colPrefix:
		r.Prefix = cell
		return l.readPrefix(cell)
	case colValidFrom:
		r.ValidFrom, err = l.readTime(cell)
	case colValidTo:
		if cell != "" {
			r.ValidTo, err = l.readTime(cell)
		}
	case colPricePerMinute:
		r.PricePerMinute, err = l.readPrice(cell)
	case colConnectionFee:
		if cell != "" {
			r.ConnectionFee, err = l.readPrice(cell)
		}
	case colFirstIncrement:
		r.FirstIncrement, err = readIncrement(cell, 0)
	case colNextIncrement:
		r.NextIncrement, err = readIncrement(cell, 1)
	case colCurrency:
		if r.Currency = cell; !l.currency.MatchString(cell) {
			return fmt.Errorf("%s is not three upper-case letters like USD", quoted(cell))
		}
		err = money.Check(cell)
	case colDescription:
		r.Description = cell
	}
	return err
}

func (l *lineReader) readPrefix(cell string) error {
	switch {
	case l.prefix.MatchString(cell):
		return nil
	case strings.HasPrefix(cell, "exact:"):
		return fmt.Errorf("%s: after exact: write digits without +, or the user of a SIP address without its host", quoted(cell))
	case strings.HasPrefix(cell, "+"):
		return fmt.Errorf("%s: leave out the +", quoted(cell))
	case strings.HasPrefix(cell, "0"):
		return fmt.Errorf("%s: a number begins with its country code, and none begins with 0", quoted(cell))
	}
	return fmt.Errorf("%s is not at most 15 digits", quoted(cell))
}

// readTime reads a date, which is midnight of the zone, or a time, which is in
// the zone unless it names another.
func (l *lineReader) readTime(cell string) (time.Time, error) {
	if cell == "" {
		return time.Time{}, fmt.Errorf("is empty: from when on is it valid?")
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", "2006-01-02 15:04:05Z07:00"} {
		t, err := time.Parse(layout, cell)
		if err != nil {
			continue
		}
		if !strings.Contains(layout, "Z07:00") {
			t = span.Local(t, l.zone)
		}
		if t.Year() < 1970 || t.Year() > 2200 {
			return time.Time{}, fmt.Errorf("%s is not between 1970 and 2200", quoted(cell))
		}
		return t.UTC().Truncate(time.Microsecond), nil
	}
	return time.Time{}, fmt.Errorf("%s is not a date like 2026-10-01 or a time like 2026-10-01T00:00:00Z", quoted(cell))
}

func (l *lineReader) readPrice(cell string) (decimal.Decimal, error) {
	switch {
	case l.price.MatchString(cell):
		return decimal.NewFromString(cell)
	case cell == "":
		return decimal.Decimal{}, fmt.Errorf("is empty: write 0 for what is free")
	case strings.HasPrefix(cell, "-"):
		return decimal.Decimal{}, fmt.Errorf("%s is negative", quoted(cell))
	case strings.Contains(cell, ","):
		return decimal.Decimal{}, fmt.Errorf("%s has a comma: write a decimal point, and nothing between thousands", quoted(cell))
	}
	return decimal.Decimal{}, fmt.Errorf("%s is not a number like 0.0125, below a billion and with at most 20 decimals", quoted(cell))
}

// readIncrement reads seconds; an empty cell is 1.
func readIncrement(cell string, least int) (int, error) {
	if cell == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(cell)
	if err != nil || n < least || n > maxIncrement {
		return 0, fmt.Errorf("%s is not a whole number of seconds from %d to %d", quoted(cell), least, maxIncrement)
	}
	return n, nil
}

// ReadTime reads a date, which is midnight of a zone, or a time, which is in the
// zone unless it names another.
func ReadTime(text string, zone *time.Location) (time.Time, error) {
	return (&lineReader{zone: zone}).readTime(text)
}

// moment writes a time for people, as a date where that says all.
func moment(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}
