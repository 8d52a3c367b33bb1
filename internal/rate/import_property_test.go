package rate_test

import (
	"cmp"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
)

// file writes rates as an import reads them.
func file(rates []rate.Rate) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(rate.Columns())
	for _, r := range rates {
		_ = w.Write(r.Record())
	}
	w.Flush()
	return b.String()
}

func importRates(t *rapid.T, pool *pgxpool.Pool, rates []rate.Rate) {
	i, err := rate.Import(t.Context(), pool, strings.NewReader(file(rates)), rate.Options{}, ignore)
	if err != nil || i.Added != len(rates) {
		t.Fatalf("%+v, %v", i, err)
	}
}

func sameKey(a, b rate.Rate) bool {
	return a.Deck == b.Deck && a.Prefix == b.Prefix && a.ValidFrom.Equal(b.ValidFrom)
}

// model is what an import makes of the table, rate by rate. False: it is refused.
func model(table, lines []rate.Rate, replace bool) ([]rate.Rate, bool) {
	if replace {
		table = slices.DeleteFunc(slices.Clone(table), func(r rate.Rate) bool {
			return slices.ContainsFunc(lines, func(l rate.Rate) bool { return l.Deck == r.Deck })
		})
	}
	all := slices.Clone(table)
	var added []rate.Rate
	for i, l := range lines {
		if slices.ContainsFunc(lines[:i], func(o rate.Rate) bool { return sameKey(o, l) }) {
			return nil, false
		}
		at := slices.IndexFunc(table, func(r rate.Rate) bool { return sameKey(r, l) })
		if at < 0 {
			all, added = append(all, l), append(added, l)
			continue
		}
		known := table[at]
		nextBegins := slices.ContainsFunc(table, func(r rate.Rate) bool {
			return r.Deck == l.Deck && r.Prefix == l.Prefix && r.ValidFrom.Equal(known.ValidTo)
		})
		if !known.PricePerMinute.Equal(l.PricePerMinute) || !known.ValidTo.Equal(l.ValidTo) && (!l.ValidTo.IsZero() || !nextBegins) {
			return nil, false
		}
	}
	return closed(all, added)
}

// closed ends rates where the next one begins: those without an end, and those of
// the table within which a line begins that leaves no time without a price. False:
// some overlap.
func closed(all, added []rate.Rate) ([]rate.Rate, bool) {
	slices.SortFunc(all, func(a, b rate.Rate) int {
		return cmp.Or(cmp.Compare(a.Deck, b.Deck), cmp.Compare(a.Prefix, b.Prefix), a.ValidFrom.Compare(b.ValidFrom))
	})
	isNew := func(r rate.Rate) bool {
		return slices.ContainsFunc(added, func(l rate.Rate) bool { return sameKey(l, r) })
	}
	for i := range all[:max(0, len(all)-1)] {
		next := all[i+1]
		if all[i].Deck != next.Deck || all[i].Prefix != next.Prefix {
			continue
		}
		goesOn := i+2 < len(all) && all[i+2].Deck == next.Deck && all[i+2].Prefix == next.Prefix && all[i+2].ValidFrom.Equal(next.ValidTo)
		covers := next.ValidTo.IsZero() || !next.ValidTo.Before(all[i].ValidTo) || goesOn
		if all[i].ValidTo.IsZero() || !isNew(all[i]) && isNew(next) && next.ValidFrom.Before(all[i].ValidTo) && covers {
			all[i].ValidTo = next.ValidFrom
		}
	}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Deck == b.Deck && a.Prefix == b.Prefix && (a.ValidTo.IsZero() || a.ValidTo.After(b.ValidFrom)) {
				return nil, false
			}
		}
	}
	return all, true
}

func lineOf(t *rapid.T) rate.Rate {
	from := rapid.IntRange(0, 8).Draw(t, "from")
	r := rate.Rate{
		Deck: rapid.SampledFrom([]string{"default", "gold"}).Draw(t, "deck"), Prefix: rapid.SampledFrom([]string{"", "44"}).Draw(t, "prefix"),
		ValidFrom: dayAt(from), PricePerMinute: decimal.New(rapid.Int64Range(1, 2).Draw(t, "price"), -2),
		FirstIncrement: 1, NextIncrement: 1, Currency: "USD",
	}
	if rapid.Bool().Draw(t, "ends") {
		r.ValidTo = dayAt(from + rapid.IntRange(1, 4).Draw(t, "days"))
	}
	return r
}

// TestImportsMakeWhatTheModelSays imports small files one after another, some of
// them a second time.
func TestImportsMakeWhatTheModelSays(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(rt *rapid.T) {
		clear(rt, pool)
		var table []rate.Rate
		var files [][]rate.Rate
		for range rapid.IntRange(1, 5).Draw(rt, "files") {
			files = append(files, rapid.SliceOfN(rapid.Custom(lineOf), 1, 4).Draw(rt, "lines"))
			lines := rapid.SampledFrom(files).Draw(rt, "file")
			replace := rapid.IntRange(0, 3).Draw(rt, "replace") == 0
			want, good := model(table, lines, replace)
			_, err := rate.Import(t.Context(), pool, strings.NewReader(file(lines)), rate.Options{Replace: replace}, ignore)
			var faults *rate.Faults
			if good != (err == nil) || err != nil && !errors.As(err, &faults) {
				rt.Fatalf("table\n%s\nand file\n%s\ngood: %v, but: %v", file(table), file(lines), good, err)
			}
			if good {
				table = want
			}
			var got []rate.Rate
			if err := rate.List(t.Context(), pool, "", "", func(r rate.Rate) error { got = append(got, r); return nil }); err != nil {
				rt.Fatal(err)
			}
			if file(got) != file(table) {
				rt.Fatalf("got\n%s\nwant\n%s", file(got), file(table))
			}
		}
	})
}

// TestTableRefusesOverlaps shows that rates that people insert cannot overlap.
func TestTableRefusesOverlaps(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert := func(deck, prefix, from string, to any) error {
		_, err := pool.Exec(t.Context(), `INSERT INTO rate (deck, prefix, valid_from, valid_to, price_per_minute, currency)
			VALUES ($1, $2, $3::text::timestamptz, $4::text::timestamptz, 1, 'USD')`, deck, prefix, from, to)
		return err
	}
	for _, c := range []struct {
		deck, prefix, from string
		to                 any
		refused            string
	}{
		{"default", "44", "2026-01-01Z", "2026-02-01Z", ""},
		{"default", "44", "2026-02-01Z", nil, ""},
		{"default", "44", "2026-01-15Z", "2026-01-16Z", "rate_overlaps"},
		{"default", "44", "2025-01-15Z", nil, "rate_overlaps"},
		{"default", "44", "2027-01-15Z", nil, "rate_overlaps"},
		{"default", "44", "2025-01-01Z", "2026-01-01Z", ""},
		{"default", "447", "2026-01-15Z", nil, ""},
		{"default4", "4", "2026-01-15Z", nil, ""},
		{"gold", "44", "2026-01-15Z", nil, ""},
		{"default", "1", "2026-01-15Z", "2026-01-15Z", "rate_is_valid_for_a_while"},
		{"default", "+1", "2026-01-15Z", nil, "rate_prefix_check"},
		{"default", "01", "2026-01-15Z", nil, "rate_prefix_check"},
		{"default", "1", "-infinity", nil, "rate_valid_from_check"},
		{"", "1", "2026-01-15Z", nil, "rate_deck_check"},
	} {
		err := insert(c.deck, c.prefix, c.from, c.to)
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s %q from %s to %v: %v, want %q", c.deck, c.prefix, c.from, c.to, err, c.refused)
		}
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM rate WHERE valid_from < $1`, time.Now().AddDate(100, 0, 0)).Scan(&n); err != nil || n != 6 {
		t.Errorf("%d rates, %v", n, err)
	}
}
