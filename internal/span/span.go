// Package span reads what people write for a span of time: days, months and
// local times in a time zone. It imports nothing of cdrstore.
package span

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Span is the time from From up to but not including To. A zero time is an open
// end. Zone is never nil; From and To are in it.
type Span struct {
	From, To time.Time
	Zone     *time.Location
}

// Usage says what Parse accepts, for the help of commands.
const Usage = `--from is the first moment that counts, --to the first that no longer does. Both
are 2026-10 (the start of that month), 2026-10-01 (of that day), 2026-10-01T12:00
or with seconds, in the zone of --tz; 2026-10-01T12:00Z or +02:00 is exact
whatever the zone; or one of the words now, today, yesterday, tomorrow,
this-month, last-month, next-month. A time that the clocks of the zone skip is
the moment of the skip; one that they show twice is the first of the two.`

// Parse reads the flags --from, --to and --tz, as Usage says. Empty from or to
// is an open end, empty tz is UTC. The words are relative to now. The errors
// name the flag and the reason.
func Parse(from, to, tz string, now time.Time) (Span, error) {
	zone, err := Zone(tz)
	if err != nil {
		return Span{}, fmt.Errorf("--tz: %w", err)
	}
	s := Span{Zone: zone}
	if s.From, err = moment(from, zone, now); err != nil {
		return Span{}, fmt.Errorf("--from: %w", err)
	}
	if s.To, err = moment(to, zone, now); err != nil {
		return Span{}, fmt.Errorf("--to: %w", err)
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return Span{}, fmt.Errorf("--to: %s is not after --from %s: --to is the first moment that no longer counts,"+
			" so October 2026 is --from 2026-10 --to 2026-11", s.To.Format(time.RFC3339), s.From.Format(time.RFC3339))
	}
	return s, nil
}

// Month is the month that name, like 2026-10, stands for in zone tz.
func Month(name, tz string) (Span, error) {
	return period(name, tz, "2006-01", "month", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) })
}

// Day is the day that name, like 2026-10-05, stands for in zone tz. It may have
// 23 or 25 hours.
func Day(name, tz string) (Span, error) {
	return period(name, tz, time.DateOnly, "day", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) })
}

// Zone is the time zone of that name in the tz database; empty is UTC.
func Zone(name string) (*time.Location, error) {
	// The machine's own zone has no name that Postgres would know.
	if name == "Local" {
		return nil, errors.New(`"Local" is no name of a time zone: write one like Europe/London, or UTC`)
	}
	switch strings.ToUpper(name) {
	case "CET", "EET", "MET", "WET":
		return nil, fmt.Errorf("%q is an offset without summer time to Postgres: write a name like Europe/Paris", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no name of a time zone: write one like Europe/London, or UTC", name)
	}
	return zone, nil
}

func period(name, tz, layout, what string, next func(time.Time) time.Time) (Span, error) {
	zone, err := Zone(tz)
	if err != nil {
		return Span{}, fmt.Errorf("time zone: %w", err)
	}
	wall, err := time.Parse(layout, name)
	if err != nil {
		example := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC).Format(layout)
		return Span{}, fmt.Errorf("%q is no %s: write it like %s", name, what, example)
	}
	if err := checkYear(name, wall); err != nil {
		return Span{}, err
	}
	return Span{From: Local(wall, zone), To: Local(next(wall), zone), Zone: zone}, nil
}

// moment reads one end of a span; empty is the zero time.
func moment(text string, zone *time.Location, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if text == "now" {
		return now.In(zone), nil
	}
	if wall, ok := word(text, now.In(zone)); ok {
		return Local(wall, zone), nil
	}
	iso := strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, iso); err == nil {
			return t.In(zone), checkYear(text, t)
		}
	}
	var outside bool
	for _, layout := range []string{"2006-01", time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		wall, err := time.Parse(layout, iso)
		if err == nil {
			return Local(wall, zone), checkYear(text, wall)
		}
		outside = outside || strings.Contains(err.Error(), "out of range")
	}
	if outside {
		return time.Time{}, fmt.Errorf("%q: there is no such month, day or time", text)
	}
	return time.Time{}, fmt.Errorf("%q is no time: write it like 2026-10, 2026-10-01, 2026-10-01T12:00,"+
		" 2026-10-01T12:00+02:00, today or last-month", text)
}

// word is the wall clock time, held in UTC, at which the day or month begins
// that a word names.
func word(text string, now time.Time) (time.Time, bool) {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	month := day.AddDate(0, 0, 1-day.Day())
	switch text {
	case "today":
		return day, true
	case "yesterday":
		return day.AddDate(0, 0, -1), true
	case "tomorrow":
		return day.AddDate(0, 0, 1), true
	case "this-month":
		return month, true
	case "last-month":
		return month.AddDate(0, -1, 0), true
	case "next-month":
		return month.AddDate(0, 1, 0), true
	}
	return time.Time{}, false
}

// Local is the first moment at which the clocks of zone show wall, whose own zone
// is UTC, or later. So days and months follow each other without a gap or an
// overlap, also where clocks change at midnight. The SQL function local_moment
// says the same.
func Local(wall time.Time, zone *time.Location) time.Time {
	// No zone is a day from UTC, so the clocks show less than wall here.
	t := wall.Add(-24 * time.Hour).In(zone)
	for {
		_, offset := t.Zone()
		candidate := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if candidate.Before(t) {
			return t // skipped
		}
		_, change := t.ZoneBounds()
		if change.IsZero() || candidate.Before(change) {
			return candidate
		}
		t = change
	}
}

// checkYear refuses years that no record has, see the adapters.
func checkYear(text string, t time.Time) error {
	if t.Year() < 1970 || t.Year() > 2200 {
		return fmt.Errorf("%q: the year is not between 1970 and 2200", text)
	}
	return nil
}
