package report

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// saveCase stores all deliveries of a case.
func saveCase(t testing.TB, pool *pgxpool.Pool, c testcase.Case, source string) {
	t.Helper()
	adapter, ok := provider.ByName(c.Provider)
	if !ok {
		t.Fatalf("no adapter %q", c.Provider)
	}
	s := store.New(pool, slog.New(slog.DiscardHandler))
	for i := range c.Deliveries {
		d := c.Delivery(i)
		d.Source = source
		if _, err := s.Save(t.Context(), adapter.Read(d)); err != nil {
			t.Fatal(err)
		}
	}
}

func caseNamed(t testing.TB, name string) testcase.Case {
	t.Helper()
	for _, c := range testcase.Load(t) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no case %s", name)
	return testcase.Case{}
}

// TestLegsAddUpToCalls: in every case the records that count are those of the
// call, and each event of a call has its place in the timeline.
func TestLegsAddUpToCalls(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, c := range testcase.Load(t) {
		saveCase(t, pool, c, c.Name)
	}
	for _, line := range lines(t, pool, `
		SELECT to_jsonb(x)::text FROM (
			SELECT c.source, c.call_id, c.cdrs, l.n, c.cost, l.cost AS leg_cost, c.tax, l.tax AS leg_tax, c.charged_sec, l.charged_sec AS leg_charged_sec
			FROM call c LEFT JOIN (SELECT source, call_id, count(*) AS n, sum(cost) AS cost, sum(tax) AS tax, sum(charged_sec) AS charged_sec, count(DISTINCT currency) AS currencies
				FROM leg GROUP BY source, call_id) l USING (source, call_id)
			WHERE c.cdrs <> coalesce(l.n, 0) OR c.charged_sec IS DISTINCT FROM l.charged_sec
			   OR coalesce(l.currencies, 0) < 2 AND (c.cost IS DISTINCT FROM l.cost OR c.tax IS DISTINCT FROM l.tax)) x`) {
		t.Errorf("a call and its legs differ: %s", line)
	}
	for _, line := range lines(t, pool, `
		SELECT to_jsonb(e)::text FROM event e JOIN call c USING (source, call_id)
		WHERE (SELECT count(*) FROM call_timeline t WHERE t.source = e.source AND t.call_id = e.call_id AND t.event_id = e.event_id) <> 1`) {
		t.Errorf("not once in the timeline: %s", line)
	}
	for _, view := range []string{"cdr_asterisk", "cdr_cgrates", "cdr"} {
		if got := lines(t, pool, "SELECT ((SELECT count(*) FROM "+view+") = (SELECT count(*) FROM call WHERE state = 'ended'))::text"); got[0] != "true" {
			t.Errorf("%s has not one row per ended call", view)
		}
	}
}

func TestTimelineOfALeg(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	saveCase(t, pool, caseNamed(t, "piopiy/stream-touches-nothing"), "piopiy")
	got := lines(t, pool, `SELECT kind, leg, to_char(at AT TIME ZONE 'UTC', 'MI:SS.MS'), seconds::text, provider_kind, says
		FROM call_timeline WHERE source = 'piopiy' AND call_id = '1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9'`)
	want := []string{
		"answered | a | 00:05.456 | 5.456 | in_answered | answered, 441174960123 to 442079460100",
		"stream | b | 00:07.111 | 7.111 | stream_connected | -",
		"stream | b | 00:15.111 | 15.111 | stream_disconnected | -",
		"stream | b | 00:16.111 | 16.111 | stream_error | -",
		"cdr | b | 00:18.000 | 18.000 | cdr:answered | ended, answered, 441174960123 to 442079460100, talked 11 s",
		"cdr | a | 00:18.000 | 18.000 | cdr:answered | ended, answered, 441174960123 to 442079460100, talked 13 s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A payload that ->> cannot read, and one without payload: the record key names the leg too.
	for _, payload := range []string{`{"cmiuuid": "2c3d4e5f-6071-4829-93a4-b5c6d7e8f90a", "from": "\u0000"}`, `{"x": "\ud800"}`, `[1]`} {
		if _, err := pool.Exec(t.Context(), "UPDATE event SET payload = $1 WHERE kind <> 'stream'", payload); err != nil {
			t.Fatal(err)
		}
		if n := lines(t, pool, "SELECT count(*)::text FROM call_timeline WHERE call_id = '1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9' AND kind = 'stream'"); n[0] != "3" {
			t.Errorf("with payload %s it shows %s stream events", payload, n[0])
		}
	}
}

// TestTimelineOrder: what happened at one moment is in the order of a call's
// life, and a CDR stands at its end.
func TestTimelineOrder(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	insert(t, pool, aCall{Source: "a", CallID: "1", At: noon}, aCall{Source: "a", CallID: "2", At: noon})
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at, last_received_at, deliveries, facts, problems)
		SELECT 'a', '1', gen_random_uuid(), k, k, '', CASE k WHEN 'cdr' THEN 'r' END, timestamptz '2026-10-05 12:00Z' + s * interval '1 second', 'provider', now(), now(), 1, f::jsonb, '{}'
		FROM (VALUES ('ended', 9, NULL), ('cdr', 0, '{"ended_at": "2026-10-05T12:00:09Z"}'), ('answered', 3, NULL), ('ringing', 3, NULL), ('started', 3, NULL), ('started', -2, NULL), ('cdr', 0, '{"ended_at": "soon"}')) v (k, s, f)`); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines(t, pool, "SELECT kind || ' ' || seconds FROM call_timeline WHERE source = 'a' AND call_id = '1'"), ", ")
	if want := "started -2.000, cdr 0.000, started 3.000, ringing 3.000, answered 3.000, ended 9.000, cdr 9.000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLegVersions: the version received last counts, an imported one only alone,
// and a value that cannot be read is null.
func TestLegVersions(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at, last_received_at, deliveries, facts, problems)
		SELECT 'a', call, id::uuid, 'cdr', 'cdr', coalesce(substring(key FROM '/([0-9])$'), ''), key, now(), 'provider', timestamptz '2026-10-05 12:00Z' + s * interval '1 second', now() + (100 - s) * interval '1 hour', 1, f::jsonb, '{}'
		FROM (VALUES
			('1', 'r', '00000000-0000-0000-0000-000000000001', 1, '{"cost": "1"}'), ('1', 'r', '00000000-0000-0000-0000-000000000002', 2, '{"cost": "2"}'),
			('1', 'r', '00000000-0000-0000-0000-000000000003', 3, '{"cost": "3", "imported": true}'), ('1', 'r', '00000000-0000-0000-0000-000000000004', 4, NULL),
			('1', 's', '00000000-0000-0000-0000-000000000005', 0, '{"cost": 0.50}'),
			('2', 'r', '00000000-0000-0000-0000-000000000001', 1, '{"cost": "5", "imported": true}'), ('2', 'r', '00000000-0000-0000-0000-000000000002', 1, '{"cost": "6", "imported": true}'),
			('4', 'id', '00000000-0000-0000-0000-000000000001', 1, '{"cost": "7", "started_at": "2026-10-05T12:00:00.5Z"}'),
			('4', '4/2026-10-05T12:00:00Z', '00000000-0000-0000-0000-000000000002', 2, '{"cost": "7", "started_at": "2026-10-05T12:00:00Z", "imported": true}'),
			('4', '4/2026-10-05T12:00:09Z', '00000000-0000-0000-0000-000000000003', 2, '{"cost": "8", "started_at": "2026-10-05T12:00:09Z", "imported": true}'),
			('4', 'other', '00000000-0000-0000-0000-000000000004', 2, '{"cost": "9", "started_at": "2026-10-05T12:00:09.9Z", "imported": true}'),
			('4', 'third', '00000000-0000-0000-0000-000000000005', 2, '{"cost": "10", "started_at": "2026-10-05T12:00:00Z", "imported": true}'),
			('5', 'id', '00000000-0000-0000-0000-000000000001', 1, '{"cost": "7", "started_at": "2026-10-05T12:00:00.5Z"}'),
			('5', '5/1', '00000000-0000-0000-0000-000000000002', 1, '{"cost": "8", "started_at": "2026-10-05T12:00:00Z", "imported": true}'),
			('5', '5/2', '00000000-0000-0000-0000-000000000003', 1, '{"cost": "9", "started_at": "2026-10-05T12:00:09Z", "imported": true}'),
			('3', 'r', '00000000-0000-0000-0000-000000000001', 1, '{"cost": "NaN", "tax": "1e5", "rate": true, "billsec": "", "charged_sec": [1], "duration": "-1.5", "sip_code": "99999999999", "first_increment": "1.5", "next_increment": " 6", "q850_cause": 16,
				"started_at": "2026-02-30T10:00:00Z", "ringing_at": "2026-02-28T24:00:00Z", "answered_at": "yesterday", "ended_at": "2024-02-29T10:00:00.123456789+05:30", "machine_detected": "maybe", "src": {"a": 1}}')
		) v (call, key, id, s, f)`); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines(t, pool, "SELECT concat_ws(' ', call_id, record_key, cost, imported) FROM leg WHERE call_id <> '3' ORDER BY call_id, record_key"), ", ")
	if want := "1 r 2 f, 1 s 0.50 f, 2 r 6 t, 4 id 7 f, 4 other 9 t, 4 third 10 t, 5 5/2 9 t, 5 id 7 f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	odd := lines(t, pool, `SELECT jsonb_strip_nulls(to_jsonb(l) - ARRAY['source','call_id','record_key','leg','event_id','received_at','last_received_at','deliveries','problems','imported'])::text
		FROM (SELECT * FROM leg WHERE call_id = '3') l`)
	if want := `{"src": "{\"a\": 1}", "duration": -1.5, "ended_at": "2024-02-29T04:30:00.123457+00:00", "q850_cause": 16}`; len(odd) != 1 || odd[0] != want {
		t.Errorf("got %s, want %s", odd, want)
	}
}

func TestForeignNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	insert(
		t, pool,
		aCall{Source: "a", CallID: "1", At: noon, Duration: known("70.9"), Billsec: known("60.999"), Cost: known("0.12345"), Currency: "USD", Account: "acc", Trunk: "t", Direction: "inbound", Answered: &noon, Ended: &noon},
		aCall{Source: "a", CallID: "2", At: noon, Disposition: "cancelled"}, aCall{Source: "a", CallID: "3", At: noon, Disposition: "rejected"},
		aCall{Source: "a", CallID: "4", At: noon, Disposition: "unknown"}, aCall{Source: "a", CallID: "5", At: noon, Disposition: "failed", Billsec: known("99999999999999999999")},
		aCall{Source: "a", CallID: "6", At: noon, Disposition: "busy"}, aCall{Source: "a", CallID: "7", At: noon, Disposition: "no_answer"}, aCall{Source: "a", CallID: "8", At: noon, State: "ringing"},
		aCall{Source: "a", CallID: "9", At: noon}, aCall{Source: "a", CallID: "91", At: noon, Disposition: "unknown", Billsec: known("7")},
	)
	if _, err := pool.Exec(t.Context(), `UPDATE call SET src = '44', dst = '1', src_name = 'Ann', parent_call_id = 'p', dst_e164 = '+1' WHERE call_id = '1';
		UPDATE call SET src_name = 'Ann' WHERE call_id = '2'; UPDATE call SET src = '44', tag = 'x' WHERE call_id = '3'`); err != nil {
		t.Fatal(err)
	}
	got := lines(t, pool, `SELECT concat_ws('|', uniqueid, clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, coalesce(duration::text, '-'), coalesce(billsec::text, '-'), disposition, amaflags, accountcode, userfield, linkedid, sequence, answer IS NULL)
		FROM cdr_asterisk ORDER BY 1`)
	want := []string{
		`1|"Ann" <44>|44|1|inbound|a/1|a/t|Dial|1|70|60|ANSWERED|3|acc||p|0|f`, `2|"Ann"||||a/2||Dial||-|0|NO ANSWER|3|||2|0|t`, `3|44|44|||a/3||Dial||-|0|BUSY|3||x|3|0|t`,
		`4|||||a/4||Dial||-|-|NO ANSWER|3|||4|0|t`, `5|||||a/5||Dial||-|2147483647|FAILED|3|||5|0|t`, `6|||||a/6||Dial||-|0|BUSY|3|||6|0|t`, `7|||||a/7||Dial||-|0|NO ANSWER|3|||7|0|t`,
		`91|||||a/91||Dial||-|7|ANSWERED|3|||91|0|t`, `9|||||a/9||Dial||-|-|ANSWERED|3|||9|0|t`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	names := lines(t, pool, `SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid IN ('cdr_asterisk'::regclass, 'cdr_cgrates'::regclass) AND attnum > 0 GROUP BY attrelid ORDER BY attrelid`)
	wantNames := []string{
		"calldate timestamp with time zone, clid text, src text, dst text, dcontext text, channel text, dstchannel text, lastapp text, lastdata text, duration integer, billsec integer, disposition text, amaflags integer, accountcode text, uniqueid text, userfield text, start timestamp with time zone, answer timestamp with time zone, end timestamp with time zone, peeraccount text, linkedid text, sequence integer",
		"id bigint, cgrid text, run_id text, origin_host text, source text, origin_id text, tor text, request_type text, tenant text, category text, account text, subject text, destination text, setup_time timestamp with time zone, answer_time timestamp with time zone, usage bigint, extra_fields jsonb, cost_source text, cost numeric, cost_details jsonb, extra_info text, created_at timestamp with time zone, updated_at timestamp with time zone, deleted_at timestamp with time zone",
	}
	if !slices.Equal(names, wantNames) {
		t.Errorf("columns are\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(wantNames, "\n"))
	}
	got = lines(t, pool, `SELECT concat_ws('|', origin_id, origin_host, source, account, subject, destination, coalesce(usage::text, '-'), cost_source, coalesce(cost::text, '-'), length(cgrid), id > 0, extra_fields)
		FROM cdr_cgrates WHERE origin_id IN ('1', '2', '5', '9') ORDER BY origin_id`)
	want = []string{
		`1|a|a|acc|44|+1|60999000000|a|0.12345|40|t|{"dst": "1", "src": "44", "trunk": "t", "currency": "USD", "duration": "70.9", "src_name": "Ann", "direction": "inbound", "disposition": "answered", "parent_call_id": "p"}`,
		`2|a|a||||0||-|40|t|{"src_name": "Ann", "disposition": "cancelled"}`,
		`5|a|a||||9223372036854775807||-|40|t|{"disposition": "failed"}`,
		`9|a|a||||-||-|40|t|{"disposition": "answered"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestEverythingIsCommented: whoever reads the schema finds units and zones.
func TestEverythingIsCommented(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, line := range lines(t, pool, `
		SELECT format('%s %s', c.relname, a.attname)::text FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relname IN ('leg', 'call_timeline', 'cdr_asterisk', 'cdr_cgrates', 'usage_call', 'usage_quarter', 'usage_stale', 'usage_state')
		  AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
		UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND obj_description(p.oid) IS NULL`) {
		t.Errorf("no comment on %s", line)
	}
}
