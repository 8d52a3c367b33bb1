package reconcile

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Tolerance is how far a file and the tables may be apart and still be the same.
type Tolerance struct {
	Amount  decimal.Decimal // of money, in its currency
	Seconds decimal.Decimal // of lengths and moments
}

// Difference is a field in which a record of a file and ours differ, by the
// names of table call.
type Difference struct {
	Field  string     `json:"field"`
	Theirs string     `json:"theirs"`
	Ours   string     `json:"ours"`
	By     cdr.Amount `json:"difference,omitzero"` // theirs less ours: an amount, or seconds; null where there is no such thing
}

// compare returns in what two records of one call differ. What one of both does
// not say is no difference, but for a cost: missing is not zero.
func compare(theirs, ours *cdr.Facts, t Tolerance) []Difference {
	return comparisonOf(theirs, ours, t).found
}

func comparisonOf(theirs, ours *cdr.Facts, t Tolerance) comparing {
	c := comparing{t: t}
	c.number("duration", theirs.Duration, ours.Duration, t.Seconds)
	c.forgiven.billsec = c.number("billsec", theirs.Billsec, ours.Billsec, t.Seconds)
	c.number("charged_sec", theirs.ChargedSec, ours.ChargedSec, t.Seconds)
	c.cost(theirs, ours)
	c.forgiven.amount = c.forgiven.amount.Add(c.number("tax", theirs.Tax, ours.Tax, t.Amount))
	if theirs.Disposition != cdr.Unknown && ours.Disposition != cdr.Unknown {
		c.text("disposition", string(theirs.Disposition), string(ours.Disposition))
	}
	c.moment("started_at", theirs.StartedAt, ours.StartedAt)
	c.moment("answered_at", theirs.AnsweredAt, ours.AnsweredAt)
	c.moment("ended_at", theirs.EndedAt, ours.EndedAt)
	c.party("src", theirs.Src, ours.Src)
	if theirs.DID != "" && ours.DID != "" {
		c.party("did", theirs.DID, ours.DID) // where it went from there has no one spelling
	} else {
		c.party("dst", theirs.Dst, ours.Dst)
	}
	return c
}

type comparing struct {
	t        Tolerance
	found    []Difference
	forgiven struct{ amount, billsec decimal.Decimal } // theirs less ours, within the tolerance
}

// number compares two numbers that are known, and returns by how much they are
// apart within the tolerance.
func (c *comparing) number(field string, theirs, ours cdr.Amount, within decimal.Decimal) decimal.Decimal {
	if !theirs.Valid || !ours.Valid {
		return decimal.Zero
	}
	by := theirs.Decimal.Sub(ours.Decimal)
	if by.Abs().GreaterThan(within) {
		c.found = append(c.found, Difference{field, number(theirs), number(ours), decimal.NewNullDecimal(by)})
		return decimal.Zero
	}
	return by
}

// free reports whether a record that has no cost may as well have one of 0, which
// files print for calls that nobody answered.
func free(f *cdr.Facts) bool { return f.Disposition != cdr.Answered && !f.Billsec.Decimal.IsPositive() }

// cost compares what was charged. A cost that one side does not know is a
// difference, unless the other one is 0 for a call that nobody answered.
func (c *comparing) cost(theirs, ours *cdr.Facts) {
	if theirs.Cost.Valid && ours.Cost.Valid && theirs.Currency != ours.Currency && theirs.Currency != "" && ours.Currency != "" {
		c.found = append(c.found, Difference{Field: "currency", Theirs: theirs.Currency, Ours: ours.Currency})
		return
	}
	if theirs.Cost.Valid != ours.Cost.Valid {
		if !free(theirs) || !free(ours) || !theirs.Cost.Decimal.Add(ours.Cost.Decimal).IsZero() {
			c.found = append(c.found, Difference{Field: "cost", Theirs: number(theirs.Cost), Ours: number(ours.Cost)})
		}
		return
	}
	c.forgiven.amount = c.number("cost", theirs.Cost, ours.Cost, c.t.Amount)
}

// status is what the differences make of a pair.
func status(differences []Difference) string {
	switch {
	case len(differences) == 0:
		return Same
	case len(differences) == 1 && differences[0].Field == "cost" && differences[0].Theirs == "":
		return NotPricedByThem
	case len(differences) == 1 && differences[0].Field == "cost" && differences[0].Ours == "":
		return NotPricedByUs
	}
	return Differs
}

func (c *comparing) text(field, theirs, ours string) {
	if theirs != ours && theirs != "" && ours != "" {
		c.found = append(c.found, Difference{Field: field, Theirs: theirs, Ours: ours})
	}
}

// party compares numbers without the + that some write.
func (c *comparing) party(field, theirs, ours string) {
	if plus(theirs) != plus(ours) {
		c.text(field, theirs, ours)
	}
}

// moment compares to the second where the file prints no more.
func (c *comparing) moment(field string, theirs, ours time.Time) {
	if theirs.IsZero() || ours.IsZero() {
		return
	}
	by, within := theirs.Sub(ours), cdr.Span(decimal.NewNullDecimal(c.t.Seconds))
	if theirs.Nanosecond() == 0 {
		within += time.Second - time.Microsecond
	}
	if by.Abs() > within {
		seconds := decimal.NewNullDecimal(decimal.New(by.Microseconds(), -6))
		c.found = append(c.found, Difference{field, theirs.Format(time.RFC3339Nano), ours.Format(time.RFC3339Nano), seconds})
	}
}

func plus(number string) string { return strings.TrimPrefix(number, "+") }

func number(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.String()
}
