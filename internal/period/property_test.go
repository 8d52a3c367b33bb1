package period_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// group is what amounts are added up by; only within it.
type group struct{ source, account, trunk, currency string }

// TestAnyHistory lets calls come late, change, move, vanish and come back between
// closes at will. After each close the lines must add up to the calls, follow
// each other, and leave every earlier report as it was.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(r *rapid.T) {
		run(r, pool, "ALTER TABLE period DISABLE TRIGGER period_stays; TRUNCATE call, bill_line, period; ALTER TABLE period ENABLE TRIGGER period_stays")
		calls, billed, reports := map[string]call{}, map[string]bool{}, map[string]string{}
		for month := 1; month <= 8; month++ {
			for range rapid.IntRange(0, 8).Draw(r, "changes") {
				change(r, pool, calls)
			}
			if rapid.IntRange(0, 4).Draw(r, "skip") == 0 {
				continue
			}
			mustClose(r, pool, period.Cost, name(month), "UTC")
			end := time.Date(2024, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC)
			wantSums(r, pool, calls, billed, end)
			wantReplayed(r, pool, calls, billed)
			if pending := wantSound(r, pool, period.Cost); pending > 0 {
				r.Errorf("%d lines are pending after a close", pending)
			}
			for p, before := range reports {
				if now := both(r, pool, p); now != before {
					r.Errorf("the report of %s was\n%s\nand is\n%s", p, before, now)
				}
			}
			reports[name(month)] = both(r, pool, name(month))
		}
	})
}

// change makes a call something else, in the table and in calls.
func change(r *rapid.T, pool *pgxpool.Pool, calls map[string]call) {
	id := rapid.SampledFrom([]string{"c1", "c2", "c3", "c4", "c5"}).Draw(r, "id")
	if rapid.IntRange(0, 5).Draw(r, "gone") == 0 {
		run(r, pool, "DELETE FROM call WHERE call_id = $1", id)
		delete(calls, id)
		return
	}
	c := call{
		source: "s", id: id,
		account:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "account"),
		trunk:    rapid.SampledFrom([]string{"", "t"}).Draw(r, "trunk"),
		currency: rapid.SampledFrom([]string{"", "USD", "EUR"}).Draw(r, "currency"),
		cost:     rapid.SampledFrom([]string{"", "0", "0.00", "1.5", "1.50", "-2", "0.000001"}).Draw(r, "cost"),
		at:       time.Date(2024, time.Month(rapid.IntRange(1, 9).Draw(r, "month")), 1, 0, 0, rapid.IntRange(0, 1).Draw(r, "second"), 0, time.UTC),
		live:     rapid.IntRange(0, 5).Draw(r, "live") == 0,
	}
	put(r, pool, c)
	calls[id] = c
}

// wantSums compares the sum of all lines with that of the calls that are to be
// billed: those that ever were, and the ended ones before end.
func wantSums(r *rapid.T, pool *pgxpool.Pool, calls map[string]call, billed map[string]bool, end time.Time) {
	want := map[group]decimal.Decimal{}
	for id, c := range calls {
		if !c.live && c.at.Before(end) {
			billed[id] = true
		}
		if billed[id] && !c.live && c.cost != "" {
			g := group{c.source, c.account, c.trunk, c.currency}
			want[g] = want[g].Add(decimal.RequireFromString(c.cost))
		}
	}
	got := map[group]decimal.Decimal{}
	for _, l := range lines(r, pool) {
		if l.delta != "" {
			g := group{l.source, l.account, l.trunk, l.currency}
			got[g] = got[g].Add(decimal.RequireFromString(l.delta))
		}
	}
	for g := range want {
		if !want[g].Equal(got[g]) {
			r.Errorf("%+v: lines say %s, calls %s", g, got[g], want[g])
		}
	}
	for g := range got {
		if !want[g].Equal(got[g]) {
			r.Errorf("%+v: lines say %s, calls %s", g, got[g], want[g])
		}
	}
}

// wantReplayed follows the lines of each call to what it is now, and counts that
// no line says nothing.
func wantReplayed(r *rapid.T, pool *pgxpool.Pool, calls map[string]call, billed map[string]bool) {
	last := map[string]line{}
	for _, l := range lines(r, pool) {
		before, known := last[l.id]
		switch {
		case l.n != before.n+1:
			r.Errorf("%+v after line %d", l, before.n)
		case known && before.stands:
			if l.before != before.after || billedAs(l.before) && (l.account != before.account || l.trunk != before.trunk || l.currency != before.currency) {
				r.Errorf("%+v does not go on from %+v", l, before)
			}
			if l.stands && l.before == l.after {
				r.Errorf("%+v says nothing", l)
			}
		case l.before != "" || !l.stands:
			r.Errorf("%+v takes back what was never billed", l)
		}
		if l.kind == "call" && known {
			r.Errorf("%+v is billed as a new call again", l)
		}
		last[l.id] = l
	}
	for id, l := range last {
		c, there := calls[id]
		there = there && !c.live
		if l.stands != there || there && (l.after != plain(c.cost) || billedAs(l.after) && (l.account != c.account || l.trunk != c.trunk || l.currency != c.currency)) {
			r.Errorf("%s is %+v, and its last line %+v", id, c, l)
		}
	}
	for id := range billed {
		if _, ok := last[id]; !ok {
			r.Errorf("%s was never billed", id)
		}
	}
}

// billedAs is whether an amount has an account, a trunk and a currency.
func billedAs(amount string) bool { return amount != "" && amount != "0" }

type line struct {
	source, id, account, trunk, currency string
	n                                    int
	kind, before, after, delta           string
	stands                               bool
}

func lines(r *rapid.T, pool *pgxpool.Pool) []line {
	rows, err := pool.Query(ctx(r), `
		SELECT source, call_id, coalesce(account, ''), coalesce(trunk, ''), coalesce(currency, ''), line, kind,
		       coalesce(trim_scale(before)::text, ''), coalesce(trim_scale(after)::text, ''), coalesce(trim_scale(delta)::text, ''), stands
		FROM bill_line ORDER BY call_id, line`)
	if err != nil {
		r.Fatalf("%v", err)
	}
	defer rows.Close()
	var all []line
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.source, &l.id, &l.account, &l.trunk, &l.currency, &l.n, &l.kind, &l.before, &l.after, &l.delta, &l.stands); err != nil {
			r.Fatalf("%v", err)
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		r.Fatalf("%v", err)
	}
	return all
}

func both(r *rapid.T, pool *pgxpool.Pool, p string) string {
	return fmt.Sprint(report(r, pool, period.Cost, p, true, period.CSV), report(r, pool, period.Cost, p, false, period.JSON))
}

// plain writes an amount without zeros at its end.
func plain(amount string) string {
	if amount == "" {
		return ""
	}
	return decimal.RequireFromString(amount).String()
}
