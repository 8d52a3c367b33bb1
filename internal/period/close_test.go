package period_test

import (
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestCloseRefuses(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	mustClose(t, pool, period.Cost, "2024-03", "Europe/London")
	future := time.Now().AddDate(0, 2, 0).Format("2006-01")
	today := time.Now().UTC().Add(2 * time.Hour).Format("2006-01-02")
	for _, c := range []struct{ side, name, zone, notBefore, want string }{
		{"cost", future, "UTC", "", "it is not over: it ends at " + time.Now().AddDate(0, 2, 0).AddDate(0, 1, 0).Format("2006-01") + "-01T00:00:00Z"},
		{"cost", today, "Pacific/Niue", "", "it is not over"},
		{"cost", "2024-02", "Europe/London", "", "2024-03 is closed, and is later"},
		{"cost", "2024-02-29", "Europe/London", "", "2024-03 is closed, and is later"},
		{"cost", "2024-03-05", "Europe/London", "", "it overlaps 2024-03, which is closed up to 2024-03-31T23:00:00Z"},
		{"cost", "2024-04", "Asia/Kolkata", "", "it overlaps 2024-03, which is closed up to 2024-03-31T23:00:00Z in time zone Europe/London: all periods of a side follow one another, so that it is billed in one zone; use --tz Europe/London"},
		{"cost", "2024-03", "UTC", "", "it was closed in time zone Europe/London, and cannot be closed again in UTC"},
		{"cost", "2024-04", "Europe/London", "2024-01-01", "only the first close"},
		{"cost", "2024-03", "Europe/London", "2024-01-01", "only the first close"},
		{"cost", "2024-04", "Mars/Base", "", `"Mars/Base" is no name of a time zone`},
		{"cost", "2024-04", "", "", "the time zone is missing"},
		{"cost", "2024-13", "UTC", "", `"2024-13"`},
		{"cost", "2024-02-30", "UTC", "", `"2024-02-30"`},
		{"cost", "2024", "UTC", "", `"2024" is no month`},
		{"cost", "", "UTC", "", `"" is no month`},
		{"price", "2024-03", "UTC", "2024-04-01", "not before: 2024-04-01 is after the period"},
		{"price", "2024-03", "UTC", "soon", `not before: "soon" is no day`},
		{"price", "2011-12-30", "Pacific/Apia", "", "there was no such day in Pacific/Apia"},
		{"margin", "2024-03", "UTC", "", `side "margin": there are cost and price`},
	} {
		for _, dry := range []bool{false, true} {
			_, err := period.Close(t.Context(), pool, period.Closing{Side: c.side, Name: c.name, Zone: c.zone, NotBefore: c.notBefore, DryRun: dry})
			wantError(t, err, c.want)
		}
	}
	if n := one(t, pool, "SELECT count(*) FROM period"); n != "1" {
		t.Errorf("%s periods are closed, want 1", n)
	}
}

// TestCloseAgain closes a period twice: the second time nothing changes, even
// where calls have.
func TestCloseAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c1", currency: "USD", cost: "1.50", at: day(t, "2024-03-10T00:00")})
	first := mustClose(t, pool, period.Cost, "2024-03", "UTC")
	put(t, pool, call{source: "s", id: "c2", currency: "USD", cost: "3", at: day(t, "2024-03-10T00:00")})
	again := mustClose(t, pool, period.Cost, "2024-03", "UTC")
	if first.Already || !again.Already || first.Period != again.Period || len(again.Totals) != 1 ||
		*again.Totals[0].Amount != "1.50" || *first.Totals[0].Amount != "1.50" || again.Period.Lines != 1 {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if n := wantSound(t, pool, period.Cost); n != 1 {
		t.Errorf("%d lines pending, want that of the late call", n)
	}
}

// TestGap says where the time between two periods is billed.
func TestGap(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	mustClose(t, pool, period.Cost, "2024-03", "UTC")
	if next := mustClose(t, pool, period.Cost, "2024-04", "UTC"); !next.Gap.IsZero() {
		t.Errorf("a gap at %v", next.Gap)
	}
	if after := mustClose(t, pool, period.Cost, "2024-06", "UTC"); !after.Gap.Equal(day(t, "2024-05-01T00:00")) {
		t.Errorf("a gap at %v, want May", after.Gap)
	}
}

// TestSidesApart closes one side, then the other, with other zones and names.
func TestSidesApart(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c1", currency: "USD", cost: "1.50", at: day(t, "2024-03-10T00:00")})
	mustClose(t, pool, period.Cost, "2024-03", "UTC")
	closed := mustClose(t, pool, period.Price, "2024-03-10", "Europe/London")
	if closed.Period.Lines != 1 || closed.Totals[0].WithoutAmount != 1 || closed.Totals[0].Amount != nil {
		t.Errorf("%+v, want a line without amount: there are no rates", closed)
	}
	periods, err := period.List(t.Context(), pool)
	if err != nil || len(periods) != 2 || periods[0].Side != period.Cost || periods[1].Name != "2024-03-10" {
		t.Errorf("%+v, %v", periods, err)
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c1", currency: "USD", cost: "1.50", at: day(t, "2024-03-10T00:00")})
	put(t, pool, call{source: "s", id: "c2", currency: "USD", at: day(t, "2024-03-10T00:00")})
	put(t, pool, call{source: "s", id: "c3", currency: "USD", cost: "2", at: day(t, "2024-02-10T00:00")})
	dry, err := period.Close(t.Context(), pool, period.Closing{Side: period.Cost, Name: "2024-03", Zone: "UTC", NotBefore: "2024-02-05", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := one(t, pool, "SELECT (SELECT count(*) FROM period) + (SELECT count(*) FROM bill_line)"); n != "0" {
		t.Errorf("a dry run wrote %s rows", n)
	}
	wet, err := period.Close(t.Context(), pool, period.Closing{Side: period.Cost, Name: "2024-03", Zone: "UTC", NotBefore: "2024-02-05"})
	if err != nil {
		t.Fatal(err)
	}
	if !dry.Period.ClosedAt.IsZero() || dry.Period.Lines != 3 || wet.Period.Lines != 3 || dry.Already || wet.Already ||
		!dry.Period.NotBefore.Equal(day(t, "2024-02-05T00:00")) || !wet.Period.NotBefore.Equal(dry.Period.NotBefore) {
		t.Errorf("dry %+v, wet %+v", dry, wet)
	}
	d, w := dry.Totals[0], wet.Totals[0]
	if len(dry.Totals) != 1 || d.Calls != 2 || d.Adjustments != 1 || d.WithoutAmount != 1 || *d.CallsAmount != "1.50" || *d.AdjustmentsAmount != "2" ||
		*d.Amount != "3.50" || w.Calls != 2 || w.Adjustments != 1 || w.WithoutAmount != 1 || *w.Amount != "3.50" {
		t.Errorf("dry %+v, wet %+v", d, w)
	}
	again, err := period.Close(t.Context(), pool, period.Closing{Side: period.Cost, Name: "2024-03", Zone: "UTC", DryRun: true})
	if err != nil || !again.Already {
		t.Errorf("a dry run of what is closed: %+v, %v", again, err)
	}
}

// TestZones closes months and days whose ends are not where UTC has them, also
// days that begin at one o'clock because the clocks skip midnight.
func TestZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, name, from, to string }{
		{"Europe/London", "2024-03", "2024-03-01T00:00:00Z", "2024-03-31T23:00:00Z"},
		{"Europe/London", "2024-10", "2024-09-30T23:00:00Z", "2024-11-01T00:00:00Z"},
		{"Europe/London", "2024-03-31", "2024-03-31T00:00:00Z", "2024-03-31T23:00:00Z"},
		{"Europe/London", "2024-10-27", "2024-10-26T23:00:00Z", "2024-10-28T00:00:00Z"},
		{"Asia/Kolkata", "2024-10", "2024-09-30T18:30:00Z", "2024-10-31T18:30:00Z"},
		{"America/Asuncion", "2023-10-01", "2023-10-01T04:00:00Z", "2023-10-02T03:00:00Z"},
		{"America/Asuncion", "2023-10", "2023-10-01T04:00:00Z", "2023-11-01T03:00:00Z"},
		{"Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"},
	} {
		t.Run(c.zone+" "+c.name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			from, to := moment(t, c.from), moment(t, c.to)
			put(t, pool, call{source: "s", id: "before", cost: "1", at: from.Add(-time.Microsecond)})
			put(t, pool, call{source: "s", id: "first", cost: "2", at: from})
			put(t, pool, call{source: "s", id: "last", cost: "4", at: to.Add(-time.Microsecond)})
			put(t, pool, call{source: "s", id: "after", cost: "8", at: to})
			closed := mustClose(t, pool, period.Cost, c.name, c.zone)
			if !closed.Period.From.Equal(from) || !closed.Period.To.Equal(to) {
				t.Errorf("from %v to %v", closed.Period.From, closed.Period.To)
			}
			total := closed.Totals[0]
			if total.Calls != 2 || *total.CallsAmount != "6" || total.Adjustments != 1 || *total.AdjustmentsAmount != "1" {
				t.Errorf("%d calls of %s, %d adjustments of %s", total.Calls, *total.CallsAmount, total.Adjustments, *total.AdjustmentsAmount)
			}
		})
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
