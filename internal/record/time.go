package record

import (
	"bytes"
	"errors"
	"slices"
	"time"
)

func parseTime(sent []byte) (time.Time, error) {
	if len(sent) == 0 {
		return time.Time{}, nil
	}
	at, ok := parseEpoch(sent)
	switch {
	case ok && at.Equal(time.UnixMicro(0)):
		return time.Time{}, nil
	case !ok:
		at, ok = calendarTime(sent)
	}
	if !ok {
		return time.Time{}, errors.New("not a time")
	}
	return inRange(at)
}

// calendarTime reads 2006-01-02T15:04:05, with a blank for the T, a fraction and a
// zone. 24:00:00 is the next day's first moment, and second 60 the next minute's.
func calendarTime(text []byte) (time.Time, bool) {
	const shape = "2006-01-02T15:04:05"
	if len(text) > 12 && text[12] == ':' { // 9:04:05
		text = slices.Insert(slices.Clone(text), 11, '0')
	}
	if len(text) < len(shape) || text[4] != '-' || text[7] != '-' || text[10]|' ' != 't' && text[10] != ' ' || text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	year, month, day := digits(text[:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	nanos, rest := fraction(text[len(shape):])
	east, ok := offset(rest)
	if !ok || min(year, month, day, hour, minute, second) < 0 || minute > 59 || second > 60 ||
		hour > 24 || hour == 24 && int(minute+second)+nanos > 0 {
		return time.Time{}, false
	}
	midnight := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
	if midnight.Month() != time.Month(month) {
		return time.Time{}, false // no day of this month
	}
	return midnight.Add(time.Duration(hour*3600+minute*60+second)*time.Second + time.Duration(nanos) - east), true
}

// fraction reads a fraction of a second, of any length, and returns what is after it.
func fraction(text []byte) (nanos int, rest []byte) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' {
		return 0, text
	}
	n, scale := 1, int(1e8)
	for ; n < len(text) && text[n] >= '0' && text[n] <= '9'; n++ {
		nanos += int(text[n]-'0') * scale
		scale /= 10
	}
	if n == 1 {
		return 0, text // a point alone is no fraction
	}
	return nanos, text[n:]
}

// offset reads the end of a time: nothing, Z, UTC, GMT, +02:00, +0200 or +02, with or
// without a blank before it. A blank before digits is a + that a form was sent raw.
func offset(zone []byte) (east time.Duration, ok bool) {
	blank := len(zone) > 0 && zone[0] == ' '
	zone = bytes.TrimLeft(zone, " ")
	switch string(zone) {
	case "", "Z", "z", "UTC", "GMT":
		return 0, true
	}
	sign := time.Duration(1)
	switch {
	case zone[0] == '-':
		sign, zone = -1, zone[1:]
	case zone[0] == '+':
		zone = zone[1:]
	case !blank:
		return 0, false
	}
	hours, minutes := zone[:min(2, len(zone))], zone[min(2, len(zone)):]
	if len(minutes) == len(":00") && minutes[0] == ':' {
		minutes = minutes[1:]
	}
	if len(hours) != 2 || len(minutes) != 0 && len(minutes) != 2 {
		return 0, false
	}
	h, m := digits(hours), max(digits(minutes), 0)
	if h < 0 || h > 24 || m > 60 || len(minutes) > 0 && digits(minutes) < 0 {
		return 0, false
	}
	return sign * (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute), true
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
	if len(sent) > 32 || len(bytes.Trim(sent, "0123456789.eE+ ")) > 0 {
		return time.Time{}, false
	}
	if n := digits(sent); n >= 0 {
		return plainEpoch(n), true
	}
	return oddEpoch(sent)
}

func oddEpoch(sent []byte) (time.Time, bool) {
	d, err := parseDecimal(sent)
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
