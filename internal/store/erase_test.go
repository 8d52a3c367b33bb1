package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// TestEraseEveryNumber erases one number after the other from the rows of all
// cases, of which some are pruned. After each no table may hold its digits, and
// every call must be the fold of its events; at the end the retries of all
// records must not bring one back.
func TestEraseEveryNumber(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	mustPrune(t, s, store.Pruning{Before: testcase.Start().Add(30 * time.Second)})
	money := texts(t, pool, `SELECT source || call_id || concat_ws(' ', state, disposition, cost, billsec, duration, charged_sec, rate, call_time) FROM call ORDER BY 1`)
	numbers := texts(t, pool, `SELECT DISTINCT n FROM (SELECT src_e164 FROM call UNION SELECT dst_e164 FROM call UNION SELECT '+12025550123') x (n) WHERE n IS NOT NULL`)
	if len(numbers) < 5 {
		t.Fatalf("the cases have only the numbers %v", numbers)
	}
	events := number(t, pool, `SELECT count(*) FROM event`)
	for _, n := range numbers {
		would, err := s.Erase(t.Context(), n, true, silent)
		if err != nil {
			t.Fatal(err)
		}
		did, err := s.Erase(t.Context(), n, false, silent)
		if err != nil || did.Kept > 0 {
			t.Errorf("%s: %+v, %v", n, did, err)
		}
		if would != did {
			t.Errorf("%s: dry run: %+v\nbut then: %+v", n, would, did)
		}
		wantNowhere(t, pool, national(n))
		wantConsistent(t, s)
		if again, _ := s.Erase(t.Context(), n, false, silent); again != (store.Erased{Unsearched: did.Unsearched}) {
			t.Errorf("%s: a second time: %+v", n, again)
		}
	}
	after := texts(t, pool, `SELECT source || call_id || concat_ws(' ', state, disposition, cost, billsec, duration, charged_sec, rate, call_time) FROM call ORDER BY 1`)
	if !slices.Equal(money, after) {
		t.Error("an amount, a time or an outcome has changed")
	}
	if n := saveCases(t, s, 0); n > 0 {
		t.Errorf("%d retries were new", n)
	}
	if n := number(t, pool, `SELECT count(*) FROM event`); n != events {
		t.Errorf("%d events, want %d", n, events)
	}
	for _, n := range numbers {
		wantNowhere(t, pool, national(n), "message", "recording", "quarantine")
	}
	wantConsistent(t, s)
}

// national returns the digits after the country, as far as the cases need it.
func national(e164 string) string {
	for _, country := range []string{"+44", "+1", "+91", "+49", "+33", "+31", "+39"} {
		if rest, ok := strings.CutPrefix(e164, country); ok {
			return rest
		}
	}
	return strings.TrimPrefix(e164, "+")
}

// wantNowhere looks for digits in every column that can hold text, without what
// people write between them.
func wantNowhere(t testing.TB, pool *pgxpool.Pool, digits string, but ...string) {
	t.Helper()
	for _, c := range texts(t, pool, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version' AND data_type IN ('text', 'json', 'jsonb', 'bytea', 'ARRAY') ORDER BY 1`) {
		table, column, _ := strings.Cut(c, ".")
		if slices.Contains(but, table) {
			continue
		}
		text := column + "::text"
		if c == "quarantine.body" {
			text = "encode(body, 'escape')"
		}
		if n := number(t, pool, fmt.Sprintf(`SELECT count(*) FROM %s WHERE strpos(translate(%s, ' ()-./', ''), '%s') > 0`, table, text, digits)); n > 0 {
			t.Errorf("%s: %d rows of %s still hold it", digits, n, c)
		}
	}
}

func texts(t testing.TB, pool *pgxpool.Pool, sql string) []string {
	t.Helper()
	rows, err := pool.Query(context.WithoutCancel(t.Context()), sql)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEraseOddPlaces puts a number where adapters seldom do.
func TestEraseOddPlaces(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	at := testcase.Start()
	r := stageOf(1, 1, at)
	e := &r.Events[0]
	e.Leg, e.Problems, e.Payload = "out:+44 20 7946 0123", []string{"CallFlow: 02079460123"}, []byte(`{"x":"\u00302079460123"}`)
	e.Facts.Tag, e.Facts.Trunk, e.Facts.Account, e.Facts.SrcName = "for 020-7946-0123", "sip:442079460123@pbx", "442079460123", "Jane Roe"
	kept := stageOf(2, 1, at)
	kept.Events[0].CallID, kept.Events[0].Facts.Src, kept.Events[0].Facts.SrcE164 = "442079460123-1", "", ""
	stream := stageOf(3, 1, at)
	stream.Events[0].Facts, stream.Events[0].Payload = nil, []byte(`{"to":"00442079460123"}`)
	other := stageOf(4, 1, at)
	other.Events[0].Facts.Src, other.Events[0].Facts.SrcE164, other.Events[0].Facts.SrcName = "442079460124", "+442079460124", "Joe"
	more := cdr.Record{
		Recordings: []cdr.Recording{
			{Source: "s", CallID: "c", RecordingID: "https://x/442079460123.mp3", URL: "https://x/442079460123.mp3?s=1", Payload: []byte(`{}`)},
			{Source: "s", CallID: "c", RecordingID: "https://x/1.mp3", URL: "https://x/1.mp3", Payload: []byte(`{"src":"442079460123"}`)},
		},
		Messages: []cdr.Message{{Source: "s", MessageID: "m", Src: "442079460123", Dst: "14155550100", Body: "hello", Payload: []byte(`{}`)}},
	}
	more.SetReceipt(at)
	rejects := []cdr.Record{more, r, kept, stream, other}
	for _, body := range []string{"src=%2B44%2020%207946%200123", "2\x000\x007\x009\x004\x006\x000\x001\x002\x003\x00", "innocent"} {
		bad := cdr.Record{Raw: []byte(body), Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: at}}
		bad.SetAside("unreadable")
		rejects = append(rejects, bad)
	}
	zipped := cdr.Record{Raw: []byte("\x1f\x8b?"), Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: at, ContentEncoding: "gzip", BodyProblem: "broken"}}
	zipped.SetAside("broken")
	if _, err := s.Save(t.Context(), append(rejects, zipped)); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO bill_line (side, period, source, call_id, line, kind, account, trunk, stands, call_time, disposition)
		VALUES ('cost', '2026-10', 's', 'b', 1, 'call', NULL, 'sip:442079460123@pbx', true, now(), 'answered'),
		       ('cost', '2026-11', 's', 'b', 2, 'adjustment', '020 7946 0123', NULL, true, now(), 'answered'),
		       ('cost', '2026-10', 's', '442079460123-2', 1, 'call', NULL, NULL, true, now(), 'answered'),
		       ('price', '2026-10', 's', 'b', 1, 'call', 'acme', NULL, true, now(), 'answered')`); err != nil {
		t.Fatal(err)
	}
	did, err := s.Erase(t.Context(), "0044 20 7946 0123", false, silent)
	want := store.Erased{Calls: 1, Events: 2, Recordings: 2, Messages: 1, Quarantine: 2, Unread: 2, Kept: 2, Billed: 3, Unsearched: 1}
	if err != nil || did != want {
		t.Errorf("%+v, %v\nwant %+v", did, err, want)
	}
	if _, err := pool.Exec(t.Context(), `DELETE FROM event WHERE call_id = '442079460123-1'; DELETE FROM call WHERE call_id = '442079460123-1';
		DELETE FROM bill_line`); err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, pool, "2079460123")
	for what, sql := range map[string]string{
		"the neighbour's number and name": `SELECT count(*) FROM call WHERE src = '442079460124' AND src_name = 'Joe'`,
		"the other party of the message":  `SELECT count(*) FROM message WHERE src IS NULL AND dst = '14155550100' AND body IS NULL`,
		"the recording elsewhere":         `SELECT count(*) FROM recording WHERE url = 'https://x/1.mp3' AND payload IS NULL`,
		"the caller's name gone":          `SELECT count(*) FROM call WHERE call_id = 'call-00001' AND src_name IS NULL AND src IS NULL AND legs = 1`,
	} {
		if n := number(t, pool, sql); n != 1 {
			t.Errorf("%s: %d rows, want 1", what, n)
		}
	}
	wantConsistent(t, s)
}
