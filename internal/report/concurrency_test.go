package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

const concurrencyTexts = `SELECT to_char(minute AT TIME ZONE 'UTC', 'HH24:MI'), source, direction, peak::text, peak_talking::text
	FROM concurrency($1::text::timestamp, $2::text::timestamp, 'UTC', VARIADIC $3::text[])`

func TestConcurrencyWithinAMinute(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	call := func(id, began, answered, ended string) aCall {
		c := aCall{Source: "a", CallID: id, At: at(t, "2026-10-05T"+began+"Z")}
		if answered != "" {
			c.Answered = new(at(t, "2026-10-05T"+answered+"Z"))
		}
		if ended != "" {
			c.Ended = new(at(t, "2026-10-05T"+ended+"Z"))
		}
		return c
	}
	yesterday := call("0", "10:00:00", "", "12:00:30")
	yesterday.At = yesterday.At.AddDate(0, 0, -3)
	living := call("8", "12:01:00", "", "12:05:00")
	living.State = "answered"
	insert(
		t, pool, yesterday, living,
		call("1", "12:01:00", "12:01:10", "12:01:20"), call("2", "12:01:20", "12:01:21", "12:02:00"), // one after the other, never both
		call("3", "12:03:10", "", "12:05:00"), call("4", "12:03:59.999999", "12:04:30", "12:05:00"),
		call("5", "12:03:00", "", "12:03:00"), // takes no time
		call("6", "12:03:00", "", ""),         // no end is known
		call("7", "12:05:30", "12:05:00", "12:06:10"),
	)
	want := []string{"12:00 | - | - | 1 | 0", "12:01 | - | - | 1 | 1", "12:03 | - | - | 2 | 0", "12:04 | - | - | 2 | 1", "12:05 | - | - | 1 | 1", "12:06 | - | - | 1 | 1"}
	for range 2 {
		if got := lines(t, pool, concurrencyTexts, "2026-10-05 12:00", "2026-10-05 13:00", nil); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		refresh(t, pool, 1)
	}
	if got := lines(t, pool, concurrencyTexts, "2026-10-05 12:04:30", "2026-10-05 12:05", nil); !slices.Equal(got, []string{"12:04 | - | - | 2 | 1"}) {
		t.Errorf("half a minute: %v", got)
	}
}

// TestConcurrencyProperty compares the peaks with looking at every moment.
func TestConcurrencyProperty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			r := rand.New(rand.NewPCG(seed, 2))
			base := at(t, "2026-10-05T12:00:00Z")
			var calls []aCall
			for i := range 150 {
				began := base.Add(time.Duration(r.IntN(360)-120) * 10 * time.Second)
				ended := began.Add(time.Duration(r.IntN(90)) * 10 * time.Second)
				answered := began.Add(time.Duration(r.IntN(9)) * 10 * time.Second)
				c := aCall{Source: []string{"a", "b"}[r.IntN(2)], CallID: fmt.Sprint(i), Direction: []string{"", "inbound"}[r.IntN(2)], At: began, Ended: &ended}
				if r.IntN(2) == 0 {
					c.Answered = &answered
				}
				calls = append(calls, c)
			}
			insert(t, pool, calls...)
			for round := range 3 {
				for _, dimensions := range [][]string{nil, {"source"}, {"source", "direction"}} {
					to := base.Add(time.Duration(5+r.IntN(60)) * time.Minute)
					got := lines(t, pool, concurrencyTexts, wallOf(base, time.UTC), wallOf(to, time.UTC), dimensions)
					want := peaks(calls, base, to, dimensions)
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Fatalf("round %d, by %v until %s:\n%s\nwant\n%s", round, dimensions, to, strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				}
				refreshOnce(t, pool, 60)
			}
		})
	}
}

// peaks looks at every tenth second, at which all calls begin and end.
func peaks(calls []aCall, from, to time.Time, dimensions []string) []string {
	type key struct{ minute, source, direction string }
	busy, talking := map[key]int{}, map[key]int{}
	for m := from; m.Before(to); m = m.Add(10 * time.Second) {
		now, talk := map[key]int{}, map[key]int{}
		for _, c := range calls {
			if m.Before(c.At) || !m.Before(*c.Ended) {
				continue
			}
			k := key{m.Format("15:04"), "-", "-"}
			if slices.Contains(dimensions, "source") {
				k.source = c.Source
			}
			if slices.Contains(dimensions, "direction") {
				k.direction = orElse(c.Direction, "-")
			}
			now[k]++
			if c.Answered != nil && !m.Before(*c.Answered) {
				talk[k]++
			}
		}
		for k, n := range now {
			busy[k], talking[k] = max(busy[k], n), max(talking[k], talk[k])
		}
	}
	var all []string
	for k, n := range busy {
		all = append(all, fmt.Sprintf("%s | %s | %s | %d | %d", k.minute, k.source, k.direction, n, talking[k]))
	}
	slices.Sort(all)
	return all
}
