package span_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/span"
)

// now is the evening of 31 October in UTC and the morning of 1 November in
// Auckland.
var now = time.Date(2026, 10, 31, 21, 30, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, tz, want string }{
		{"2026-10", "", "2026-10-01T00:00:00Z"},
		{"2026-10", "Europe/London", "2026-09-30T23:00:00Z"},
		{"2026-11", "Europe/London", "2026-11-01T00:00:00Z"},
		{"2026-10-05", "Asia/Kolkata", "2026-10-04T18:30:00Z"},
		{"2026-10-05T12:00", "America/New_York", "2026-10-05T16:00:00Z"},
		{"2026-10-05 12:00:30.000001", "America/New_York", "2026-10-05T16:00:30.000001Z"},
		{"2026-10-05T12:00Z", "America/New_York", "2026-10-05T12:00:00Z"},
		{"2026-10-05T12:00:01+05:30", "America/New_York", "2026-10-05T06:30:01Z"},
		{"now", "Pacific/Auckland", "2026-10-31T21:30:00Z"},
		{"today", "", "2026-10-31T00:00:00Z"},
		{"today", "Pacific/Auckland", "2026-10-31T11:00:00Z"},
		{"yesterday", "Pacific/Auckland", "2026-10-30T11:00:00Z"},
		{"tomorrow", "", "2026-11-01T00:00:00Z"},
		{"this-month", "", "2026-10-01T00:00:00Z"},
		{"this-month", "Pacific/Auckland", "2026-10-31T11:00:00Z"},
		{"last-month", "", "2026-09-01T00:00:00Z"},
		{"next-month", "Europe/London", "2026-11-01T00:00:00Z"},
		// London's clocks skip 01:00-02:00 on 29 March and show it twice on 25 October.
		{"2026-03-29T00:59:59", "Europe/London", "2026-03-29T00:59:59Z"},
		{"2026-03-29T01:00", "Europe/London", "2026-03-29T01:00:00Z"},
		{"2026-03-29T01:30", "Europe/London", "2026-03-29T01:00:00Z"},
		{"2026-03-29T02:00", "Europe/London", "2026-03-29T01:00:00Z"},
		{"2026-03-29T02:30", "Europe/London", "2026-03-29T01:30:00Z"},
		{"2026-10-25T01:30", "Europe/London", "2026-10-25T00:30:00Z"},
		{"2026-10-25T01:30+00:00", "Europe/London", "2026-10-25T01:30:00Z"},
		{"2026-10-25T02:00", "Europe/London", "2026-10-25T02:00:00Z"},
		// The Azores skip and repeat midnight itself.
		{"2026-03-29", "Atlantic/Azores", "2026-03-29T01:00:00Z"},
		{"2026-10-25", "Atlantic/Azores", "2026-10-25T00:00:00Z"},
		// Samoa had no 30 December 2011.
		{"2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z"},
	} {
		want, err := time.Parse(time.RFC3339Nano, c.want)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []bool{true, false} {
			var s span.Span
			var got time.Time
			if from {
				s, err = span.Parse(c.text, "", c.tz, now)
				got = s.From
			} else {
				s, err = span.Parse("", c.text, c.tz, now)
				got = s.To
			}
			if err != nil || !got.Equal(want) {
				t.Errorf("%s in %q: %s, %v, not %s", c.text, c.tz, got.UTC().Format(time.RFC3339Nano), err, c.want)
			}
			if got.Location() != s.Zone || s.From.IsZero() == s.To.IsZero() {
				t.Errorf("%s in %q: %v", c.text, c.tz, s)
			}
		}
	}
}

func TestParseErrorsNameFlagAndReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, tz, want string }{
		{"", "", "Europe/Londn", `--tz: "Europe/Londn" is no name`},
		{"", "", "Local", `--tz: "Local" is no name`},
		{"", "", "CET", `--tz: "CET" is an offset without summer time to Postgres`},
		{"", "", "../etc/passwd", `--tz: "../etc/passwd" is no name`},
		{"2026-13", "", "", `--from: "2026-13": there is no such`},
		{"2026-02-30", "", "", `--from: "2026-02-30": there is no such`},
		{"", "2026-10-01T25:00", "", `--to: "2026-10-01T25:00": there is no such`},
		{"", "01.10.2026", "", `--to: "01.10.2026" is no time: write it like`},
		{"last week", "", "", `--from: "last week" is no time`},
		{"20260-10", "", "", `--from: "20260-10" is no time`},
		{"1969-12", "", "", `--from: "1969-12": the year`},
		{"", "2201-01", "", `--to: "2201-01": the year`},
		{"2026-10", "2026-10", "", "--to: 2026-10-01T00:00:00Z is not after --from 2026-10-01T00:00:00Z"},
		{"2026-10", "2026-09", "", "--to: 2026-09-01T00:00:00Z is not after"},
	} {
		s, err := span.Parse(c.from, c.to, c.tz, now)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q to %q in %q: %v, %v, not %s", c.from, c.to, c.tz, s, err, c.want)
		}
	}
}

func TestOpenEnds(t *testing.T) {
	t.Parallel()
	s, err := span.Parse("", "", "", now)
	if err != nil || !s.From.IsZero() || !s.To.IsZero() || s.Zone != time.UTC {
		t.Errorf("%v, %v", s, err)
	}
}

func TestMonthAndDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, tz string
		of       func(string, string) (span.Span, error)
		hours    float64
	}{
		{"2026-10", "Europe/London", span.Month, 31*24 + 1},
		{"2026-03", "Europe/London", span.Month, 31*24 - 1},
		{"2026-02", "", span.Month, 28 * 24},
		{"2026-12", "Asia/Kolkata", span.Month, 31 * 24},
		{"2026-10-25", "Europe/London", span.Day, 25},
		{"2026-03-29", "Europe/London", span.Day, 23},
		{"2026-10-25", "Atlantic/Azores", span.Day, 25},
		{"2026-10-24", "Atlantic/Azores", span.Day, 24},
		{"2026-03-29", "Atlantic/Azores", span.Day, 23},
		{"2026-10-31", "Europe/London", span.Day, 24},
	} {
		s, err := c.of(c.name, c.tz)
		if err != nil || s.To.Sub(s.From).Hours() != c.hours || !strings.HasPrefix(s.From.Format(time.RFC3339), c.name) {
			t.Errorf("%s in %q: %v, %v, not %v hours", c.name, c.tz, s, err, c.hours)
		}
	}
	for _, name := range []string{"", "2026", "2026-1", "2026-13", "2026-10-05T00:00", "this-month", "1900-01"} {
		if s, err := span.Month(name, ""); err == nil {
			t.Errorf("month %q: %v", name, s)
		}
	}
	for _, name := range []string{"", "2026-10", "2026-02-29", "today"} {
		if s, err := span.Day(name, ""); err == nil {
			t.Errorf("day %q: %v", name, s)
		}
	}
	if s, err := span.Month("2026-10", "Nowhere"); err == nil {
		t.Errorf("%v", s)
	}
}

// TestDaysTile checks in zones with odd clocks that each day begins where the
// one before ends, and holds exactly the moments that the clocks call that day.
func TestDaysTile(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "Europe/London", "Atlantic/Azores", "America/Havana", "Africa/Cairo", "Asia/Beirut",
		"America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		tz := rapid.SampledFrom(zones).Draw(t, "zone")
		// Not before 1990, when the odd clocks of wars and riots were over.
		day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 60*365).Draw(t, "day"))
		s, err := span.Day(day.Format(time.DateOnly), tz)
		if err != nil {
			t.Fatal(err)
		}
		next, err := span.Day(day.AddDate(0, 0, 1).Format(time.DateOnly), tz)
		if err != nil || !next.From.Equal(s.To) {
			t.Fatalf("%v is followed by %v, %v", s, next, err)
		}
		if s.From.Equal(s.To) {
			return // a day that the zone has not had
		}
		inside := s.From.Add(time.Duration(rapid.Int64Range(0, int64(s.To.Sub(s.From))-1).Draw(t, "inside")))
		if got, want := inside.Format(time.DateOnly), day.Format(time.DateOnly); got != want {
			t.Fatalf("%s is in the day %s", got, want)
		}
	})
}
