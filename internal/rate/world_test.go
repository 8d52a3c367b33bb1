package rate_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	numbering "github.com/cdrstore/cdrstore/internal/number"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
)

// world is a random set of rates, tariffs and calls.
type world struct {
	random  *rand.Rand
	rates   []rate.Rate
	tariffs []rate.Tariff // as they were set, one after another
	calls   []worldCall
}

// worldCall is a call, and what the model says of it.
type worldCall struct {
	call
	rate.Calls
	Sent string
}

func one[T any](w *world, of ...T) T { return of[w.random.IntN(len(of))] }

// newWorld draws what often meets: few prefixes, days, decks and accounts.
func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 20))}
	prefixes := []string{
		"", "1", "11", "112", "1212", "44", "442", "4420", "44207946", "555", "442079460123", "22", "0", "00",
		"exact:112", "exact:alice", "exact:442079460123", "exact:15551234567", "exact:*43", "exact:44207",
	}
	for _, deck := range []string{"default", "gold", "silver"} {
		for _, prefix := range prefixes {
			if strings.HasPrefix(prefix, "0") || w.random.IntN(3) == 0 {
				continue
			}
			from := w.random.IntN(3)
			for range 1 + w.random.IntN(3) {
				to := from + 1 + w.random.IntN(4)
				w.rates = append(w.rates, rate.Rate{
					Deck: deck, Prefix: prefix, ValidFrom: dayAt(from), ValidTo: dayAt(to),
					PricePerMinute: decimal.New(w.random.Int64N(100_000), -int32(w.random.IntN(9))),
					ConnectionFee:  one(w, decimal.Zero, decimal.RequireFromString("0.0000005"), decimal.New(w.random.Int64N(1000), -3)),
					FirstIncrement: one(w, 0, 1, 6, 30, 60), NextIncrement: one(w, 1, 6, 7, 60), Currency: one(w, "USD", "EUR"),
				})
				from = to + w.random.IntN(2)
			}
		}
	}
	for range 12 {
		t := rate.Tariff{Calls: w.who(), Deck: one(w, "gold", "silver", "default", "no rates")}
		if from := w.random.IntN(12); w.random.IntN(3) > 0 {
			t.ValidFrom = dayAt(from)
			if w.random.IntN(2) == 0 {
				t.ValidTo = dayAt(from + 1 + w.random.IntN(5))
			}
		}
		w.tariffs = append(w.tariffs, t)
	}
	for range 600 {
		w.calls = append(w.calls, w.call())
	}
	return w
}

func (w *world) who() rate.Calls {
	return rate.Calls{Source: one(w, "", "none", "british", "american"), Account: one(w, "", "a"), Trunk: one(w, "", "", "t"), Direction: one(w, "", "outbound")}
}

func (w *world) call() worldCall {
	c := worldCall{Calls: w.who()}
	c.Source = cmp.Or(c.Source, "none")
	digits := one(w, "112", "1", "12125550123", "2125550123", "442079460123", "442079460", "02079460123", "5551234567", "15551234567", "2212345", "123456", "1234567", "4420794601234567")
	switch w.random.IntN(4) {
	case 0:
		c.Sent = one(w, "", "alice", "sip:alice@example.com", "anonymous", "*43", "<sip:112@example.com;user=phone>", "sip:442079460123@10.0.0.1", "Alice", " 112 ")
	case 1:
		c.Sent = one(w, "+", "00", "+ ") + digits
	case 2:
		c.Sent = one(w, "", " ") + digits[:1] + one(w, "-", " ", "(", ".") + digits[1:]
	default:
		c.Sent = digits
		if w.random.IntN(2) == 0 && len(digits) > 6 && digits[0] != '0' {
			c.Number = "+" + digits
		}
	}
	c.Disposition = one(w, "answered", "answered", "answered", "answered", "busy", "unknown")
	c.At = dayAt(w.random.IntN(14)).Add(one(w, -time.Microsecond, 0, time.Hour))
	if w.random.IntN(10) > 0 {
		c.Billsec = decimal.NewNullDecimal(decimal.New(w.random.Int64N(20000), -int32(w.random.IntN(3))))
	}
	return c
}

// reading is what the model compares with prefixes, digit by digit.
func (c worldCall) reading() (form, number string) {
	if c.Number != "" {
		return "E.164", c.Number[1:]
	}
	user := strings.TrimSpace(c.Sent)
	user = strings.TrimPrefix(strings.TrimPrefix(user, "<"), "sip:")
	if at := strings.IndexAny(user, "@;>"); at >= 0 {
		user = user[:at]
	}
	digits, plus := strings.CutPrefix(user, "+")
	for _, between := range []string{" ", "-", "(", ")", "."} {
		digits = strings.ReplaceAll(digits, between, "")
	}
	switch {
	case user == "":
		return "", ""
	case strings.Trim(digits, "0123456789") != "":
		return "name", user
	}
	all := digits
	if plus {
		all = "+" + digits
	}
	form = "digits as sent"
	switch {
	case plus:
		form = "international"
	case strings.HasPrefix(digits, "00"):
		form, digits = "international", digits[2:]
	case len(digits) < 7:
	case c.Source == "british" && digits[0] == '0':
		form, digits = "national", "44"+digits[1:]
	case c.Source == "american" && len(digits) == 10:
		form, digits = "national", "1"+digits
	case c.Source == "american" && len(digits) == 11 && digits[0] == '1':
		form = "national"
	}
	switch {
	case len(digits) < 7:
		return "short code", strings.TrimPrefix(all, "+")
	case len(digits) > 15:
		return "name", all
	}
	return form, digits
}

// deck paints the tariffs that were set over each other, and takes the narrowest.
func (w *world) deck(c worldCall) string {
	best, deck := -1, "default"
	for i, t := range w.tariffs {
		rank := 0
		for bit, pair := range [][2]string{{t.Direction, c.Direction}, {t.Source, c.Source}, {t.Account, c.Account}, {t.Trunk, c.Trunk}} {
			switch pair[0] {
			case "":
			case pair[1]:
				rank |= 1 << bit
			default:
				rank = -100
			}
		}
		if rank >= best && w.validAt(i, c.At) {
			best, deck = rank, t.Deck
		}
	}
	return deck
}

// validAt: without an end a tariff was set until the next one began, of those
// for the same calls that were set before it.
func (w *world) validAt(i int, at time.Time) bool {
	t := w.tariffs[i]
	if at.Before(t.ValidFrom) {
		return false
	}
	to := t.ValidTo
	if to.IsZero() {
		for _, begin := range w.begins(i) {
			if begin.After(t.ValidFrom) && (to.IsZero() || begin.Before(to)) {
				to = begin
			}
		}
	}
	return to.IsZero() || at.Before(to)
}

// begins are the times at which the deck of exactly these calls changes hands,
// by the tariffs that were set before one: each day is looked at.
func (w *world) begins(i int) (times []time.Time) {
	last := -1
	for day := -1; day < 30; day++ {
		at, owner, piece := dayAt(day), -1, false
		if day < 0 {
			at = time.Time{}
		}
		for j := range i {
			if w.tariffs[j].Calls == w.tariffs[i].Calls && w.validAt(j, at) {
				owner = j
			}
			piece = piece || w.tariffs[j].Calls == w.tariffs[i].Calls && w.tariffs[j].ValidTo.Equal(at) && day >= 0
		}
		if owner >= 0 && (owner != last || piece) {
			times = append(times, at)
		}
		last = owner
	}
	return times
}

// want is what the model says: exact fractions, no database.
func (w *world) want(c worldCall) string {
	form, number := c.reading()
	deck := w.deck(c)
	best, exact := -1, false
	for i, r := range w.rates {
		if r.Deck != deck || !r.ValidAt(c.At) || number == "" {
			continue
		}
		name, isExact := strings.CutPrefix(r.Prefix, "exact:")
		switch {
		case isExact && name == number:
			best, exact = i, true
		case isExact || exact || form == "short code" || form == "name" || !strings.HasPrefix(number, r.Prefix):
		case best < 0 || len(r.Prefix) > len(w.rates[best].Prefix):
			best = i
		}
	}
	prefix := "-"
	var only []rate.Rate
	if best >= 0 {
		r := w.rates[best]
		prefix = r.Prefix
		r.Prefix, r.Deck = "", ""
		only = append(only, r)
	}
	c.Number = "+1"
	price, _, _ := reference(only, c.call)
	return fmt.Sprintf("%s|%s|%s|%s|%s", deck, form, number, prefix, text(price))
}

// TestWorldsArePricedAsTheModelSays: numbers in every form, exact rates, tariffs
// for a time that are set over each other.
func TestWorldsArePricedAsTheModelSays(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for source, country := range map[string]string{"none": "", "british": "GB", "american": "US"} {
		code, pattern := numbering.National(country)
		if _, err := pool.Exec(t.Context(), `INSERT INTO source (name, provider, calling_code, national_pattern) VALUES ($1, 'wavix', nullif($2, ''), nullif($3, ''))`,
			source, code, pattern); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(12) {
		w := newWorld(seed)
		w.store(t, pool)
		rows, err := pool.Query(t.Context(), `
			SELECT concat_ws('|', deck, coalesce(number_form, ''), coalesce(number, ''), coalesce(prefix, '-'), coalesce(price::text, '-')) FROM rated_cdr ORDER BY call_id::int`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(got) != len(w.calls) {
			t.Fatalf("%d calls, %v", len(got), err)
		}
		for i, c := range w.calls {
			if want := w.want(c); got[i] != want {
				t.Fatalf("seed %d, call %d %+v: got %s, want %s; tariffs %+v", seed, i, c, got[i], want, w.tariffs)
			}
		}
		w.explain(t, pool)
	}
}

func (w *world) store(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), `DELETE FROM call; DELETE FROM rate; DELETE FROM tariff`); err != nil {
		t.Fatal(err)
	}
	if _, err := rate.Import(t.Context(), pool, strings.NewReader(file(w.rates)), rate.Options{}, ignore); err != nil {
		t.Fatal(err)
	}
	for _, tariff := range w.tariffs {
		if _, _, err := rate.SetTariff(t.Context(), pool, tariff); err != nil {
			t.Fatal(err)
		}
	}
	batch := &pgx.Batch{}
	for i, c := range w.calls {
		billsec := ""
		if c.Billsec.Valid {
			billsec = c.Billsec.Decimal.String()
		}
		batch.Queue(insertCall, c.Source, strconv.Itoa(i), c.Account, c.Trunk, c.Direction, c.Number, c.Disposition, c.At.Format(time.RFC3339Nano), billsec, "", "", c.Sent)
	}
	if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}

// explain looks whether explanations agree with the view.
func (w *world) explain(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for i := range 25 {
		c := w.calls[i]
		e, err := rate.Explain(t.Context(), pool, c.Source, strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		r, found := e.Rate()
		if got := fmt.Sprintf("%s|%s|%s|%s|%s", e.Deck, e.NumberForm, e.Number, map[bool]string{true: r.Prefix, false: "-"}[found], text(e.Price)); got != w.want(c) {
			t.Errorf("call %+v is explained as %s, want %s", c, got, w.want(c))
		}
		if e.Tariff != nil && e.Tariff.Deck != e.Deck || e.Tariff == nil && e.Deck != "default" {
			t.Errorf("call %+v: deck %s by tariff %+v", c, e.Deck, e.Tariff)
		}
		if (e.Unpriced == "") != e.Price.Valid || slices.Contains([]string{"", "not answered: free"}, e.Reason()) && !e.Price.Valid {
			t.Errorf("call %+v: price %s, because %s, unpriced %s", c, text(e.Price), e.Reason(), e.Unpriced)
		}
	}
}
