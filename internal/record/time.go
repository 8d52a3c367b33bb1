package record

import (
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

func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, ok := parseEpoch(text); ok {
		if at.Equal(time.UnixMicro(0)) {
			return time.Time{}, nil
		}
		return inRange(at)
	}
	text = strings.Replace(text, " GMT", " UTC", 1)
	for _, layout := range layouts() {
		if at, err := time.Parse(layout, text); err == nil {
			return inRange(at)
		}
	}
	return time.Time{}, errors.New("not a time")
}

// parseEpoch reads seconds, milliseconds, microseconds or nanoseconds since
// 1970, by the number of digits: PIOPIY's `time` has 13, its `start_time` 10.
func parseEpoch(text string) (time.Time, bool) {
	if strings.Trim(text, "0123456789.") != "" || len(text) > 32 {
		return time.Time{}, false
	}
	d, err := decimal.NewFromString(text)
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

func inRange(at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}, errors.New("outside of the years 1970 to 2200")
	}
	return at, nil
}
