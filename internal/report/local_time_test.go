package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/span"
)

// clockChange is a moment at which the clocks of a zone change by so much.
type clockChange struct {
	zone *time.Location
	at   time.Time
	by   time.Duration
}

// clockChanges lists those of every zone that Postgres knows, from 1970 until 2024.
func clockChanges(t *testing.T, pool *pgxpool.Pool) []clockChange {
	t.Helper()
	rows, err := pool.Query(t.Context(), "SELECT name FROM pg_timezone_names WHERE name !~ '^posix' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all []clockChange
	for _, name := range names {
		zone, err := span.Zone(name)
		if err != nil {
			continue
		}
		at := time.Unix(0, 0).In(zone)
		for {
			_, end := at.ZoneBounds()
			if end.IsZero() || end.Year() > 2024 {
				break
			}
			_, before := at.Zone()
			_, after := end.Zone()
			all = append(all, clockChange{zone, end, time.Duration(after-before) * time.Second})
			at = end
		}
	}
	if len(all) < 10_000 {
		t.Fatalf("only %d changes of clocks are known", len(all))
	}
	return all
}

// TestLocalTimesMeanTheSame holds span.Local against the SQL function local_moment
// where clocks change: before, within and after what they skip or show twice, and
// at midnight.
func TestLocalTimesMeanTheSame(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var zones, walls []string
	var want []time.Time
	ask := func(zone *time.Location, wall time.Time) {
		zones, walls = append(zones, zone.String()), append(walls, wall.Format("2006-01-02 15:04:05"))
		want = append(want, span.Local(wall, zone))
	}
	for i, c := range clockChanges(t, pool) {
		if i%5 > 0 && c.by%time.Hour == 0 {
			continue // a fifth of the usual ones, and all others
		}
		_, offset := c.at.Zone()
		after := c.at.UTC().Add(time.Duration(offset) * time.Second)
		before := after.Add(-c.by)
		for _, wall := range []time.Time{before, after, before.Add(c.by / 2), before.Add(-time.Second), after.Add(time.Second), after.Truncate(24 * time.Hour)} {
			ask(c.zone, wall)
		}
	}
	for _, c := range []struct{ zone, wall, want string }{
		{"America/Santiago", "2025-09-07 00:00:00", "2025-09-07T04:00:00Z"},
		{"America/Havana", "2025-03-09 00:00:00", "2025-03-09T05:00:00Z"},
		{"Atlantic/Azores", "2025-03-30 00:00:00", "2025-03-30T01:00:00Z"},
		{"Asia/Amman", "2021-10-29 00:00:00", "2021-10-28T21:00:00Z"},
		{"America/New_York", "2025-03-09 02:30:00", "2025-03-09T07:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		wall, err := time.Parse(time.DateTime, c.wall)
		if err != nil {
			t.Fatal(err)
		}
		if got := span.Local(wall, zone).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.wall, c.zone, got, c.want)
		}
		ask(zone, wall)
	}
	rows, err := pool.Query(t.Context(), "SELECT local_moment(w, z) FROM unnest($1::timestamp[], $2::text[]) WITH ORDINALITY AS u (w, z, n) ORDER BY n", walls, zones)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d moments of %d: %v", len(got), len(want), err)
	}
	for i := range got {
		if !got[i].Equal(want[i]) {
			t.Errorf("%s in %s is %s in SQL, and %s on the command line", walls[i], zones[i], got[i].UTC(), want[i].UTC())
		}
	}
}

// TestHoursFollowEachOther: the hour of a moment begins at or before it, and no
// hour begins within another, where clocks change by less than an hour or at an
// odd minute.
func TestHoursFollowEachOther(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var zones []string
	var around []time.Time
	for i, c := range clockChanges(t, pool) {
		if c.by%time.Hour != 0 || c.at.Minute() != 0 || i%100 == 0 {
			zones, around = append(zones, c.zone.String()), append(around, c.at)
		}
	}
	rows, err := pool.Query(t.Context(), `
		SELECT format('%s: hour %s of %s, and %s of 5 minutes before', z, b, at, before)
		FROM (
			SELECT z, at, local_hour(at, z) AS b, lag(local_hour(at, z)) OVER (PARTITION BY z, c ORDER BY at) AS before,
			       lag(at) OVER (PARTITION BY z, c ORDER BY at) AS at_before
			FROM unnest($1::text[], $2::timestamptz[]) AS u (z, c), generate_series(c - interval '3 hours', c + interval '3 hours', '5 minutes') AS at
		) s
		WHERE b > at OR at - b >= interval '1 hour' OR b < before OR b > before AND b <= at_before OR local_hour(b, z) <> b`, zones, around)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(around) < 100 {
		t.Fatalf("%d changes: %v", len(around), err)
	}
	for _, w := range wrong[:min(len(wrong), 10)] {
		t.Error(w)
	}
}

// TestHoursOfLordHowe: usage by hour where clocks change by half an hour.
func TestHoursOfLordHowe(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO call (source, call_id, provider, state, disposition, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		SELECT 's', at::text, 'wavix', 'ended', 'answered', at, 'provider', 0, 1, 1, 1, now(), now(), now()
		FROM unnest(ARRAY['2025-04-05 14:10Z', '2025-04-05 14:50Z', '2025-04-05 15:10Z', '2025-04-05 15:40Z',
		                  '2025-10-04 15:10Z', '2025-10-04 15:40Z', '2025-10-04 16:10Z']::timestamptz[]) AS at`); err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string][]string{
		"2025-04-06": {"2025-04-05T14:00:00Z 2", "2025-04-05T15:00:00Z 1", "2025-04-05T15:30:00Z 1"},
		"2025-10-05": {"2025-10-04T14:30:00Z 1", "2025-10-04T15:30:00Z 1", "2025-10-04T16:00:00Z 1"},
	} {
		for _, kind := range []string{"usage", "kpi"} {
			var out bytes.Buffer
			next := strings.NewReplacer("04-06", "04-07", "10-05", "10-06").Replace(day)
			r := Request{Kind: kind, From: day, To: next, Zone: "Australia/Lord_Howe", By: []string{"hour"}, Format: "csv"}
			if err := Run(t.Context(), pool, r, time.Now(), &out); err != nil {
				t.Fatal(err)
			}
			lines, err := csv.NewReader(&out).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			attempts := slices.Index(lines[0], "attempts")
			var got []string
			for _, line := range lines[1:] {
				got = append(got, fmt.Sprint(line[0], " ", line[attempts]))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: %q, want %q", kind, day, got, want)
			}
		}
	}
}
