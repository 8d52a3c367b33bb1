package console

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

func TestRates(t *testing.T) {
	t.Parallel()
	at := noon()
	counts := []Count{{Source: "a"}, {Source: "b", Stored: 5}}
	c, _ := newConsole(t, func(o *Options) {
		o.Counts = func() []Count { return slices.Clone(counts) }
		o.Now = func() time.Time { return at }
	})
	for i := range 400 {
		c.sample(at)
		at = at.Add(time.Second)
		counts[0].Stored += int64(i % 2)
		counts[1].Spooled += 4
		counts[1].Deliveries += 2
	}
	read := func(path string) plot {
		var p plot
		a := wantPage(t, get(t, c, path))
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %s", err, a.body)
		}
		return p
	}
	p := read("/now.json?outcome=stored&tz=Asia/Tokyo")
	if len(p.X) != 300 || len(p.Series) != 2 || p.Series[0].Label != "a" || p.Zone != "Asia/Tokyo" || p.X[299] != float64(noon().Unix()+399) {
		t.Fatalf("%d points, %+v", len(p.X), p.Series)
	}
	for i, v := range p.Series[0].Values {
		if v != float64((i+1)%2) || p.Series[1].Values[i] != 0 {
			t.Fatalf("point %d: %v, %v", i, v, p.Series[1].Values[i])
		}
	}
	if p := read("/now.json?outcome=spooled"); p.Series[1].Values[0] != 4 || p.Zone != "UTC" {
		t.Errorf("%+v", p)
	}
	if p := get(t, c, "/now.json?outcome=x"); p.status != 400 {
		t.Errorf("status %d", p.status)
	}
	body := wantPage(t, get(t, c, "/now/part")).body
	for _, want := range []string{`<td class="n">0.49</td>`, `<td class="n">4.00</td>`, `<td class="n">2.00</td>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if strings.Contains(body, "<html") || !strings.Contains(wantPage(t, get(t, c, "/?tz=Asia/Tokyo")).body, "/now.json?outcome=spooled&amp;tz=Asia%2FTokyo") {
		t.Error("the part is a whole page, or the plots are of another zone")
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	now := noon()
	ts := func(back time.Duration) pgtype.Timestamptz {
		return pgtype.Timestamptz{Time: now.Add(-back), Valid: true}
	}
	hourly := db.ConsoleReceiptsRow{WeekCalls: 100, WeekFirst: ts(101 * time.Hour), DayCalls: 20, DayFirst: ts(20 * time.Hour)}
	quick := db.ConsoleReceiptsRow{DayCalls: 3600, DayFirst: ts(2 * time.Hour)}
	for _, c := range []struct {
		name string
		row  db.ConsoleReceiptsRow
		last time.Duration // before now; negative: never
		want string
	}{
		{"an hour of an hourly source", hourly, time.Hour, "receiving"},
		{"not yet four gaps", hourly, 3*time.Hour + 50*time.Minute, "receiving"},
		{"more than four gaps", hourly, 4*time.Hour + 10*time.Minute, "silent for 4 h 10 min"},
		{"many gaps, but under ten minutes", quick, 9*time.Minute + 59*time.Second, "receiving"},
		{"ten minutes", quick, 10 * time.Minute, "silent for 10 min 0 s"},
		{"few calls", db.ConsoleReceiptsRow{DayCalls: 4, DayFirst: ts(time.Hour)}, 50 * time.Minute, "too few calls to tell"},
		{"never", db.ConsoleReceiptsRow{}, -1, "nothing has come in the last 7 days"},
	} {
		last := time.Time{}
		if c.last >= 0 {
			last = now.Add(-c.last)
		}
		if got := speak(c.row, last, now); got.Text != c.want {
			t.Errorf("%s: %q", c.name, got.Text)
		}
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	spool := Spool{Deliveries: 1234, Bytes: 5 << 20, MaxBytes: 8 << 30}
	c, pool := newConsole(t, func(o *Options) {
		o.Spool = func() Spool { return spool }
		o.Counts = func() []Count {
			return []Count{{Source: "acme", LastReceipt: noon().Add(-3 * time.Second)}, {Source: "unheard"}}
		}
	})
	insertSource(t, pool, "acme", "GB")
	insertSource(t, pool, "gone", "")
	for i := range 8 {
		insert(t, pool,
			aCall{id: "hour" + string(rune('a'+i)), disposition: []string{"answered", "busy"}[i%2], at: noon().Add(-time.Duration(10+i) * time.Minute), more: map[string]any{"billsec": 90}},
			aCall{id: "day" + string(rune('a'+i)), disposition: "no_answer", at: noon().Add(-time.Duration(5+i) * time.Hour)},
			aCall{source: "gone", id: "g" + string(rune('a'+i)), disposition: "answered", at: noon().Add(-time.Duration(12*60+i) * time.Minute), more: map[string]any{"billsec": 30}})
	}
	insert(t, pool, aCall{id: "living", at: noon().Add(-time.Hour)}, aCall{id: "lost", at: noon().Add(-25 * time.Hour)})
	body := wantPage(t, get(t, c, "/")).body
	plain := strings.Join(strings.Fields(tagless(body)), " ")
	for _, want := range []string{
		"1 calls in progress", "50.00 % ASR, last hour 50.00 % over 24 hours", "1:30 ACD, last hour 0:50 over 24 hours", "8 calls ended, last hour 24 over 24 hours",
		"1 234 deliveries in the spool 5.0 MiB of 8.0 GiB", "acme 2026-11-20 11:59:57 (3 s ago) receiving", "silent for 12 h 0 min", "unheard – nothing has come in the last 7 days",
		"more than 4 times its usual gap and at least 10 minutes",
	} {
		if !strings.Contains(strings.ReplaceAll(plain, "\u2009", " "), want) {
			t.Errorf("no %q in %s", want, plain)
		}
	}
	if berlin := tagless(get(t, c, "/?tz=Europe/Berlin").body); !strings.Contains(berlin, "2026-11-20 12:59:57") {
		t.Error("times are not in the zone that was chosen")
	}
	spool.Failing = true
	if !strings.Contains(get(t, c, "/now/part").body, "its disk fails") {
		t.Error("a failing spool is not said")
	}
}

func tagless(body string) string {
	var b strings.Builder
	inside := false
	for _, r := range body {
		switch {
		case r == '<':
			inside = true
			b.WriteByte(' ')
		case r == '>':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Without a database the page Now shows what the receiver knows itself, and the
// others say what is wrong.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody:s3cret@127.0.0.1:1/none?connect_timeout=2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	var log strings.Builder
	c, err := New(Options{
		Pool: pool, Log: slog.New(slog.NewTextHandler(&log, nil)), Loopback: true, Now: noon,
		Counts: func() []Count { return []Count{{Source: "acme", LastReceipt: noon().Add(-time.Minute)}} },
		Spool:  func() Spool { return Spool{Deliveries: 77} },
	})
	if err != nil {
		t.Fatal(err)
	}
	body := wantPage(t, get(t, c, "/")).body
	for _, want := range []string{"The database does not answer", "77", "acme", "11:59:00", "not known"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	for _, path := range []string{"/calls", "/calls.csv?number=442079460958", "/call/acme/1", "/quarantine"} {
		p := get(t, c, path)
		if p.status != http.StatusServiceUnavailable || !strings.Contains(p.body, "The database does not answer") || p.header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d", path, p.status)
		}
		if strings.Contains(p.body, "nobody") || strings.Contains(p.body, "127.0.0.1") {
			t.Errorf("%s tells where the database is", path)
		}
	}
	if strings.Contains(log.String(), "s3cret") || strings.Contains(log.String(), "442079460958") {
		t.Errorf("log: %s", &log)
	}
}

func TestStatusIsShared(t *testing.T) {
	t.Parallel()
	at := noon()
	var log strings.Builder
	c, pool := newConsole(t, func(o *Options) {
		o.Now = func() time.Time { return at }
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	insertSource(t, pool, "acme", "")
	get(t, c, "/")
	insertSource(t, pool, "fresh", "")
	if strings.Contains(get(t, c, "/now/part").body, "fresh") {
		t.Error("the database is asked for every page")
	}
	at = at.Add(statusFresh)
	if !strings.Contains(get(t, c, "/now/part").body, "fresh") {
		t.Error("the database is never asked again")
	}
	if _, err := pool.Exec(t.Context(), "ALTER TABLE usage_quarter RENAME TO away"); err != nil {
		t.Fatal(err)
	}
	at = at.Add(statusFresh)
	body := get(t, c, "/now/part").body
	if !strings.Contains(body, "lacks tables") || !strings.Contains(body, "as it was at 2026-11-20 12:00:15") || !strings.Contains(body, "fresh") {
		t.Errorf("after a failure: %s", body)
	}
	// Messages of the server may quote what was searched for, or a row.
	if said := log.String(); !strings.Contains(said, "SQLSTATE 42P01") || strings.Contains(said, "usage_quarter") {
		t.Errorf("log: %s", said)
	}
}

// A late sample is spread over the time that it took, and no rate is negative
// because a clock was set back.
func TestUnevenSamples(t *testing.T) {
	t.Parallel()
	stored := func(c Count) int64 { return c.Stored }
	at := func(seconds int, n int64) sample {
		return sample{noon().Add(time.Duration(seconds) * time.Second), []Count{{Source: "a", Stored: n}}}
	}
	samples := []sample{at(0, 0), at(2, 8), at(1, 9), at(3, 13)}
	p := rates(samples, stored)
	if len(p.X) != 2 || !slices.Equal(p.Series[0].Values, []float64{4, 2}) {
		t.Errorf("%+v", p)
	}
	if m := mean([]sample{at(0, 0), at(4, 8)}, stored); m["a"] != 2 {
		t.Errorf("mean %v", m)
	}
	if p := rates(nil, stored); p.X == nil || p.Series == nil {
		t.Error("nothing must be lists without members")
	}
}
