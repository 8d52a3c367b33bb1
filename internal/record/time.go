package record

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// layouts are the spellings of the five providers' pages and their neighbours.
// time.Parse reads a fraction of a second after any of them.
func layouts() [10]string {
	return [...]string{
		"2006-01-02T15:04:05Z07:00",
		"2006-01-02T15:04:05",
		"2006-01-02 15:04:05",
		"2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04:05 UTC",
		"2006-01-02 15:04:05 Z07:00",
		"2006-01-02T15:04:05Z0700",
		"2006-01-02 15:04:05 Z0700",
		"2006-01-02T15:04:05Z07",
		"2006-01-02 15:04:05Z07",
	}
}

func parseTime(sent []byte) (time.Time, error) {
	if len(sent) == 0 {
		return time.Time{}, nil
	}
	if at, ok := parseEpoch(sent); ok {
		if at.Equal(time.UnixMicro(0)) {
			return time.Time{}, nil
		}
		return inRange(at)
	}
	if at, ok := plainTime(sent); ok {
		return inRange(at)
	}
	text := strings.Replace(string(sent), " GMT", " UTC", 1)
	for _, layout := range layouts() {
		if at, err := time.Parse(layout, text); err == nil {
			return inRange(at)
		}
	}
	return time.Time{}, errors.New("not a time")
}

// plainTime reads 2006-01-02T15:04:05, with a blank for the T, a fraction and a
// zone, as nearly all times come. What it reads, time.Parse reads alike with one
// of the layouts, slower.
func plainTime(text []byte) (time.Time, bool) {
	const shape = "2006-01-02T15:04:05"
	if len(text) < len(shape) || text[4] != '-' || text[7] != '-' || text[10] != 'T' && text[10] != ' ' || text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	year, month, day := digits(text[:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	nanos, rest := fraction(text[len(shape):])
	east, ok := offset(rest)
	if !ok || min(year, month, day, hour, minute, second) < 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	at := time.Date(int(year), time.Month(month), int(day), int(hour), int(minute), int(second), nanos, time.UTC)
	if at.Month() != time.Month(month) {
		return time.Time{}, false // no day of this month
	}
	return at.Add(-east), true
}

// fraction reads a fraction of a second and returns what is behind it.
func fraction(text []byte) (nanos int, rest []byte) {
	if len(text) == 0 || text[0] != '.' {
		return 0, text
	}
	n := 1
	for scale := int(1e8); scale > 0 && n < len(text) && text[n] >= '0' && text[n] <= '9'; scale /= 10 {
		nanos += int(text[n]-'0') * scale
		n++
	}
	if n == 1 {
		return 0, text // a point alone is no fraction
	}
	return nanos, text[n:]
}

// offset reads the end of a time: nothing, Z or +02:00.
func offset(zone []byte) (east time.Duration, ok bool) {
	switch {
	case len(zone) == 0, len(zone) == 1 && zone[0] == 'Z':
		return 0, true
	case len(zone) != len("+02:00") || zone[0] != '+' && zone[0] != '-' || zone[3] != ':':
		return 0, false
	}
	hours, minutes := digits(zone[1:3]), digits(zone[4:6])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	east = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if zone[0] == '-' {
		east = -east
	}
	return east, true
}

// digits returns the number that digits are, -1 where there is anything else or
// more than an int64 holds.
func digits(text []byte) int64 {
	n, ok := appendDigits(0, text)
	if !ok || len(text) == 0 || len(text) > maxDigits {
		return -1
	}
	return n
}

// parseEpoch reads seconds, milliseconds, microseconds or nanoseconds since
// 1970, by the number of digits: PIOPIY's `time` has 13, its `start_time` 10.
func parseEpoch(sent []byte) (time.Time, bool) {
	if len(sent) > 32 || len(bytes.Trim(sent, "0123456789.")) > 0 {
		return time.Time{}, false
	}
	if n := digits(sent); n >= 0 {
		return plainEpoch(n), true
	}
	return oddEpoch(sent)
}

func oddEpoch(sent []byte) (time.Time, bool) {
	d, err := decimal.NewFromString(string(sent))
	if err != nil {
		return time.Time{}, false
	}
	scale := int32(6)
	switch n := len(d.Truncate(0).String()); {
	case n > 17:
		scale = -3
	case n > 14:
		scale = 0
	case n > 11:
		scale = 3
	}
	micros := d.Shift(scale).Truncate(0)
	if !micros.BigInt().IsInt64() {
		return time.Time{}, true // inRange says why
	}
	return time.UnixMicro(micros.IntPart()), true
}

// plainEpoch is parseEpoch for digits alone.
func plainEpoch(n int64) time.Time {
	switch {
	case n >= 1e17:
		return time.UnixMicro(n / 1000)
	case n >= 1e14:
		return time.UnixMicro(n)
	case n >= 1e11:
		return time.UnixMilli(n)
	}
	return time.Unix(n, 0)
}

func inRange(at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}, errors.New("outside of the years 1970 to 2200")
	}
	return at, nil
}
