package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestCompletenessCountsUnpricedCalls: each cause once, what is free or not over
// never, and no figures without rates.
func TestCompletenessCountsUnpricedCalls(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	noon := at(t, "2026-10-05T12:00:00Z")
	var calls []aCall
	for _, id := range []string{"priced", "as sent", "no rate", "no rate too", "alice", "112", "no number", "no length", "busy"} {
		c := aCall{Source: "a", CallID: id, At: noon, Billsec: known("60"), Disposition: "answered"}
		switch id {
		case "no length":
			c.Billsec.Valid = false
		case "busy":
			c.Disposition = "busy"
		}
		calls = append(calls, c)
	}
	insert(t, pool, append(calls, aCall{Source: "a", CallID: "unknown", At: noon, Disposition: "unknown"}, aCall{Source: "a", CallID: "alive", At: noon, State: "answered"},
		aCall{Source: "b", CallID: "no tariff", At: noon, Disposition: "answered", Billsec: known("1")})...)
	if _, err := pool.Exec(t.Context(), `UPDATE call SET dst = d, dst_e164 = e FROM (VALUES ('priced', '442079460123', '+442079460123'), ('as sent', '440000000000', NULL),
		('no rate', '330000000000', NULL), ('no rate too', '33123456789', '+33123456789'), ('alice', 'sip:alice@example.com', NULL), ('112', '112', NULL),
		('no length', '442079460123', '+442079460123'), ('unknown', '442079460123', '+442079460123'), ('no tariff', '442079460123', '+442079460123')) v (i, d, e) WHERE call_id = i`); err != nil {
		t.Fatal(err)
	}
	ask := func() []string {
		return lines(t, pool, `SELECT source, calls::text, calls_without_talk::text, priced_uncertain::text, unpriced::text,
			(SELECT string_agg(concat_ws(' ', c ->> 'calls', c ->> 'cause'), ', ' ORDER BY n) FROM jsonb_array_elements(unpriced_causes) WITH ORDINALITY AS e (c, n))
			FROM completeness('2026-10-05', '2026-10-06', 'UTC')`)
	}
	if got, want := ask(), []string{"a | 11 | 1 | - | - | -", "b | 1 | 0 | - | - | -"}; !slices.Equal(got, want) {
		t.Errorf("without rates: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('gold', '44', '2026-01-01Z', 1, 'USD'), ('gold', '1', '2026-01-01Z', 1, 'USD');
		INSERT INTO tariff (source, deck) VALUES ('a', 'gold')`); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a | 11 | 1 | 1 | 7 | 2 no exact rate, 2 no rate, 1 number unknown, 1 outcome unknown, 1 talk time unknown",
		"b | 1 | 0 | 0 | 1 | 1 no tariff",
	}
	if got := ask(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
