package console

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// told is an event that says something about call "c" of source "acme". Its
// receipt follows from its number.
func told(n byte, kind cdr.Kind, leg string, f cdr.Facts) cdr.Event {
	f.Provider = "wavix"
	e := cdr.Event{
		Source: "acme", CallID: "c", ID: [16]byte{n}, Kind: kind, ProviderKind: string(kind), Leg: leg, OccurredAt: noon().Add(time.Duration(n) * time.Second),
		Clock: cdr.ClockProvider, ReceivedAt: noon().Add(time.Minute * time.Duration(n)), Deliveries: 1, Facts: &f, Payload: []byte(`{"n":1}`),
	}
	e.LastReceivedAt = e.ReceivedAt
	if kind == cdr.KindCDR {
		e.RecordKey = "record " + leg
	}
	return e
}

func amount(text string) cdr.Amount { return decimal.NewNullDecimal(decimal.RequireFromString(text)) }

func saveEvents(t *testing.T, pool *pgxpool.Pool, events ...cdr.Event) {
	t.Helper()
	s := store.New(pool, slog.New(slog.DiscardHandler))
	for _, e := range events {
		if err := s.SaveAll(t.Context(), []cdr.Record{{Events: []cdr.Event{e}}}); err != nil {
			t.Fatal(err)
		}
	}
}

func second(n int) time.Time { return noon().Add(time.Duration(n) * time.Second) }

// TestOrigins: each value of a merged row names the events that say it, and no
// others: not the version of a record that no longer counts.
func TestOrigins(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	saveEvents(
		t, pool,
		told(1, cdr.KindRinging, "a", cdr.Facts{Src: "100", State: cdr.StateRinging, StartedAt: second(1), RingingAt: second(2)}),
		told(2, cdr.KindCDR, "a", cdr.Facts{Src: "100", State: cdr.StateEnded, Disposition: cdr.Answered, Ends: cdr.EndsCall, StartedAt: second(1), AnsweredAt: second(10), EndedAt: second(70), Cost: amount("1"), Currency: "USD"}),
		told(3, cdr.KindCDR, "a", cdr.Facts{Src: "100", State: cdr.StateEnded, Disposition: cdr.Answered, Ends: cdr.EndsCall, StartedAt: second(1), AnsweredAt: second(10), EndedAt: second(70), Cost: amount("2.50"), Currency: "USD"}),
		told(4, cdr.KindCDR, "b", cdr.Facts{Src: "200", State: cdr.StateEnded, Disposition: cdr.NoAnswer, Ends: cdr.EndsLeg, StartedAt: second(3), EndedAt: second(9), Cost: amount("0.25"), Currency: "USD", SIPCode: 486}),
	)
	p := &callPage{Source: "acme", CallID: "c"}
	if err := c.readCall(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	rows, err := c.q.ConsoleEvents(t.Context(), db.ConsoleEventsParams{Source: "acme", CallID: "c", PayloadChars: 100, AtMost: 10})
	if err != nil {
		t.Fatal(err)
	}
	if p.Events, err = readEvents(rows, c.masker.text); err != nil {
		t.Fatal(err)
	}
	if err := c.explain(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range p.Fields {
		if f.Value != nil {
			got[f.Name] = strings.TrimSpace(fmt.Sprint(f.From) + " " + f.Note)
		}
		if f.Meaning == "" {
			t.Errorf("%s has no meaning", f.Name)
		}
	}
	for column, want := range map[string]string{
		"src": "[1 3]", "cost": "[3 4] the sum", "currency": "[3 4]", "started_at": "[1 3]", "ringing_at": "[1]", "answered_at": "[3]",
		"ended_at": "[3]", "disposition": "[3]", "state": "[3 4]", "duration": "[] ended_at − started_at", "billsec": "[] ended_at − answered_at",
		"call_time": "[] started_at", "first_received_at": "[1] when it came", "last_received_at": "[4] when it came", "legs": "[] counted", "version": "[] how often this row was written",
	} {
		if got[column] != want {
			t.Errorf("%s: %q, want %q", column, got[column], want)
		}
	}
	if names := p.Nulls(); !slices.Contains(names, "tax") || slices.Contains(names, "cost") {
		t.Errorf("nulls are %v", names)
	}
	var counts []bool
	for i := range p.Events {
		counts = append(counts, p.Events[i].Counts)
	}
	if !slices.Equal(counts, []bool{true, false, true, true}) {
		t.Errorf("%v count", counts)
	}
	l := drawLife(p.row, p.Events, noon())
	if len(l.Lanes) != 3 || l.Lanes[1].Name != "a" || l.Lanes[2].Name != "b" || len(l.Lanes[0].Bars) != 3 || len(l.Lanes[2].Ticks) != 1 {
		t.Errorf("the picture is %+v", l)
	}
	if talk := l.Lanes[0].Bars[2]; talk.Kind != "talk" || talk.Label != "talk 1:00" || talk.Left < 13 || talk.Left > 13.1 {
		t.Errorf("talk is %+v", talk)
	}
}

// TestCallShowsEverything: the page of a call that was said by hostile hands.
func TestCallShowsEverything(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script>`
	c, pool := newConsole(t, nil)
	e := told(1, cdr.KindCDR, hostile, cdr.Facts{Src: hostile, Dst: "442079460123", DstE164: "+442079460123", Tag: hostile, State: cdr.StateEnded, Ends: cdr.EndsCall, Disposition: cdr.Busy, StartedAt: second(0), EndedAt: second(5)})
	e.Deliveries, e.Problems, e.ProviderKind = 7, []string{hostile}, hostile
	e.Payload = []byte(`{"note":"` + hostile + "\u202e" + `","amount":1.50}`)
	saveEvents(t, pool, e)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO recording (source, call_id, recording_id, url, received_at, deliveries) VALUES
			('acme', 'c', '1', 'https://example.com/a.mp3?x=1', now(), 3), ('acme', 'c', '2', 'javascript:alert(1)', now(), 1), ('acme', 'c', '3', 'javascript://host/%0aalert(1)', now(), 1);
		INSERT INTO period VALUES ('cost', '2026-10', 'UTC', '2026-10-01', '2026-11-01', NULL, now(), 1, 'x', 'x');
		INSERT INTO bill_line (side, period, source, call_id, line, kind, currency, after, delta, stands, call_time, disposition)
			VALUES ('cost', '2026-10', 'acme', 'c', 1, 'call', 'USD', 1.2345, 1.2345, true, now(), 'busy');
		INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('default', '44', '2020-01-01', 3.25, 'EUR')`); err != nil {
		t.Fatal(err)
	}
	body := wantPage(t, get(t, c, "/call/acme/c?tz=Asia/Kolkata")).body
	for _, want := range []string{
		"&lt;script&gt;alert(1)&lt;/script&gt;", `<b class="odd">U&#43;202E</b>`, "1.50", "came 7 times", `href="https://example.com/a.mp3?x=1"`,
		"1.2345", "2026-10", "3.25", "EUR", "2026-11-20 17:30:00 &#43;05:30", "busy", "<svg", "call_id",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, bad := range []string{"<script>alert", "\u202e", `href="javascript:`, "ZgotmplZ"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// TestCallMasked: no digit beyond the last three of a number is in the page of a
// call, wherever it was said.
func TestCallMasked(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, func(o *Options) { o.Mask = true })
	e := told(1, cdr.KindCDR, "442079460123", cdr.Facts{
		Src: "442079460123", SrcE164: "+442079460123", Dst: "020 7946 0123", DID: "sip:+442079460123@x", Tag: "for 442079460123", Trunk: "442079460123", Account: "442079460123",
		State: cdr.StateEnded, Ends: cdr.EndsCall, Disposition: cdr.Busy, StartedAt: second(0), EndedAt: second(5),
	})
	e.CallID, e.RecordKey, e.Problems = "x-442079460123-y", "442079460123/1", []string{"number 442079460123"}
	e.Payload = []byte(`{"from":442079460123,"to":"+44 20 7946 0123","url":"https://x/?n=%2B442079460123"}`)
	saveEvents(t, pool, e)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO recording (source, call_id, recording_id, url, received_at, deliveries) VALUES ('acme', 'x-442079460123-y', '1', 'https://example.com/442079460123.mp3', now(), 3);
		INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('default', '44207946012', '2020-01-01', 3.25, 'EUR')`); err != nil {
		t.Fatal(err)
	}
	v := &view{console: c, Mask: true, TZ: "UTC"}
	body := wantPage(t, get(t, c, v.CallLink("acme", e.CallID))).body
	if regexp.MustCompile(`7946|44207`).MatchString(body) {
		t.Errorf("the number is in the page: %s", body)
	}
	if !strings.Contains(body, "123") {
		t.Error("its last digits are not")
	}
}

// TestCallLinks: a call is found whatever is in its id.
func TestCallLinks(t *testing.T) {
	t.Parallel()
	for _, mask := range []bool{false, true} {
		c, pool := newConsole(t, func(o *Options) { o.Mask = mask })
		for i, id := range []string{"a/b//c", "..", ".", "a?b#c%2F", "~x", "ä \"'<>&", "x y+z", "a\\b", strings.Repeat("long", 120)} {
			e := told(byte(i), cdr.KindCDR, "", cdr.Facts{Tag: "here", State: cdr.StateEnded, Ends: cdr.EndsCall, StartedAt: second(0)})
			e.CallID = id
			saveEvents(t, pool, e)
			v := &view{console: c, Mask: mask, TZ: "UTC"}
			if p := get(t, c, v.CallLink("acme", id)); p.status != http.StatusOK || !strings.Contains(p.body, "here") {
				t.Errorf("mask %v, %q: status %d", mask, id, p.status)
			}
		}
		for _, path := range []string{"/call/acme/nothing", "/call/acme/%00", "/call/acme/", "/call/acme/~%21"} {
			if p := get(t, c, path); p.status != http.StatusNotFound {
				t.Errorf("mask %v, %s: status %d, want 404", mask, path, p.status)
			}
		}
	}
}

// TestCallWithoutRow: recordings and events are shown where there is no call.
func TestCallWithoutRow(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	if _, err := pool.Exec(t.Context(), `INSERT INTO recording (source, call_id, recording_id, url, received_at, deliveries) VALUES ('acme', 'alone', '1', 'https://example.com/a', now(), 3)`); err != nil {
		t.Fatal(err)
	}
	if body := wantPage(t, get(t, c, "/call/acme/alone")).body; !strings.Contains(body, "There is no call of this id") || !strings.Contains(body, "https://example.com/a") {
		t.Error(body)
	}
}

// TestCallIsBounded: a call with very many events, one of them very long.
func TestCallIsBounded(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, problems, facts, payload)
		SELECT 'acme', 'c', gen_random_uuid(), 'dtmf', 'dtmf', '', now() + n * interval '1 hour', 'provider', now(), now(), 1, '{}', '{}',
		       json_build_object('n', n, 'x', CASE n WHEN 1 THEN repeat('x', 100000) END)
		FROM generate_series(1, 300) n`); err != nil {
		t.Fatal(err)
	}
	body := wantPage(t, get(t, c, "/call/acme/c")).body
	if n := strings.Count(body, `<section class="event`); n != maxEvents {
		t.Errorf("%d events are shown", n)
	}
	if !strings.Contains(body, "there are more in table event") || !strings.Contains(body, "Only its beginning is shown") || len(body) > 1<<20 {
		t.Errorf("%d bytes, without a note", len(body))
	}
}

// TestLifeOfLegs: what a CDR says of a leg goes over live events, and a leg that it
// calls unanswered has no talk.
func TestLifeOfLegs(t *testing.T) {
	t.Parallel()
	said := func(kind, leg string, f cdr.Facts) event {
		return event{ConsoleEventsRow: db.ConsoleEventsRow{Kind: kind, Leg: leg}, Counts: true, facts: &f}
	}
	got := legStretches([]event{
		said("answered", "a", cdr.Facts{StartedAt: second(0), AnsweredAt: second(1)}),
		said("cdr", "a", cdr.Facts{AnsweredAt: second(9), EndedAt: second(20), Disposition: cdr.Answered}),
		said("ended", "a", cdr.Facts{EndedAt: second(30)}),
		said("answered", "b", cdr.Facts{AnsweredAt: second(4)}),
		said("cdr", "b", cdr.Facts{StartedAt: second(3), AnsweredAt: second(2), EndedAt: second(8), Disposition: cdr.Busy}),
	})
	want := []stretch{
		{"a", second(0), time.Time{}, second(9), second(20)},
		{"b", second(3), time.Time{}, time.Time{}, second(8)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestLifeStaysInside: whatever the moments, every place is within the picture.
func TestLifeStaysInside(t *testing.T) {
	t.Parallel()
	for seed := range 200 {
		at := func(n int) *string {
			if (seed>>(n%7))%3 == 0 {
				return nil
			}
			return new(noon().Add(time.Duration((seed*7919+n*104729)%100000) * time.Duration(1+seed%3*999) * time.Millisecond).Format(time.RFC3339Nano))
		}
		r := row{{"state", new([]string{"ended", "ringing"}[seed%2])}, {"started_at", at(1)}, {"ringing_at", at(2)}, {"answered_at", at(3)}, {"ended_at", at(4)}}
		l := drawLife(r, nil, noon().Add(time.Hour))
		if l == nil {
			continue
		}
		for _, b := range l.Lanes[0].Bars {
			if b.Left < 0 || b.Width <= 0 || b.Left+b.Width > 100.0001 {
				t.Errorf("seed %d: %+v", seed, b)
			}
		}
		if len(l.Scale) < 1 || len(l.Scale) > 7 || l.Scale[0].Left != 0 {
			t.Errorf("seed %d: scale %+v", seed, l.Scale)
		}
	}
	late := event{ConsoleEventsRow: db.ConsoleEventsRow{OccurredAt: pgtype.Timestamptz{Time: noon().Add(48 * time.Hour), Valid: true}}, Number: 1}
	r := row{{"state", new("ended")}, {"started_at", new(noon().Format(time.RFC3339Nano))}, {"ended_at", new(second(60).Format(time.RFC3339Nano))}}
	if l := drawLife(r, []event{late}, noon()); !l.To.Equal(second(60)) || l.Lanes[0].Ticks[0].Left != 100 || !l.Lanes[0].Ticks[0].Beyond {
		t.Errorf("an event of the next day is drawn as %+v", l)
	}
	if l := drawLife(nil, nil, noon()); l != nil {
		t.Errorf("nothing is drawn as %+v", l)
	}
}
