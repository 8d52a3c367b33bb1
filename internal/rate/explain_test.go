package rate_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	dir := filepath.Join(testcase.Root(t), "rates", "longest-prefix")
	if said := importFile(t.Context(), pool, read(t, dir, "rates.csv"), rate.Options{}); strings.HasPrefix(said, "error") {
		t.Fatal(said)
	}
	insertCalls(t, pool, dir)
	if _, err := pool.Exec(t.Context(), insertCall, "s", "alive", "", "", "", "+44", "", "2026-05-01T10:00:00Z", "", "", "", ""); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"mobile":           "0.05 + 0.03 × 36 / 60 = 0.068000 USD",
		"elsewhere":        "0 + 1 × 120 / 60 = 2.000000 USD",
		"busy":             "not answered: free",
		"nobody-said":      "nobody said whether the call was answered: the price is not known",
		"unknown-number":   "the called number is not known: no rate, no price",
		"unknown-length":   "it is not known how long the call was: the price is not known",
		"before-all-rates": "deck default has no rate for the number that is valid at the time of the call: no price",
	} {
		e, err := rate.Explain(t.Context(), pool, "s", id)
		if err != nil || e.Reason() != want {
			t.Errorf("%s: %q, %v; want %q", id, e.Reason(), err, want)
		}
	}
	if _, err := rate.Explain(t.Context(), pool, "s", "nobody"); !errors.Is(err, rate.ErrNoCall) {
		t.Errorf("an unknown call: %v", err)
	}
	if _, err := rate.Explain(t.Context(), pool, "s", "alive"); !errors.Is(err, rate.ErrNotEnded) {
		t.Errorf("a call that has not ended: %v", err)
	}
	e, err := rate.Explain(t.Context(), pool, "s", "mobile")
	if err != nil {
		t.Fatal(err)
	}
	var prefixes []string
	for _, r := range e.Candidates {
		prefixes = append(prefixes, r.Prefix)
	}
	if !slices.Equal(prefixes, []string{"447", "44", ""}) || e.Tariff != nil || e.Deck != "default" {
		t.Errorf("candidates %q by %v of %s", prefixes, e.Tariff, e.Deck)
	}
}

func TestTariffs(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	set := func(c rate.Calls, deck string, doubts int) {
		t.Helper()
		_, got, err := rate.SetTariff(t.Context(), pool, rate.Tariff{Calls: c, Deck: deck})
		if err != nil || len(got) != doubts {
			t.Errorf("%s: %q, %v; want %d doubts", c, got, err, doubts)
		}
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO source (name, provider) VALUES ('known', 'wavix');
		INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('gold', '', '2026-01-01Z', 1, 'USD')`); err != nil {
		t.Fatal(err)
	}
	set(rate.Calls{}, "gold", 0)
	set(rate.Calls{Source: "known", Direction: "inbound"}, "gold", 0)
	set(rate.Calls{Source: "typo"}, "silver", 2)
	set(rate.Calls{Source: "typo"}, "gold", 1)
	set(rate.Calls{Account: "a"}, "gold", 0)
	set(rate.Calls{Trunk: "t"}, "bronze", 1)
	for _, wrong := range []rate.Tariff{{}, {Deck: "gold", Calls: rate.Calls{Direction: "in"}}} {
		if _, _, err := rate.SetTariff(t.Context(), pool, wrong); err == nil {
			t.Errorf("%+v passes", wrong)
		}
	}
	if err := rate.RemoveTariff(t.Context(), pool, rate.Tariff{Calls: rate.Calls{Source: "known"}}); !errors.Is(err, rate.ErrNoTariff) {
		t.Errorf("removing none: %v", err)
	}
	if err := rate.RemoveTariff(t.Context(), pool, rate.Tariff{}); err != nil {
		t.Error(err)
	}
	all, err := rate.Tariffs(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tariff := range all {
		got = append(got, tariff.String()+": "+tariff.Deck)
	}
	want := []string{"trunk t: bronze", "account a: gold", "source known, direction inbound: gold", "source typo: gold"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
