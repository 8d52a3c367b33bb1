package reconcile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// slack is how long after its call an attempt may start and still be found as one
// that only we have.
const slack = 4 * time.Hour

// Every call that the files name, and every one that started in their span. Calls
// of one SIP Call-ID are compared together: a file names them by a rounded start.
const createIDs = `
CREATE TEMPORARY TABLE reconcile_ids ON COMMIT DROP AS
SELECT call_id, family FROM reconcile_theirs WHERE call_id <> ''
UNION
SELECT c.call_id, c.sip_call_id FROM call c WHERE c.source = $1 AND c.sip_call_id IN (SELECT family FROM reconcile_theirs)
UNION
SELECT call_id, coalesce(sip_call_id, call_id) FROM call WHERE source = $1 AND call_time >= $2 AND call_time < $3`

// One list of both sides, sorted on disk where it is long. Postgres alone
// decides the order, so that no two collations can disagree.
const declareBoth = `
DECLARE reconcile_both NO SCROLL CURSOR FOR
SELECT family, call_id, n, file, line, event_id, record_key, leg, facts, NULL::timestamptz AS received_at
FROM reconcile_theirs WHERE call_id <> ''
UNION ALL
SELECT i.family, e.call_id, 0, '', 0, e.event_id, e.record_key, e.leg, e.facts::text, e.received_at
FROM event e JOIN reconcile_ids i ON i.call_id = e.call_id
WHERE e.source = '%s' AND e.kind = 'cdr'
ORDER BY 1, 3, 2`

// both is a row of that list; ours have n 0.
type both struct {
	Family     string
	CallID     string
	N          int64
	File       string
	Line       int
	EventID    [16]byte
	RecordKey  string
	Leg        string
	Facts      *string
	ReceivedAt *time.Time
}

// byCall compares call after call. What is left is kept for byLikeness.
func (c *comparison) byCall() error {
	from, to := c.span()
	if c.n == 0 && c.o.From.IsZero() {
		return nil
	}
	if _, err := c.tx.Exec(c.ctx, createIDs, c.source, from.Add(-slack), to); err != nil {
		return err
	}
	if _, err := c.tx.Exec(c.ctx, "ANALYZE reconcile_ids"); err != nil {
		return err
	}
	if _, err := c.tx.Exec(c.ctx, fmt.Sprintf(declareBoth, quoted(c.source))); err != nil {
		return err
	}
	if err := c.unkeyed(); err != nil {
		return err
	}
	var call []both
	for {
		rows, err := c.tx.Query(c.ctx, "FETCH 2000 FROM reconcile_both")
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[both])
		if err != nil {
			return err
		}
		for _, r := range list {
			if len(call) > 0 && call[0].Family != r.Family {
				if err := c.call(call); err != nil {
					return err
				}
				call = nil
			}
			call = append(call, r)
		}
		if len(list) == 0 {
			return c.call(call)
		}
	}
}

// family is what the calls have in common that are compared together: the SIP
// Call-ID, else the call's own id.
func family(e *cdr.Event) string { return cmp.Or(e.Facts.SIPCallID, e.CallID) }

// quoted escapes a text for a statement that takes no parameters.
func quoted(text string) string {
	var out []rune
	for _, r := range text {
		if out = append(out, r); r == '\'' {
			out = append(out, r)
		}
	}
	return string(out)
}

// unkeyed leaves the rows that name no call to byLikeness.
func (c *comparison) unkeyed() error {
	rows, err := c.tx.Query(c.ctx, "SELECT facts FROM reconcile_theirs WHERE call_id = '' LIMIT 1")
	if err != nil {
		return err
	}
	none := !rows.Next()
	rows.Close()
	if err := rows.Err(); err != nil || none {
		return err
	}
	_, err = c.tx.Exec(c.ctx, `
INSERT INTO reconcile_left
SELECT true, file, line, '', '', ltrim(coalesce(f ->> 'src', ''), '+'), ltrim(coalesce(f ->> 'did', f ->> 'dst', ''), '+'),
       (f ->> 'started_at')::timestamptz, facts
FROM (SELECT *, facts::jsonb AS f FROM reconcile_theirs WHERE call_id = '') t`)
	return err
}

// side is a record of one side in a call.
type side struct {
	both
	cdr.Event
	paired bool
}

// call compares the records of one call, or of those with one SIP Call-ID.
func (c *comparison) call(rows []both) error {
	if len(rows) == 0 {
		return nil
	}
	ours, emptied, err := oursOf(rows)
	if err != nil {
		return err
	}
	theirs, err := c.theirs(rows, emptied)
	if err != nil {
		return err
	}
	if err := c.pairs(theirs, ours, func(t, o *cdr.Event) bool { return t.RecordKey == o.RecordKey }); err != nil {
		return err
	}
	if err := c.pairs(theirs, ours, cdr.SameStart); err != nil {
		return err
	}
	return c.leave(theirs, ours)
}

// theirs returns the records of the files of a call, of repeated ones the last. The
// others are reported and added up: so does double billing look. Forked calls may
// have one SIP Call-ID and second, but not one number.
// Records that are emptied here are left out.
func (c *comparison) theirs(rows []both, emptied map[string]bool) ([]side, error) {
	var theirs []side
	left := map[string]bool{}
	for _, r := range rows {
		if r.N == 0 {
			continue
		}
		e, err := r.event()
		if err != nil {
			return nil, err
		}
		if emptied[e.RecordKey] {
			left[e.RecordKey] = true
			continue
		}
		again := slices.IndexFunc(theirs, func(t side) bool { return t.Event.RecordKey == e.RecordKey && t.Event.Facts.Dst == e.Facts.Dst })
		if again >= 0 {
			if err := c.repeated(&theirs[again], r.Line); err != nil {
				return nil, err
			}
			theirs[again] = side{both: r, Event: e}
			continue
		}
		theirs = append(theirs, side{both: r, Event: e})
	}
	c.totals.Emptied += len(left)
	return theirs, nil
}

func (c *comparison) repeated(s *side, line int) error {
	f := s.Event.Facts
	c.totals.Repeated++
	c.totals.Theirs.add(f, "")
	return c.report(Row{
		Status: Repeated, File: s.File, Line: s.Line, CallID: s.Event.CallID, RecordKey: s.Event.RecordKey, StartedAt: f.StartedAt.UTC(),
		Billsec: f.Billsec, Cost: f.Cost, Currency: f.Currency, Reason: fmt.Sprintf("line %d is about the same record, and is compared", line),
	})
}

// oursOf returns our records that count, and the keys of those that prune or
// erase emptied.
func oursOf(rows []both) (ours []side, emptied map[string]bool, err error) {
	var events []cdr.Event
	emptied = map[string]bool{}
	for _, r := range rows {
		if r.N > 0 {
			continue
		}
		e, err := r.event()
		if err != nil {
			return nil, nil, err
		}
		events = append(events, e)
		emptied[e.RecordKey] = true
	}
	for _, e := range cdr.Records(events) {
		ours = append(ours, side{Event: *e})
	}
	for _, e := range events {
		if e.Facts != nil {
			delete(emptied, e.RecordKey)
		}
	}
	return ours, emptied, nil
}

func (r *both) event() (cdr.Event, error) {
	e := cdr.Event{CallID: r.CallID, ID: r.EventID, Kind: cdr.KindCDR, RecordKey: r.RecordKey, Leg: r.Leg}
	if r.ReceivedAt != nil {
		e.ReceivedAt = *r.ReceivedAt
	}
	if r.Facts == nil {
		return e, nil
	}
	e.Facts = &cdr.Facts{}
	if err := json.Unmarshal([]byte(*r.Facts), e.Facts); err != nil {
		return e, fmt.Errorf("facts of call %q: %w", r.CallID, err)
	}
	return e, nil
}

// pairs pairs what is not paired yet, each with the one nearest in time.
func (c *comparison) pairs(theirs, ours []side, may func(t, o *cdr.Event) bool) error {
	for i := range theirs {
		t := &theirs[i]
		best := -1
		for j := range ours {
			o := &ours[j]
			if t.paired || o.paired || !may(&t.Event, &o.Event) {
				continue
			}
			if best < 0 || gap(&t.Event, &o.Event) < gap(&t.Event, &ours[best].Event) {
				best = j
			}
		}
		if best < 0 {
			continue
		}
		t.paired, ours[best].paired = true, true
		if err := c.pair(t.File, t.Line, &t.Event, &ours[best].Event, ""); err != nil {
			return err
		}
	}
	return nil
}

// pair reports two records that are one.
func (c *comparison) pair(file string, line int, t, o *cdr.Event, reason string) error {
	compared := comparisonOf(t.Facts, o.Facts, c.o.Tolerance)
	differences := compared.found
	if t.CallID != "" && t.CallID != o.CallID && family(t) != family(o) {
		differences = append(differences, Difference{Field: "call_id", Theirs: t.CallID, Ours: o.CallID})
	}
	row := Row{Status: status(differences), File: file, Line: line, CallID: o.CallID, RecordKey: o.RecordKey, StartedAt: o.Facts.StartedAt, Reason: reason, Differences: differences}
	row.Billsec, row.Cost, row.Currency = o.Facts.Billsec, o.Facts.Cost, o.Facts.Currency
	c.totals.count(row.Status, cmp.Or(o.Facts.Currency, t.Facts.Currency), compared)
	c.totals.Theirs.add(t.Facts, o.Facts.Currency)
	c.totals.Ours.add(o.Facts, t.Facts.Currency)
	return c.report(row)
}

// leave keeps what has no counterpart in its call for byLikeness, and counts the
// call.
func (c *comparison) leave(theirs, ours []side) error {
	var left [][]any
	calls := map[bool]map[string]bool{true: {}, false: {}} // by whether they are theirs
	keep := func(isTheirs bool, s *side) error {
		facts, err := json.Marshal(s.Event.Facts)
		l := likeness(&s.Event)
		left = append(left, []any{isTheirs, s.File, s.Line, s.Event.CallID, s.Event.RecordKey, l.Src, l.Dst, l.StartedAt, string(facts)})
		return err
	}
	for i := range theirs {
		calls[true][theirs[i].Event.CallID] = true
		if !theirs[i].paired {
			if err := keep(true, &theirs[i]); err != nil {
				return err
			}
		}
	}
	for i := range ours {
		expected := !ours[i].paired && c.expected(ours[i].Event.Facts)
		if ours[i].paired || expected {
			calls[false][ours[i].Event.CallID] = true
		}
		if expected {
			if err := keep(false, &ours[i]); err != nil {
				return err
			}
		}
	}
	c.totals.Theirs.Calls += len(calls[true])
	c.totals.Ours.Calls += len(calls[false])
	if len(left) == 0 {
		return nil
	}
	columns := []string{"theirs", "file", "line", "call_id", "record_key", "src", "dst", "started_at", "facts"}
	_, err := c.tx.CopyFrom(c.ctx, pgx.Identifier{"reconcile_left"}, columns, pgx.CopyFromRows(left))
	return err
}
