package cdr

import "github.com/shopspring/decimal"

// amounts adds what the records of the call were charged. Sums of several
// currencies, or of a known and an unknown one, mean nothing and stay empty; but
// nothing is nothing in every currency.
func (f *folding) amounts(c *Call) {
	var charging, rated []int // places among the parts, which stay on the stack
	currencies, free := map[string]bool{}, map[string]bool{}
	for i := range f.parts {
		p := &f.parts[i]
		if p.live {
			continue
		}
		c.Cost = sum(c.Cost, p.facts.Cost)
		c.Tax = sum(c.Tax, p.facts.Tax)
		c.ChargedSec = sum(c.ChargedSec, p.facts.ChargedSec)
		switch {
		case notZero(p.facts.Cost) || notZero(p.facts.Tax):
			currencies[p.facts.Currency] = true
		case p.facts.Cost.Valid || p.facts.Tax.Valid:
			free[p.facts.Currency] = true
		}
		if p.charges() {
			charging = append(charging, i)
		}
		if p.rated() {
			rated = append(rated, i)
		}
	}
	if len(charging) == 0 {
		charging = rated
	}
	if len(charging) == 0 {
		charging = f.ratedLive()
	}
	f.tariff(c, charging)
	if len(currencies) == 0 {
		currencies = free
	}
	switch len(currencies) {
	case 0:
		c.Currency = f.onlyCurrency(charging)
	case 1:
		for currency := range currencies {
			c.Currency = currency
		}
	default:
		c.Cost, c.Tax, c.Currency = Amount{}, Amount{}, ""
	}
	if c.Cost.Valid {
		c.CostIncludesTax = f.costIncludesTax()
	}
}

// costIncludesTax returns what all records with a cost say alike.
func (f *folding) costIncludesTax() (includes *bool) {
	first := true
	for i := range f.parts {
		switch p := &f.parts[i]; {
		case p.live || !p.facts.Cost.Valid:
		case first:
			includes, first = p.facts.CostIncludesTax, false
		case !same(includes, p.facts.CostIncludesTax):
			return nil
		}
	}
	return includes
}

// charges reports whether a record cost something: an amount, or a rate that is
// not 0 (PIOPIY prints the number 0 for a leg that was free).
func (p *part) charges() bool {
	return notZero(p.facts.Cost) || notZero(p.facts.Rate)
}

func notZero(a Amount) bool { return a.Valid && !a.Decimal.IsZero() }

func (p *part) rated() bool {
	return p.facts.Rate.Valid || p.facts.FirstIncrement != nil || p.facts.NextIncrement != nil
}

func (f *folding) ratedLive() []int {
	var rated []int
	for i := range f.parts {
		if f.parts[i].live && f.parts[i].rated() {
			rated = append(rated, i)
		}
	}
	return rated
}

// tariff sets rate and increments where all charging records agree. What none of
// them says comes from the live events.
func (f *folding) tariff(c *Call, charging []int) {
	c.Rate, c.FirstIncrement, c.NextIncrement = f.agreed(charging)
	var rated, first, next bool
	for _, i := range charging {
		facts := &f.parts[i].facts
		rated = rated || facts.Rate.Valid
		first = first || facts.FirstIncrement != nil
		next = next || facts.NextIncrement != nil
	}
	if rated && first && next {
		return
	}
	rate, firstIncrement, nextIncrement := f.agreed(f.ratedLive())
	if !rated {
		c.Rate = rate
	}
	if !first {
		c.FirstIncrement = firstIncrement
	}
	if !next {
		c.NextIncrement = nextIncrement
	}
}

// agreed returns what all of the parts say alike.
func (f *folding) agreed(parts []int) (rate Amount, first, next *int) {
	for n, i := range parts {
		facts := &f.parts[i].facts
		if n == 0 {
			rate, first, next = facts.Rate, facts.FirstIncrement, facts.NextIncrement
			continue
		}
		if !sameAmount(rate, facts.Rate) {
			rate = Amount{}
		}
		if !same(first, facts.FirstIncrement) {
			first = nil
		}
		if !same(next, facts.NextIncrement) {
			next = nil
		}
	}
	return rate, first, next
}

func (f *folding) onlyCurrency(charging []int) string {
	currency := ""
	for n, i := range charging {
		if n > 0 && f.parts[i].facts.Currency != currency {
			return ""
		}
		currency = f.parts[i].facts.Currency
	}
	return currency
}

func sum(a, b Amount) Amount {
	if !a.Valid {
		return b
	}
	if b.Valid {
		return decimal.NewNullDecimal(a.Decimal.Add(b.Decimal))
	}
	return a
}
