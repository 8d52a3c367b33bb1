package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestKPI(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	after := func(ms int) *time.Time { return new(noon.Add(time.Duration(ms) * time.Millisecond)) }
	calls := []aCall{
		{Disposition: "answered", Billsec: known("5.999"), SIP: new(200), Started: &noon, Ringing: after(1000)},
		{Disposition: "answered", Billsec: known("6"), SIP: new(200), Started: &noon, Ringing: after(3000)},
		{Disposition: "answered", SIP: new(200), Started: &noon, Ringing: after(9000), Clock: "receiver"},
		{Disposition: "no_answer", Q850: new(19), Started: &noon, Ringing: after(-1000)},
		{Disposition: "busy", SIP: new(486), Q850: new(17)},
		{Disposition: "rejected", SIP: new(603)},
		{Disposition: "rejected", SIP: new(403)},
		{Disposition: "rejected", Hangup: "DECLINED"},
		{Disposition: "cancelled", SIP: new(487), Ringing: after(4000)},
		{Disposition: "cancelled", SIP: new(487)},
		{Disposition: "failed", SIP: new(503)},
		{Disposition: "failed", SIP: new(480)},
		{Disposition: "unknown"},
		{Disposition: "unknown", Q850: new(16)},
		{Disposition: "unknown", SIP: new(480)},
		{Disposition: "unknown", SIP: new(500)},
		{Disposition: "unknown", Hangup: "x", State: "answered"},
	}
	for i := range calls {
		calls[i].Source, calls[i].CallID, calls[i].At = "a", fmt.Sprint(i), noon
		if calls[i].State == "answered" {
			calls[i].Disposition = ""
		}
	}
	insert(t, pool, calls...)
	got := lines(t, pool, `SELECT bucket_local, source, attempts::text, answered::text, asr::text, ner::text, acd::text, pdd_p50::text, pdd_p95::text, pdd_known::text, short_calls::text,
		(SELECT string_agg(concat_ws(' ', c ->> 'calls', c ->> 'cause'), ', ' ORDER BY n) FROM jsonb_array_elements(causes) WITH ORDINALITY AS e (c, n))
		FROM kpi('2026-10-05', '2026-10-06', 'day', 'UTC', 'source')`)
	// Delivered: 3 answered, no answer, busy, 2 of 3 rejected, 1 of 2 cancelled, 2 of 4 unknown.
	want := []string{"2026-10-05 | a | 16 | 3 | 18.75 | 62.50 | 6.00 | 2.000 | 2.900 | 2 | 1 | 3 SIP 200, 2 SIP 480, 2 SIP 487, 1 DECLINED, 1 Q.850 16, 1 Q.850 19, 1 SIP 403, 1 SIP 486, 1 SIP 500, 1 SIP 503"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := lines(t, pool, "SELECT attempts::text FROM kpi('2026-10-06', '2026-10-07', 'all', 'UTC')"); len(got) > 0 {
		t.Errorf("a day without calls: %v", got)
	}
}

// TestKPIGroups: groups whose dimension is not known stand apart, with causes of
// their own.
func TestKPIGroups(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	insert(
		t, pool,
		aCall{Source: "a", CallID: "1", At: noon, Trunk: "t", SIP: new(200)},
		aCall{Source: "a", CallID: "2", At: noon, Disposition: "busy", SIP: new(486)},
		aCall{Source: "a", CallID: "3", At: noon.Add(time.Hour), Trunk: "t", Disposition: "busy"},
	)
	got := lines(t, pool, `SELECT bucket_local, trunk, source, attempts::text, asr::text, acd::text, causes::text FROM kpi('2026-10-05', '2026-10-06', 'hour', 'Asia/Kolkata', 'trunk')`)
	want := []string{
		`2026-10-05 17:00+05:30 | t | - | 1 | 100.00 | - | [{"calls": 1, "cause": "SIP 200"}]`,
		`2026-10-05 17:00+05:30 | - | - | 1 | 0.00 | - | [{"calls": 1, "cause": "SIP 486"}]`,
		`2026-10-05 18:00+05:30 | t | - | 1 | 0.00 | - | [{"calls": 1, "cause": null}]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCompleteness(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO source (name, provider) VALUES ('a', 'didww'), ('silent', 'wavix');
		INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, problems)
		SELECT s, 'c' || m, gen_random_uuid(), 'ended', 'x', '', now(), 'provider', timestamptz '2026-10-05 12:00Z' + m * interval '1 second', now(), d, '{}'
		FROM (VALUES ('a', 0, 1), ('a', 10, 3), ('a', 10, 1), ('a', 70, 2), ('a', 75, 1), ('a', 76, 1), ('a', 78, 1), ('a', 90, 1), ('a', -1, 5), ('a', 3600, 5), ('b', 5, 1)) v (s, m, d);
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries, replayed_at)
		SELECT 'q', gen_random_uuid(), '', 'POST', '', '', '', '', 'x', timestamptz '2026-10-05 12:00Z' + m * interval '1 second', 1, r
		FROM (VALUES (0, NULL::timestamptz), (3599, NULL), (7, now()), (3600, NULL)) v (m, r)`); err != nil {
		t.Fatal(err)
	}
	noon := at(t, "2026-10-05T12:00:00Z")
	insert(
		t, pool,
		aCall{Source: "a", CallID: "1", At: noon, CDRs: 1}, aCall{Source: "a", CallID: "2", At: noon}, aCall{Source: "a", CallID: "3", At: noon, State: "answered"},
		aCall{Source: "a", CallID: "4", At: noon.Add(time.Hour)}, aCall{Source: "c", CallID: "4", Provider: "wavix", At: noon, State: "ringing"},
	)
	got := lines(t, pool, `SELECT source, provider, to_char(first_receipt AT TIME ZONE 'UTC', 'HH24:MI:SS'), to_char(last_receipt AT TIME ZONE 'UTC', 'HH24:MI:SS'), receipts::text, duplicates::text,
		(SELECT string_agg(concat_ws(' ', g ->> 'seconds', left(g ->> 'from', 19)), ', ' ORDER BY n) FROM jsonb_array_elements(gaps) WITH ORDINALITY AS e (g, n)),
		quarantined::text, quarantined_unread::text, calls::text, calls_not_ended::text, calls_without_cdr::text, unpriced::text
		FROM completeness('2026-10-05 13:00', '2026-10-05 14:00', 'Europe/London')`)
	want := []string{
		"a | didww | 12:00:00 | 12:01:30 | 8 | 3 | 60.000 2026-10-05T12:00:10, 12.000 2026-10-05T12:01:18, 10.000 2026-10-05T12:00:00, 5.000 2026-10-05T12:01:10, 2.000 2026-10-05T12:01:16 | 0 | 0 | 3 | 1 | 1 | -",
		"b | - | 12:00:05 | 12:00:05 | 1 | 0 | - | 0 | 0 | 0 | 0 | 0 | -",
		"c | wavix | - | - | 0 | 0 | - | 0 | 0 | 1 | 1 | 0 | -",
		"q | - | - | - | 0 | 0 | - | 3 | 2 | 0 | 0 | 0 | -",
		"silent | wavix | - | - | 0 | 0 | - | 0 | 0 | 0 | 0 | 0 | -",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
