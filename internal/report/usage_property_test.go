package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

const usageTexts = `SELECT to_char(bucket_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), bucket_local,
	source, provider, account, trunk, direction, country, currency, attempts::text, answered::text,
	trim_scale(duration)::text, trim_scale(billsec)::text, trim_scale(billed_sec)::text, billed_unknown::text, trim_scale(cost)::text, cost_unknown::text
	FROM usage($1::text::timestamp, $2::text::timestamp, $3, $4, VARIADIC $5::text[])`

// TestUsageProperty compares usage with adding in Go, before the sums are
// computed, while they are, and after calls have changed.
func TestUsageProperty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			r := rand.New(rand.NewPCG(seed, 1))
			calls := map[string]aCall{}
			for i := range 400 {
				c := drawCall(t, r, i)
				calls[c.CallID] = c
				insert(t, pool, c)
			}
			for round := range 6 {
				for range 6 {
					compareUsage(t, pool, r, calls)
				}
				switch round {
				case 0, 2, 4:
					refreshOnce(t, pool, 1+r.IntN(150))
					for range r.IntN(4) {
						tendOnce(t, pool, []string{"'0', '0'", "'1 hour', '1 hour'"}[r.IntN(2)])
					}
				default:
					for range 1 + r.IntN(40) {
						changeCall(t, pool, r, calls)
					}
				}
			}
		})
	}
}

func drawCall(t testing.TB, r *rand.Rand, i int) aCall {
	t.Helper()
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	amount := func(text string) decimal.NullDecimal {
		if r.IntN(3) == 0 {
			return decimal.NullDecimal{}
		}
		return known(text)
	}
	sixty := 60
	c := aCall{
		Source: pick("a", "b"), CallID: fmt.Sprint(i), Account: pick("", "x", "y"), Trunk: pick("", "t"),
		Direction: pick("", "inbound", "outbound"), Country: pick("", "GB", "US"), State: pick("ended", "ended", "ended", "ringing"),
		At:       at(t, "2026-10-24T00:00:00Z").Add(time.Duration(r.IntN(3*24*3600)) * time.Second),
		Currency: pick("", "USD", "EUR"), Duration: amount(fmt.Sprint(r.IntN(100))), Billsec: amount(fmt.Sprint(r.IntN(90))),
		Charged: amount(fmt.Sprint(60 * r.IntN(3))), Cost: amount(fmt.Sprintf("0.%03d", r.IntN(1000))),
	}
	if r.IntN(2) == 0 {
		c.First, c.Next = &sixty, &sixty
	}
	if c.State == "ended" {
		c.Disposition = pick("answered", "busy")
		end := c.At.Add(time.Duration(r.IntN(7200)) * time.Second)
		c.Ended = &end
	}
	return c
}

// changeCall moves, changes or removes a call as the store does: with a row of
// call_change by the same transaction.
func changeCall(t testing.TB, pool *pgxpool.Pool, r *rand.Rand, calls map[string]aCall) {
	t.Helper()
	id := fmt.Sprint(r.IntN(400))
	old, there := calls[id]
	if !there {
		return
	}
	fresh := drawCall(t, r, 0)
	fresh.CallID, fresh.Source = id, old.Source
	gone := r.IntN(5) == 0
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO call_change (source, call_id, old_call_time) VALUES ($1, $2, $3)", old.Source, id, old.At); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "DELETE FROM call WHERE source = $1 AND call_id = $2", old.Source, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(calls, id)
	if gone {
		return
	}
	// In one transaction with its event, whose id marks the new quarter.
	if _, err := pool.Exec(t.Context(), `INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries, problems)
		VALUES ($1, $2, gen_random_uuid(), 'ended', 'x', '', now(), 'provider', now(), now(), 1, '{}')`, old.Source, id); err != nil {
		t.Fatal(err)
	}
	calls[id] = fresh
	insert(t, pool, fresh)
	if _, err := pool.Exec(t.Context(), "INSERT INTO call_change (source, call_id) VALUES ($1, $2)", old.Source, id); err != nil {
		t.Fatal(err)
	}
}

func compareUsage(t testing.TB, q querier, r *rand.Rand, calls map[string]aCall) {
	t.Helper()
	from := at(t, "2026-10-23T22:00:00Z").Add(time.Duration(r.IntN(40*60)) * time.Minute)
	to := from.Add(time.Duration(1+r.IntN(40*60)) * time.Minute)
	bucket := Buckets()[r.IntN(4)]
	zoneName := []string{"UTC", "Europe/London", "Asia/Kolkata", "Asia/Kathmandu"}[r.IntN(4)]
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	dimensions := slices.DeleteFunc(Dimensions(), func(string) bool { return r.IntN(3) > 0 })
	got := lines(t, q, usageTexts, wallOf(from, zone), wallOf(to, zone), bucket, zoneName, dimensions)
	// The wall clock names the first of two moments.
	want := addUsage(calls, firstOf(from, zone), firstOf(to, zone), bucket, zone, dimensions)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("usage from %s to %s by %s and %v in %s:\n%s\nwant\n%s", from, to, bucket, dimensions, zoneName, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wallOf(m time.Time, zone *time.Location) string { return m.In(zone).Format("2006-01-02 15:04:05") }

func firstOf(m time.Time, zone *time.Location) time.Time {
	if earlier := m.Add(-time.Hour); wallOf(earlier, zone) == wallOf(m, zone) {
		return earlier
	}
	return m
}

// addUsage is usage in Go, as lines of text, sorted.
func addUsage(calls map[string]aCall, from, to time.Time, bucket string, zone *time.Location, dimensions []string) []string {
	groups := map[string][]aCall{}
	for _, c := range calls {
		if c.State != "ended" || c.At.Before(from) || !c.At.Before(to) {
			continue
		}
		local := c.At.In(zone)
		start, label := from, ""
		switch bucket {
		case "hour":
			start = c.At.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second)
		case "day":
			start = firstOf(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone), zone)
			label = local.Format("2006-01-02")
		case "month":
			start = firstOf(time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, zone), zone)
			label = local.Format("2006-01")
		}
		if label == "" {
			label = strings.TrimSuffix(start.In(zone).Format("2006-01-02 15:04-07:00"), ":00")
		}
		key := []string{start.UTC().Format("2006-01-02T15:04Z"), label}
		for i, value := range []string{c.Source, c.Source, c.Account, c.Trunk, c.Direction, c.Country} {
			if !slices.Contains(dimensions, Dimensions()[i]) {
				value = ""
			}
			key = append(key, orElse(value, "-"))
		}
		currency := "-"
		if c.Cost.Valid {
			currency = orElse(c.Currency, "-")
		}
		name := strings.Join(append(key, currency), " | ")
		groups[name] = append(groups[name], c)
	}
	var all []string
	for name, group := range groups {
		all = append(all, name+" | "+addGroup(group, strings.HasSuffix(name, " | -")))
	}
	slices.Sort(all)
	return all
}

func addGroup(group []aCall, nameless bool) string {
	var duration, billsec, billed, cost decimal.NullDecimal
	answered, billedUnknown, costUnknown := 0, 0, 0
	costly := map[string]bool{}
	for _, c := range group {
		duration, billsec, cost = plus(duration, c.Duration), plus(billsec, c.Billsec), plus(cost, c.Cost)
		b := c.Charged
		if !b.Valid && c.Billsec.Valid && c.First != nil {
			minutes := c.Billsec.Decimal.Div(decimal.NewFromInt(60)).Ceil()
			b = decimal.NewNullDecimal(minutes.Mul(decimal.NewFromInt(60)))
		}
		billed = plus(billed, b)
		if c.Disposition == "answered" {
			answered++
			if !b.Valid {
				billedUnknown++
			}
		}
		if c.Cost.Valid {
			costly[c.Source] = true
		} else {
			costUnknown++
		}
	}
	if nameless && len(costly) != 1 {
		cost, costUnknown = decimal.NullDecimal{}, len(group)
	}
	return strings.Join([]string{
		fmt.Sprint(len(group)), fmt.Sprint(answered), textOf(duration), textOf(billsec), textOf(billed), fmt.Sprint(billedUnknown), textOf(cost), fmt.Sprint(costUnknown),
	}, " | ")
}

func plus(a, b decimal.NullDecimal) decimal.NullDecimal {
	switch {
	case !a.Valid:
		return b
	case !b.Valid:
		return a
	}
	return decimal.NewNullDecimal(a.Decimal.Add(b.Decimal))
}

func textOf(d decimal.NullDecimal) string {
	if !d.Valid {
		return "-"
	}
	return d.Decimal.String()
}
