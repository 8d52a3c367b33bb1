package store

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestSpellings expects Go and Postgres to find a number in the same texts.
func TestSpellings(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, c := range []struct {
		number     string
		here, none []string
	}{
		{"+44 20 7946-0123", []string{
			"+442079460123", "442079460123", "00442079460123", "02079460123", "2079460123", "+44 (0)20 7946 0123", "020-7946-0123",
			"sip:442079460123@example.com:5060", "1234442079460123", "src=%2B44%2020%207946%200123&x", `{"src":"\u002b4420\u0037946\u00200123"}`,
			"20\u00a07946\u00a00123", "4.42079460123e11", "+44+20+7946+0123", "2079460123:30",
		}, []string{"", "442079460124", "207946012", "20,79460123", "2079460a123", "null"}},
		{"00442079460123", []string{"+442079460123"}, []string{"+442079460124"}},
		{"+390612345678", []string{"0612345678", "39 06 1234 5678"}, []string{"612345678"}},
		{"+4520261102", []string{"20261102", "+45 20 26 11 02", "004520261102", "sip:4520261102@x", "01145 20261102"},
			[]string{"120261102", "202611023", "1699920261102", "2026-11-02T09:00:00Z.1"[:4], "0.520261102"}},
		{"+12026121509", []string{"+12026121509", "(202) 612-1509", "202 612 1509:5060", "2026121509 at 10:30"},
			[]string{"2026-12-15 09:30:00", `{"time_start":"2026-12-15 09:30:00.123"}`}},
	} {
		s, err := spellings(c.number)
		if err != nil {
			t.Fatalf("%s: %v", c.number, err)
		}
		for i, text := range append(c.here, c.none...) {
			want := i < len(c.here)
			var inPostgres bool
			if err := pool.QueryRow(t.Context(), `SELECT $1::text ~ $2::text`, text, s.re.String()).Scan(&inPostgres); err != nil {
				t.Fatal(err)
			}
			if s.in(text) != want || inPostgres != want {
				t.Errorf("%s in %q: %v, in Postgres %v, want %v", c.number, text, s.in(text), inPostgres, want)
			}
			if s.in(s.without(text)) {
				t.Errorf("%s is still in %q", c.number, s.without(text))
			}
		}
	}
	for _, number := range []string{"", "020 7946 0123", "442079460123", "+44", "+442", "anonymous", "+1 12345"} {
		if _, err := spellings(number); err == nil {
			t.Errorf("%q is taken for a number", number)
		}
	}
}
