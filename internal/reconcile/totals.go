package reconcile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Totals count what Files compared.
type Totals struct {
	Same            int `json:"same"`
	Differ          int `json:"differ"`
	NotPricedByThem int `json:"not_priced_by_them"` // pairs that are the same but for a cost that they do not state
	NotPricedByUs   int `json:"not_priced_by_us"`
	OnlyTheirs      int `json:"only_theirs"`
	OnlyOurs        int `json:"only_ours"`
	Unreadable      int `json:"unreadable"`
	Repeated        int `json:"repeated"` // rows of the files about a record that a later row is about too; their sums count all
	Others          int `json:"others"`   // records of the files that are no CDRs
	Emptied         int `json:"emptied"`  // records whose call was pruned here, so that they cannot be compared
	Theirs          Sum `json:"theirs"`
	Ours            Sum `json:"ours"`

	Forgiven Forgiven `json:"forgiven"`
}

// Forgiven is what the tolerance let pass, theirs less ours.
type Forgiven struct {
	Records int                        `json:"records"`
	Billsec decimal.Decimal            `json:"billsec"` // seconds
	Amount  map[string]decimal.Decimal `json:"amount"`  // cost and tax, by currency
}

// Sum is what the CDRs of one side come to. Currencies are never added together.
type Sum struct {
	Calls   int                        `json:"calls"`
	Records int                        `json:"records"`
	Billsec decimal.Decimal            `json:"billsec"` // seconds
	Cost    map[string]decimal.Decimal `json:"cost"`    // by currency; empty: it is not known
	Tax     map[string]decimal.Decimal `json:"tax"`     // by currency, where it is stated
	NoCost  int                        `json:"no_cost"` // records without an amount
}

func newTotals() *Totals {
	sum := func() Sum { return Sum{Cost: map[string]decimal.Decimal{}, Tax: map[string]decimal.Decimal{}} }
	return &Totals{Theirs: sum(), Ours: sum(), Forgiven: Forgiven{Amount: map[string]decimal.Decimal{}}}
}

// Agree reports whether each record of the files is one of ours that says the same,
// and there are any.
func (t *Totals) Agree() bool {
	return t.Same > 0 && t.Differ+t.NotPricedByThem+t.NotPricedByUs+t.OnlyTheirs+t.OnlyOurs+t.Repeated == 0
}

// count counts a pair.
func (t *Totals) count(status, currency string, c comparing) {
	switch status {
	case Same:
		t.Same++
	case NotPricedByThem:
		t.NotPricedByThem++
	case NotPricedByUs:
		t.NotPricedByUs++
	default:
		t.Differ++
	}
	if c.forgiven.amount.IsZero() && c.forgiven.billsec.IsZero() {
		return
	}
	t.Forgiven.Records++
	t.Forgiven.Billsec = t.Forgiven.Billsec.Add(c.forgiven.billsec)
	if !c.forgiven.amount.IsZero() {
		t.Forgiven.Amount[currency] = t.Forgiven.Amount[currency].Add(c.forgiven.amount)
	}
}

// Currencies lists those of the costs of both sides.
func (t *Totals) Currencies() []string {
	all := maps.Clone(t.Theirs.Cost)
	maps.Copy(all, t.Ours.Cost)
	return slices.Sorted(maps.Keys(all))
}

// add adds a record. Where it does not say its currency it is the other side's, as
// far as that knows it: both are one amount.
func (s *Sum) add(f *cdr.Facts, otherwise string) {
	s.Records++
	s.Billsec = s.Billsec.Add(f.Billsec.Decimal)
	currency := cmp.Or(f.Currency, otherwise)
	if f.Tax.Valid {
		s.Tax[currency] = s.Tax[currency].Add(f.Tax.Decimal)
	}
	if !f.Cost.Valid {
		s.NoCost++
		return
	}
	s.Cost[currency] = s.Cost[currency].Add(f.Cost.Decimal)
}
