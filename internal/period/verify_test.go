package period_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestTampering changes the tables behind the back of the program. The report of
// a period whose lines were touched must fail, and verify must say what is wrong.
func TestTampering(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql, want string }{
		{"amount", `UPDATE bill_line SET after = 2, delta = 2 WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"account", `UPDATE bill_line SET account = 'other' WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"before", `UPDATE bill_line SET before = 1, delta = after - 1 WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"null", `UPDATE bill_line SET trunk = '' WHERE call_id = 'B'`, "cost 2024-01: its lines were changed"},
		{"time", `UPDATE bill_line SET call_time = call_time + interval '1 microsecond' WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"swapped", `UPDATE bill_line SET billsec = 120, billed_sec = 61 WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"removed", `DELETE FROM bill_line WHERE call_id = 'z'`, "(6 were written, 5 are there)"},
		{"added", `INSERT INTO bill_line SELECT side, period, source, 'fake', 1, kind, account, trunk, currency, before, after, delta, stands, call_time,
			direction, dst_country, disposition, billsec, billed_sec, rate, deck FROM bill_line WHERE call_id = 'z'`, "(6 were written, 7 are there)"},
		{"moved", `UPDATE bill_line SET period = '2024-02' WHERE call_id = 'z'`, "cost 2024-01: its lines were changed"},
		{"row", `UPDATE period SET not_before = '2024-01-01' WHERE name = '2024-01'`, "cost 2024-01: its row was changed"},
		{"closed earlier", `UPDATE period SET closed_at = closed_at - interval '1 microsecond' WHERE name = '2024-01'`, "cost 2024-01: its row was changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool := billed(t)
			wantSound(t, pool, period.Cost)
			run(t, pool, `ALTER TABLE period DISABLE TRIGGER period_stays`)
			run(t, pool, c.sql)
			var b bytes.Buffer
			wantError(t, period.Report(t.Context(), pool, period.Cost, "2024-01", false, period.CSV, &b), c.want)
			_, err := period.Close(t.Context(), pool, period.Closing{Side: period.Cost, Name: "2024-01", Zone: "Europe/London"})
			wantError(t, err, c.want)
			v, err := period.Verify(t.Context(), pool, period.Cost, 0)
			if err != nil || !strings.Contains(strings.Join(v.Faults, "\n"), c.want) || b.Len() > 0 {
				t.Errorf("%+v, %v, %q", v, err, b.String())
			}
		})
	}
}

// TestChain takes away a period with its lines, or changes one and gives it a digest
// that fits: the one after it, or a digest that somebody has printed, tells.
func TestChain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql, want string }{
		{"in the middle", `DELETE FROM bill_line WHERE period = '2024-02'; DELETE FROM period WHERE name = '2024-02'`, "cost 2024-03: the period that was closed before it"},
		{"the first", `DELETE FROM bill_line WHERE period = '2024-01'; DELETE FROM period WHERE name = '2024-01'`, "cost 2024-02: the period that was closed before it"},
		{"added", `INSERT INTO period SELECT side, '2023-12', tz, from_at - interval '1 month', to_at - interval '1 month', not_before, closed_at, 0, digest, lines_digest, NULL
			FROM period WHERE name = '2024-01'`, "cost 2024-01: the period that was closed before it"},
		{"with a digest that fits", `UPDATE bill_line SET account = 'other' WHERE call_id = 'z';
			UPDATE period p SET lines_digest = d.digest, digest = period_digest(side, name, tz, from_at, to_at, not_before, closed_at, p.lines, d.digest, previous_digest)
			FROM bill_digest('cost', '2024-01') d WHERE name = '2024-01'`, "cost 2024-02: the period that was closed before it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool := billed(t)
			mustClose(t, pool, period.Cost, "2024-03", "Europe/London")
			wantSound(t, pool, period.Cost)
			printed := one(t, pool, `SELECT digest FROM period WHERE name = '2024-03'`)
			run(t, pool, `ALTER TABLE period DISABLE TRIGGER period_stays`)
			run(t, pool, c.sql)
			v, err := period.Verify(t.Context(), pool, period.Cost, 0)
			if all := strings.Join(v.Faults, "\n"); err != nil || !strings.Contains(all, c.want) {
				t.Errorf("%v, faults:\n%s\nwant %q", err, all, c.want)
			}
			forge(t, pool)
			if one(t, pool, `SELECT digest FROM period WHERE name = '2024-03'`) == printed {
				t.Error("the last digest does not depend on what was before")
			}
		})
	}
}

// TestBrokenChains has lines that do not follow each other, with digests that
// agree with them.
func TestBrokenChains(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql, want string }{
		{"another before", `UPDATE bill_line SET before = 3, delta = -3 WHERE call_id = '_' AND line = 2`, "didww _: line 2 does not go on"},
		{"a before from nowhere", `UPDATE bill_line SET before = 1, delta = after - 1 WHERE call_id = 'z'`, "wavix z: line 1 does not go on"},
		{"another trunk", `UPDATE bill_line SET trunk = 'x' WHERE call_id = '_' AND line = 2`, "didww _: line 2 does not go on"},
		{"another account", `UPDATE bill_line SET account = NULL WHERE call_id = '_' AND line = 2`, "didww _: line 2 does not go on"},
		{"another currency", `UPDATE bill_line SET currency = 'EUR' WHERE call_id = '_' AND line = 2`, "didww _: line 2 does not go on"},
		{"a gap", `UPDATE bill_line SET line = 4 WHERE call_id = '_' AND line = 3`, "didww _: line 4 does not go on"},
		{"no first", `UPDATE bill_line SET line = 2 WHERE call_id = 'z'`, "wavix z: line 2 does not go on"},
		{"taken back twice", `UPDATE bill_line SET stands = false, after = NULL, delta = NULL WHERE call_id = '_' AND line = 3`, "didww _: line 3 does not go on"},
		{"no such period", `UPDATE bill_line SET period = '2024-05' WHERE call_id = 'z'`, "wavix z: line 1 does not go on"},
		{"earlier than its call", `UPDATE bill_line SET period = CASE line WHEN 1 THEN '2024-02' ELSE '2024-01' END WHERE call_id = 'b'`, "didww b: line 2 does not go on"},
		{"another sum", `UPDATE bill_line SET currency = 'CHF' WHERE call_id = 'z'`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool := billed(t)
			run(t, pool, c.sql)
			v, err := period.Verify(t.Context(), pool, period.Cost, 0)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(v.Faults, "\n"); !strings.Contains(all, c.want) || all == "" {
				t.Errorf("faults:\n%s\nwant %q", all, c.want)
			}
		})
	}
}

// TestPending lists what the next close will write, and only that.
func TestPending(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	put(t, pool, call{source: "wavix", id: "z", account: "acme", trunk: "london", currency: "EUR", cost: "1.30", at: day(t, "2024-01-10T12:00")})
	put(t, pool, call{source: "wavix", id: "late", currency: "USD", cost: "7", at: day(t, "2024-02-29T23:59")})
	put(t, pool, call{source: "wavix", id: "of march", currency: "USD", cost: "8", at: day(t, "2024-03-01T00:00")})
	v, err := period.Verify(t.Context(), pool, period.Cost, 2)
	if err != nil || len(v.Faults) > 0 || v.PendingLines != 3 || len(v.Pending) != 2 || v.Periods != 2 || v.Lines != 10 ||
		!v.To.Equal(day(t, "2024-03-01T00:00")) {
		t.Fatalf("%+v, %v", v, err)
	}
	for i, want := range []string{
		"wavix late (2024-02-29T23:59:00Z), account -, trunk -: - -> 7, 7 in currency USD",
		"wavix z (2024-01-10T12:00:00Z), account acme, trunk london: 1.20 taken back, -1.20 in currency USD",
	} {
		if got := v.Pending[i].String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestEraseGivesNothingBack erases the called numbers of calls that were billed by
// rates, also where that takes the trunk away. What was billed stays; the sums of
// all others still follow their rates.
func TestEraseGivesNothingBack(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	run(t, pool, `INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('default', '44', '2024-01-01Z', 60, 'EUR')`)
	for _, id := range []string{"erased", "moved", "corrected", "kept", "busy"} {
		put(t, pool, call{source: "s", id: id, account: "a", trunk: "t", at: day(t, "2024-01-10T12:00")})
	}
	run(t, pool, `UPDATE call SET disposition = 'busy' WHERE call_id = 'busy'`)
	put(t, pool, call{source: "s", id: "answered later", at: day(t, "2024-01-11T12:00")})
	run(t, pool, `UPDATE call SET disposition = 'busy', dst = NULL, dst_e164 = NULL WHERE call_id = 'answered later'`)
	mustClose(t, pool, period.Price, "2024-01", "UTC")
	run(t, pool, `UPDATE call SET src = NULL, dst = NULL, dst_e164 = NULL WHERE call_id <> 'kept'`)
	run(t, pool, `UPDATE call SET trunk = NULL WHERE call_id = 'moved'`)
	run(t, pool, `UPDATE rate SET price_per_minute = 120`)
	run(t, pool, `UPDATE call SET disposition = 'answered' WHERE call_id = 'answered later'`)
	run(t, pool, `UPDATE call SET dst = '44', dst_e164 = '+44', billsec = 30 WHERE call_id = 'corrected'`)
	put(t, pool, call{source: "s", id: "never billed", at: day(t, "2024-01-11T12:00")})
	run(t, pool, `UPDATE call SET dst = NULL, dst_e164 = NULL WHERE call_id = 'never billed'`)
	if pending := wantSound(t, pool, period.Price); pending != 4 {
		t.Errorf("%d lines are pending, want 4", pending)
	}
	mustClose(t, pool, period.Price, "2024-02", "UTC")
	want := "answered later 0 ->, corrected 61 -> 60, kept 61 -> 122, never billed"
	got := one(t, pool, `SELECT string_agg(concat_ws(' ', call_id, trim_scale(before), CASE WHEN before IS NOT NULL THEN '->' END, trim_scale(after)), ', ' ORDER BY call_id)
		FROM bill_line WHERE period = '2024-02'`)
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if pending := wantSound(t, pool, period.Price); pending > 0 {
		t.Errorf("%d lines are pending, want none", pending)
	}
}

func TestVerifyNothingClosed(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c", cost: "1", at: day(t, "2024-01-10T12:00")})
	v, err := period.Verify(t.Context(), pool, period.Price, 10)
	if err != nil || v.Periods != 0 || len(v.Faults) > 0 || v.PendingLines != 0 || !v.To.IsZero() {
		t.Errorf("%+v, %v", v, err)
	}
	_, err = period.Verify(t.Context(), pool, "", 10)
	wantError(t, err, `side ""`)
}

// TestPeriodsStay tries to change or delete a closed period by hand.
func TestPeriodsStay(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	for _, sql := range []string{`UPDATE period SET lines = 0`, `DELETE FROM period`, `TRUNCATE period`} {
		_, err := pool.Exec(t.Context(), sql)
		wantError(t, err, "closed periods are never changed or deleted")
	}
}

// TestNothingChanges changes what no amount depends on: no line is written for it.
func TestNothingChanges(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	run(t, pool, `INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('default', '44', '2024-01-01Z', 60, 'EUR')`)
	put(t, pool, call{source: "s", id: "c", account: "a", trunk: "t", currency: "USD", cost: "1.50", at: day(t, "2024-01-10T12:00")})
	for _, side := range []string{period.Cost, period.Price} {
		mustClose(t, pool, side, "2024-01", "UTC")
	}
	run(t, pool, `UPDATE rate SET deck = 'renamed', price_per_minute = 60.000, connection_fee = 0.00, description = 'other'`)
	run(t, pool, `INSERT INTO tariff (deck) VALUES ('renamed')`)
	run(t, pool, `UPDATE call SET tax = 0.30, cost = 1.500, src = 'other', direction = 'inbound', dst_country = NULL, charged_sec = 180, rate = 9, sip_code = 200, version = 2`)
	for _, side := range []string{period.Cost, period.Price} {
		if pending := wantSound(t, pool, side); pending > 0 {
			t.Errorf("%s: %d lines are pending, want none", side, pending)
		}
	}
}

// TestPriceSide bills by rates that come late and change.
func TestPriceSide(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c", currency: "USD", cost: "1", at: day(t, "2024-01-10T12:00")})
	rate := `INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency, first_increment, next_increment) VALUES ('default', '44', '2024-01-01Z', $1, $2, 60, 60)`
	wantDelta := func(name, before, after, delta, currency string) {
		t.Helper()
		mustClose(t, pool, period.Price, name, "UTC")
		got := one(t, pool, `SELECT string_agg(concat_ws(' ', trim_scale(before), '->', trim_scale(after), '=', trim_scale(delta), currency), ', ' ORDER BY line)
			FROM bill_line WHERE side = 'price' AND period = $1`, name)
		want := strings.TrimSpace(strings.Join(strings.Fields(before+" -> "+after+" = "+delta+" "+currency), " "))
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if pending := wantSound(t, pool, period.Price); pending > 0 {
			t.Errorf("%d lines pending", pending)
		}
	}
	wantDelta("2024-01", "", "", "", "")
	run(t, pool, rate, "0.30", "EUR")
	wantDelta("2024-02", "", "0.6", "0.6", "EUR")
	run(t, pool, `UPDATE rate SET price_per_minute = 0.25`)
	wantDelta("2024-03", "0.6", "0.5", "-0.1", "EUR")
	run(t, pool, `DELETE FROM rate`)
	wantDelta("2024-04", "0.5", "", "-0.5", "EUR")
	run(t, pool, rate, "1", "USD")
	wantDelta("2024-05", "", "2", "2", "USD")
	put(t, pool, call{source: "s", id: "busy", at: day(t, "2024-06-10T12:00")})
	run(t, pool, `UPDATE call SET disposition = 'busy', billsec = 0 WHERE call_id = 'busy'`)
	run(t, pool, `UPDATE rate SET valid_from = '2025-01-01Z'; UPDATE call SET call_time = '2025-02-01Z' WHERE call_id = 'c'`)
	wantDelta("2024-06", "", "0", "0", "")
	run(t, pool, `UPDATE rate SET valid_from = '2024-01-01Z'`)
	if pending := wantSound(t, pool, period.Price); pending > 0 {
		t.Errorf("%d lines for an unanswered call that has a rate now", pending)
	}
	got := one(t, pool, `SELECT concat_ws(' ', kind, billsec, billed_sec, rate, deck) FROM bill_line WHERE line = 5`)
	if got != "adjustment 61 120 1 default" {
		t.Errorf("the line keeps %q", got)
	}
}
