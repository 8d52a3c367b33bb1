package reconcile

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

const declareLeft = `
DECLARE reconcile_rest NO SCROLL CURSOR FOR
SELECT theirs, file, line, call_id, record_key, src, dst, started_at, facts FROM reconcile_left
ORDER BY dst, src, started_at, theirs, line`

// rest is a record that no id connects with the other side.
type rest struct {
	Theirs    bool
	File      string
	Line      int
	CallID    string
	RecordKey string
	Src, Dst  string
	StartedAt time.Time
	FactsText string
	facts     *cdr.Facts
}

// byLikeness pairs what is left by start, numbers and talk time: rows that name no
// call, and rows whose ids are not the ones that are pushed. Whoever finds no
// partner within a second is on one side only.
func (c *comparison) byLikeness() error {
	if _, err := c.tx.Exec(c.ctx, declareLeft); err != nil {
		return err
	}
	var open []rest // of the last second, without a partner
	for {
		rows, err := c.tx.Query(c.ctx, "FETCH 2000 FROM reconcile_rest")
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r rest, err error) {
			err = row.Scan(&r.Theirs, &r.File, &r.Line, &r.CallID, &r.RecordKey, &r.Src, &r.Dst, &r.StartedAt, &r.FactsText)
			return r, err
		})
		if err != nil {
			return err
		}
		for _, r := range list {
			r.facts = &cdr.Facts{}
			if err := json.Unmarshal([]byte(r.FactsText), r.facts); err != nil {
				return fmt.Errorf("facts: %w", err)
			}
			if open, err = c.advance(open, r); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			return c.alone(open)
		}
	}
}

// advance gives up those that are too old to be a partner of r, and pairs r with
// one of the others or adds it to them.
func (c *comparison) advance(open []rest, r rest) ([]rest, error) {
	var old []rest
	open = slices.DeleteFunc(open, func(o rest) bool {
		gone := o.Src != r.Src || o.Dst != r.Dst || r.StartedAt.Sub(o.StartedAt) >= time.Second
		if gone {
			old = append(old, o)
		}
		return gone
	})
	if err := c.alone(old); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(open, func(o rest) bool { return mayBePartners(o, r) })
	if i < 0 {
		return append(open, r), nil
	}
	theirs, ours := r, open[i]
	if ours.Theirs {
		theirs, ours = ours, theirs
	}
	c.countUnkeyed(theirs)
	err := c.pair(theirs.File, theirs.Line, theirs.event(), ours.event(), "matched by start, numbers and duration")
	return slices.Delete(open, i, i+1), err
}

func mayBePartners(a, b rest) bool {
	if a.Theirs == b.Theirs || !a.facts.Billsec.Decimal.Equal(b.facts.Billsec.Decimal) {
		return false
	}
	keyed := a.Theirs && a.CallID != "" || b.Theirs && b.CallID != ""
	return !keyed || distinctive(a.event())
}

func (r rest) event() *cdr.Event {
	return &cdr.Event{CallID: r.CallID, RecordKey: r.RecordKey, Facts: r.facts}
}

// alone reports records that are on one side only.
func (c *comparison) alone(list []rest) error {
	for _, r := range list {
		row := Row{
			Status: OnlyOurs, File: r.File, Line: r.Line, CallID: r.CallID, RecordKey: r.RecordKey, StartedAt: r.StartedAt.UTC(),
			Billsec: r.facts.Billsec, Cost: r.facts.Cost, Currency: r.facts.Currency,
		}
		if r.Theirs {
			row.Status = OnlyTheirs
			c.totals.OnlyTheirs++
			c.totals.Theirs.add(r.facts, "")
			c.countUnkeyed(r)
		} else {
			c.totals.OnlyOurs++
			c.totals.Ours.add(r.facts, "")
		}
		if err := c.report(row); err != nil {
			return err
		}
	}
	return nil
}

// countUnkeyed counts the call of a row that names none: one a row, as nobody
// can tell better.
func (c *comparison) countUnkeyed(r rest) {
	if r.CallID == "" {
		c.totals.Theirs.Calls++
	}
}
