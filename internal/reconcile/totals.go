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
	Same       int `json:"same"`
	Differ     int `json:"differ"`
	OnlyTheirs int `json:"only_theirs"`
	OnlyOurs   int `json:"only_ours"`
	Unreadable int `json:"unreadable"`
	Repeated   int `json:"repeated"` // rows of the files about a record that a later row is about too
	Others     int `json:"others"`   // records of the files that are no CDRs
	Emptied    int `json:"emptied"`  // records whose call was pruned here, so that they cannot be compared
	Theirs     Sum `json:"theirs"`
	Ours       Sum `json:"ours"`
}

// Sum is what the CDRs of one side come to. Currencies are never added together.
type Sum struct {
	Calls   int                        `json:"calls"`
	Records int                        `json:"records"`
	Billsec decimal.Decimal            `json:"billsec"` // seconds
	Cost    map[string]decimal.Decimal `json:"cost"`    // by currency; empty: it is not known
	NoCost  int                        `json:"no_cost"` // records without an amount
}

func newTotals() *Totals {
	return &Totals{Theirs: Sum{Cost: map[string]decimal.Decimal{}}, Ours: Sum{Cost: map[string]decimal.Decimal{}}}
}

// Agree reports whether nothing differs and all could be read.
func (t *Totals) Agree() bool { return t.Differ+t.OnlyTheirs+t.OnlyOurs == 0 }

// Currencies lists those of both sides.
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
	if !f.Cost.Valid {
		s.NoCost++
		return
	}
	currency := cmp.Or(f.Currency, otherwise)
	s.Cost[currency] = s.Cost[currency].Add(f.Cost.Decimal)
}
