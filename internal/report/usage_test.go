package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestUsageBuckets: local days and hours of the weeks in which clocks change.
func TestUsageBuckets(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var calls []aCall
	for i, text := range []string{
		"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", // London goes from 00:59 GMT to 02:00 BST
		"2026-10-24T22:59:59.999999Z", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T23:59:59Z", "2026-10-26T00:00:00Z",
	} {
		calls = append(calls, aCall{Source: "a", CallID: fmt.Sprint(i), At: at(t, text), Cost: known("1"), Currency: "GBP"})
	}
	insert(t, pool, calls...)
	for _, c := range []struct{ from, to, bucket, zone, want string }{
		{"2026-03-29", "2026-03-30", "hour", "Europe/London", "2026-03-29T00:00Z 2026-03-29 00:00+00 1; 2026-03-29T01:00Z 2026-03-29 02:00+01 1"},
		{"2026-10-25", "2026-10-26", "hour", "Europe/London", "2026-10-24T23:00Z 2026-10-25 00:00+01 1; 2026-10-25T00:00Z 2026-10-25 01:00+01 1; 2026-10-25T01:00Z 2026-10-25 01:00+00 1; 2026-10-25T23:00Z 2026-10-25 23:00+00 1"},
		{"2026-10-24", "2026-10-27", "day", "Europe/London", "2026-10-23T23:00Z 2026-10-24 1; 2026-10-24T23:00Z 2026-10-25 4; 2026-10-26T00:00Z 2026-10-26 1"},
		{"2026-10-24", "2026-10-27", "day", "Asia/Kolkata", "2026-10-24T18:30Z 2026-10-25 4; 2026-10-25T18:30Z 2026-10-26 2"},
		{"2026-01-01", "2027-01-01", "month", "Europe/London", "2026-03-01T00:00Z 2026-03 2; 2026-09-30T23:00Z 2026-10 6"},
		{"2026-10-25 01:00", "2026-10-25 02:00", "all", "Europe/London", "2026-10-25T00:00Z 2026-10-25 01:00+01 2"},
		{"2026-10-25", "2026-10-26", "day", "Atlantic/Azores", "2026-10-25T00:00Z 2026-10-25 4"}, // whose midnight comes twice
		{"2026-10-25", "2026-10-26", "all", "Asia/Kathmandu", "2026-10-24T18:15Z 2026-10-25 00:00+05:45 4"},
		{"2026-10-24", "2026-10-25", "all", "America/New_York", "2026-10-24T04:00Z 2026-10-24 00:00-04 4"},
		{"2026-10-25 00:00", "2026-10-25 00:30", "all", "utc", ""},
	} {
		got := lines(t, pool, `SELECT concat_ws(' ', to_char(bucket_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), bucket_local, attempts)
			FROM usage($1::text::timestamp, $2::text::timestamp, $3, $4)`, c.from, c.to, c.bucket, c.zone)
		if all := strings.Join(got, "; "); all != c.want {
			t.Errorf("%s in %s from %s to %s:\n got %s\nwant %s", c.bucket, c.zone, c.from, c.to, all, c.want)
		}
	}
}

// TestUsageUnknown: what is not known is counted and never zero, and currencies
// are never added.
func TestUsageUnknown(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	sixty, six := 60, 6
	insert(
		t, pool,
		aCall{Source: "a", CallID: "1", At: noon, Duration: known("70.5"), Billsec: known("61"), Charged: known("90"), First: &sixty, Next: &sixty, Cost: known("0.10"), Currency: "USD"},
		aCall{Source: "a", CallID: "2", At: noon, Duration: known("70.5"), Billsec: known("61"), First: &sixty, Next: &six, Cost: known("0.015"), Currency: "USD"},
		aCall{Source: "a", CallID: "3", At: noon, Billsec: known("10"), Cost: known("5"), Currency: "EUR"},
		aCall{Source: "a", CallID: "4", At: noon, Disposition: "busy", Currency: "USD"},
		aCall{Source: "a", CallID: "5", At: noon, State: "answered"},
		aCall{Source: "b", CallID: "1", At: noon, Cost: known("7"), Disposition: "no_answer", Billsec: known("0")},
		aCall{Source: "c", CallID: "1", At: noon, Cost: known("1"), Charged: known("0")},
	)
	want := map[string][]string{
		"": {
			"- | EUR | 1 | 1 | - | 10 | - | 1 | 5 | 0", "- | USD | 2 | 2 | 141 | 122 | 156 | 0 | 0.115 | 0",
			"- | - | 3 | 1 | - | 0 | 0 | 0 | - | 3",
		},
		"source": {
			"a | EUR | 1 | 1 | - | 10 | - | 1 | 5 | 0", "a | USD | 2 | 2 | 141 | 122 | 156 | 0 | 0.115 | 0", "a | - | 1 | 0 | - | - | - | 0 | - | 1",
			"b | - | 1 | 0 | - | 0 | - | 0 | 7 | 0", "c | - | 1 | 1 | - | - | 0 | 0 | 1 | 0",
		},
	}
	for round, fresh := range []bool{false, true} {
		if fresh {
			refresh(t, pool, 1)
		}
		for by, rows := range want {
			var dimensions []string
			if by != "" {
				dimensions = append(dimensions, by)
			}
			got := lines(t, pool, `SELECT source, currency, attempts::text, answered::text, trim_scale(duration)::text, trim_scale(billsec)::text,
				trim_scale(billed_sec)::text, billed_unknown::text, trim_scale(cost)::text, cost_unknown::text
				FROM usage('2026-10-05', '2026-10-06', 'day', 'UTC', VARIADIC $1::text[])`, dimensions)
			if !slices.Equal(got, rows) {
				t.Errorf("round %d, by %q:\n%s\nwant\n%s", round, by, strings.Join(got, "\n"), strings.Join(rows, "\n"))
			}
		}
	}
}

func TestReportErrors(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for call, want := range map[string]string{
		"usage('2026-10-01', '2026-11-01', 'day', 'Europe/Londn')":           "usage: 'Europe/Londn' is no time zone",
		"usage('2026-10-01', '2026-11-01', 'day', 'UTC+2')":                  "'UTC+2' is no time zone",
		"usage('2026-10-01', '2026-11-01', 'day', NULL)":                     "null is no time zone",
		"usage('2026-10-01', '2026-11-01', 'week', 'UTC')":                   "usage: 'week' is no bucket: write hour, day, month or all",
		"usage('2026-10-01', '2026-11-01', NULL, 'UTC')":                     "null is no bucket",
		"usage('2026-10-01', '2026-11-01', 'day', 'UTC', 'source', 'tag')":   "'tag' is no dimension: write any of source, provider, account, trunk, direction, country",
		"usage('2026-10-01', '2026-11-01', 'day', 'UTC', NULL)":              "null is no dimension",
		"usage('2026-10-01', '2026-10-01', 'day', 'UTC')":                    "is not before to_time",
		"usage(NULL, '2026-10-01', 'day', 'UTC')":                            "from_time null",
		"usage('-infinity', '2026-10-01', 'day', 'UTC')":                     "from_time -infinity",
		"kpi('2026-10-01', '2026-11-01', 'year', 'UTC')":                     "kpi: 'year' is no bucket",
		"kpi('2026-10-01', '2026-11-01', 'day', 'Mars')":                     "kpi: 'Mars' is no time zone",
		"kpi('2026-10-01', '2026-11-01', 'day', 'UTC', $$a' OR 'a$$)":        "is no dimension",
		"concurrency('2026-10-01', '2026-11-01', 'Mars')":                    "concurrency: 'Mars' is no time zone",
		"concurrency('2026-10-01', '2026-11-01', 'UTC', 'currency')":         "concurrency: 'currency' is no dimension",
		"completeness('2026-10-01', '2026-09-01', 'UTC')":                    "completeness: from_time 2026-10-01 00:00:00 is not before",
		"completeness('2026-10-01', '2026-11-01', 'Mars')":                   "completeness: 'Mars' is no time zone",
		"usage('2026-10-01', '2026-11-01', 'day', 'UTC', 'dst_country')":     "",
		"usage('2026-10-01', '2026-11-01', 'day', 'europe/london')":          "",
		"usage('2026-10-01', '2026-11-01', 'all', 'America/St_Johns')":       "",
		"usage('1970-01-01', '1973-01-01', 'hour', 'Africa/Monrovia')":       "",
		"concurrency('2026-10-01', '2026-11-01', 'UTC', 'country', 'trunk')": "",
	} {
		_, err := pool.Exec(t.Context(), "SELECT * FROM "+call)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", call, err, want)
		}
	}
}

// TestUsageWhereQuartersDoNotFit: Newfoundland's clocks went back at a minute past
// midnight, within a quarter of an hour.
func TestUsageWhereQuartersDoNotFit(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(
		t, pool,
		aCall{Source: "a", CallID: "1", At: at(t, "2010-11-07T02:30:30Z")}, // 00:00:30 on the 7th
		aCall{Source: "a", CallID: "2", At: at(t, "2010-11-07T02:35:00Z")}, // 23:05 on the 6th
		aCall{Source: "a", CallID: "3", At: at(t, "2010-11-07T04:00:00Z")},
	)
	for range 2 {
		got := lines(t, pool, "SELECT bucket_local, attempts::text FROM usage('2010-11-06', '2010-11-08', 'day', 'America/St_Johns')")
		if want := []string{"2010-11-06 | 1", "2010-11-07 | 2"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		refresh(t, pool, 10)
	}
}
