package cookbook

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// sums adds amounts by a key.
type sums map[string]decimal.Decimal

func (s sums) add(a cdr.Amount, key ...string) {
	if a.Valid {
		k := strings.Join(key, "/")
		s[k] = s[k].Add(a.Decimal)
	}
}

// checkMoney computes the amounts of the answers anew, from the stored calls and
// the files of the price lists, without SQL.
func (d *demo) checkMoney(tables map[string]table) {
	d.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		d.Fatal(err)
	}
	rates := d.rates()
	day, country, cost, prices, margin, prefix, invoice, billed, fraud := sums{}, sums{}, sums{}, sums{}, sums{}, sums{}, sums{}, sums{}, sums{}
	for _, c := range d.ended() {
		local := c.CallTime.In(london)
		if c.Source == "didww" || c.Source == "wavix" {
			day.add(c.Cost, local.Format(time.DateOnly), c.Source, c.Currency)
		}
		if c.Source == "didww" && c.Src == "442079460613" && strings.HasPrefix(c.DstE164, "+8835") {
			fraud.add(c.Cost, c.Src)
		}
		deck, priced := map[string]string{"didww": "retail-eur", "wavix": "retail-usd"}[c.Source]
		if c.Direction != cdr.Outbound || !priced {
			continue
		}
		r, price := rates.price(deck, &c)
		month := local.Format("2006-01")
		if month == "2025-10" {
			country.add(c.Cost, c.DstCountry, c.Currency)
			cost.add(c.Cost, deck, c.Currency)
			prices.add(price, deck, c.Currency)
			if r.currency == c.Currency {
				margin.add(cdr.Amount{Decimal: price.Decimal.Sub(c.Cost.Decimal), Valid: price.Valid && c.Cost.Valid}, deck, c.Currency)
			}
			prefix.add(price, deck, r.prefix)
		}
		kind := "call"
		if month == "2025-10" && c.FirstReceivedAt.Month() == time.November {
			month, kind = "2025-11", "adjustment"
		}
		invoice.add(price, month, kind, c.Source, c.DstCountry)
		billed.add(c.Cost, c.Source, c.DstCountry, c.Currency)
	}
	d.compare(tables, "What did each day cost, by London's calendar?", "cost", day, "day", "source", "currency")
	d.compare(tables, "What do we spend by country?", "cost", country, "country", "currency")
	d.compare(tables, "What do we earn with each price list?", "cost", cost, "deck", "cost_currency")
	d.compare(tables, "What do we earn with each price list?", "price", prices, "deck", "cost_currency")
	d.compare(tables, "What do we earn with each price list?", "margin", margin, "deck", "cost_currency")
	d.compare(tables, "Which destinations of the price list are called most?", "price", prefix, "deck", "prefix")
	months := tables["What do we invoice for a closed month?"]
	d.compare(map[string]table{"prices": months.where("side", "price")}, "prices", "amount", invoice, "period", "kind", "source", "dst_country")
	d.compareBilled(months.where("side", "cost"), billed)
	d.compare(tables, "Fraud: who made many calls to one destination in ten minutes?", "cost", fraud, "src")
	d.compareIncrements(tables)
	d.compareExpensive(tables)
	d.compareLegs(tables)
}

// ended returns all calls that have ended, but for those of September, as the store
// reads them.
func (d *demo) ended() []cdr.Call {
	d.Helper()
	rows, err := d.pool.Query(d.Context(), "SELECT source, call_id FROM call")
	if err != nil {
		d.Fatal(err)
	}
	ids := map[string][]string{}
	for rows.Next() {
		var source, id string
		if err := rows.Scan(&source, &id); err != nil {
			d.Fatal(err)
		}
		ids[source] = append(ids[source], id)
	}
	if rows.Err() != nil {
		d.Fatal(rows.Err())
	}
	var all []cdr.Call
	for source, those := range ids {
		calls, err := d.store.Calls(d.Context(), source, those)
		if err != nil {
			d.Fatal(err)
		}
		for _, c := range calls {
			if c.State == cdr.StateEnded && c.CallTime.Month() >= time.October {
				all = append(all, c)
			}
		}
	}
	return all
}

// compare wants the amounts of an answer, and no others.
func (d *demo) compare(tables map[string]table, title, column string, want sums, by ...string) {
	d.Helper()
	got := tables[title].column(column, by...)
	maps.DeleteFunc(got, func(_, amount string) bool { return amount == "" })
	if len(got) != len(want) || len(want) == 0 {
		d.Errorf("%s: %d amounts in %s, want %d: %v, %v", title, len(got), column, len(want), got, want)
	}
	for key, amount := range want {
		if is, err := decimal.NewFromString(got[key]); err != nil || !is.Equal(amount) {
			d.Errorf("%s: %s of %s is %q, want %s", title, column, key, got[key], amount)
		}
	}
}

// compareBilled wants the lines of all months to add up to what the calls cost
// now, corrections included.
func (d *demo) compareBilled(lines table, want sums) {
	d.Helper()
	got := sums{}
	for key, amount := range lines.column("amount", "source", "dst_country", "currency", "period", "kind") {
		parts := strings.Split(key, "/")
		got.add(decimal.NewNullDecimal(decimal.RequireFromString(cmp.Or(amount, "0"))), parts[:3]...)
	}
	for key, amount := range want {
		if !got[key].Equal(amount) {
			d.Errorf("the lines of %s add up to %s, the calls to %s", key, got[key], amount)
		}
	}
	if len(want) == 0 {
		d.Error("no call has a cost")
	}
}

// compareIncrements bills DIDWW's outbound calls by other increments.
func (d *demo) compareIncrements(tables map[string]table) {
	d.Helper()
	want := map[string]sums{"by_rate": {}, "by_60_60": {}, "by_1_1": {}, "sec_60_60": {}, "sec_1_1": {}, "charged_sec": {}}
	for _, c := range d.ended() {
		if c.Source != "didww" || c.Direction != cdr.Outbound || c.Disposition != cdr.Answered || c.CallTime.Month() != time.October {
			continue
		}
		minutes, seconds := roundUp(c.Billsec, 60, 60), roundUp(c.Billsec, 1, 1)
		want["charged_sec"].add(c.ChargedSec, c.Currency)
		want["sec_60_60"].add(decimal.NewNullDecimal(minutes), c.Currency)
		want["sec_1_1"].add(decimal.NewNullDecimal(seconds), c.Currency)
		want["by_rate"].add(perMinute(c.Rate.Decimal, c.ChargedSec.Decimal), c.Currency)
		want["by_60_60"].add(perMinute(c.Rate.Decimal, minutes), c.Currency)
		want["by_1_1"].add(perMinute(c.Rate.Decimal, seconds), c.Currency)
	}
	for column, amounts := range want {
		d.compare(tables, "What would a carrier charge with other billing increments?", column, amounts, "currency")
	}
}

// compareExpensive wants the three highest costs of each currency.
func (d *demo) compareExpensive(tables map[string]table) {
	d.Helper()
	costs := map[string][]decimal.Decimal{}
	for _, c := range d.ended() {
		if c.Cost.Decimal.IsPositive() && c.CallTime.Month() == time.October {
			costs[c.Currency] = append(costs[c.Currency], c.Cost.Decimal)
		}
	}
	want := sums{}
	for currency, all := range costs {
		slices.SortFunc(all, func(a, b decimal.Decimal) int { return b.Cmp(a) })
		for i, cost := range all[:min(3, len(all))] {
			want[currency+"/"+strconv.Itoa(i+1)] = cost
		}
	}
	d.compare(tables, "Which calls were the most expensive?", "cost", want, "currency", "place")
}

// compareLegs wants the legs to add up to the call.
func (d *demo) compareLegs(tables map[string]table) {
	d.Helper()
	total := sums{}
	legs := tables["What did each leg of a call cost?"]
	for _, cost := range legs.column("cost", "leg") {
		total["call"] = total["call"].Add(decimal.RequireFromString(cmp.Or(cost, "0")))
	}
	for leg, cost := range legs.column("cost_of_call", "leg") {
		if !total["call"].Equal(decimal.RequireFromString(cost)) || len(legs.rows) < 2 {
			d.Errorf("leg %s: the call cost %s, its %d legs %s", leg, cost, len(legs.rows), total["call"])
		}
	}
}
