package cookbook

import (
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Prices by the files of the price lists, computed by hand.

// listed is a line of a price list.
type listed struct {
	prefix, currency string
	from, to         time.Time
	perMinute, fee   decimal.Decimal
	first, next      int64
}

type lists map[string][]listed

// rates reads the price lists by hand.
func (d *demo) rates() lists {
	d.Helper()
	all := lists{}
	for _, deck := range []string{"retail-eur", "retail-usd"} {
		file, err := os.Open(filepath.Join(docs(d), "demo", deck+".csv"))
		if err != nil {
			d.Fatal(err)
		}
		lines, err := csv.NewReader(file).ReadAll()
		_ = file.Close() // it was only read
		if err != nil {
			d.Fatal(err)
		}
		for _, line := range lines[1:] {
			cell := map[string]string{}
			for i, name := range lines[0] {
				cell[name] = line[i]
			}
			all[deck] = append(all[deck], listedOf(d, cell))
		}
	}
	return all
}

func listedOf(t testing.TB, cell map[string]string) listed {
	t.Helper()
	from, err := time.Parse(time.DateOnly, cell["valid_from"])
	if err != nil {
		t.Fatal(err)
	}
	to, err := time.Parse(time.DateOnly, cmp.Or(cell["valid_to"], "2100-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := strconv.ParseInt(cell["first_increment"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	next, err := strconv.ParseInt(cell["next_increment"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return listed{
		cell["prefix"], cell["currency"], from, to,
		decimal.RequireFromString(cell["price_per_minute"]), decimal.RequireFromString(cell["connection_fee"]), first, next,
	}
}

// price is what a call costs by a deck, and the line that says so. Answered calls
// of unknown length, and those to no line, have no price.
func (l lists) price(deck string, c *cdr.Call) (best listed, price cdr.Amount) {
	for _, r := range l[deck] {
		if strings.HasPrefix(c.DstE164, "+"+r.prefix) && !c.CallTime.Before(r.from) && c.CallTime.Before(r.to) && len(r.prefix) > len(best.prefix) {
			best = r
		}
	}
	switch {
	case best.prefix == "" || c.Disposition == cdr.Unknown:
		return best, cdr.Amount{}
	case c.Disposition != cdr.Answered:
		return best, decimal.NewNullDecimal(decimal.Zero)
	case !c.Billsec.Valid:
		return best, cdr.Amount{}
	}
	sixty := decimal.NewFromInt(60)
	time := roundUp(c.Billsec, best.first, best.next).Mul(best.perMinute)
	return best, decimal.NewNullDecimal(best.fee.Mul(sixty).Add(time).DivRound(sixty, 6))
}

// roundUp bills talk by increments, by counting.
func roundUp(talk cdr.Amount, first, next int64) decimal.Decimal {
	if talk.Decimal.IsZero() {
		return decimal.Zero
	}
	billed := decimal.NewFromInt(first)
	for billed.LessThan(talk.Decimal) {
		billed = billed.Add(decimal.NewFromInt(next))
	}
	return billed
}

func perMinute(rate, seconds decimal.Decimal) cdr.Amount {
	return decimal.NewNullDecimal(rate.Mul(seconds).DivRound(decimal.NewFromInt(60), 6))
}
