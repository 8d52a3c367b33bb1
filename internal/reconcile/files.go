package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// What a row of the report says of a record.
const (
	Same            = "same"
	NotPricedByThem = "not priced by them"
	NotPricedByUs   = "not priced by us"
	Repeated        = "repeated"

	OnlyTheirs = "only theirs"
	OnlyOurs   = "only ours"
)

// Options say how files are compared.
type Options struct {
	Tolerance Tolerance

	// From and To bound what of ours the files should have: records that start in
	// [From, To). Zero: from the first to the last start in the files.
	From, To time.Time
}

// Row is what became of one record: Same, Differs, NotPricedByThem, NotPricedByUs,
// OnlyTheirs, OnlyOurs, Repeated or Unreadable. File and line are empty for OnlyOurs.
type Row struct {
	Status      string       `json:"status"`
	File        string       `json:"file,omitempty"`
	Line        int          `json:"line,omitempty"`
	CallID      string       `json:"call_id,omitempty"`    // as the file has it, else ours
	RecordKey   string       `json:"record_key,omitempty"` // ours where there is one
	StartedAt   time.Time    `json:"started_at,omitzero"`  // UTC
	Billsec     cdr.Amount   `json:"billsec,omitzero"`     // seconds
	Cost        cdr.Amount   `json:"cost,omitzero"`
	Currency    string       `json:"currency,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Files compares the CDRs of files with those that count in the tables and hands
// each row to report, the same ones too. It writes nothing but temporary tables:
// records are sorted by call there, so that memory is bounded whatever the size.
func Files(ctx context.Context, pool *pgxpool.Pool, in Input, o Options, report func(Row) error, progress func(records int)) (Totals, error) {
	c := comparison{ctx: ctx, source: in.Source.Name, files: in.Files, o: o, report: report, totals: newTotals(), directions: map[cdr.Direction]bool{}}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead}
	err := pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		c.tx = tx
		if err := c.load(in, progress); err != nil {
			return err
		}
		if err := c.byCall(); err != nil {
			return fmt.Errorf("compare by call: %w", err)
		}
		if err := c.byLikeness(); err != nil {
			return fmt.Errorf("compare what no id connects: %w", err)
		}
		return nil
	})
	return *c.totals, err
}

// comparison is one run of Files.
type comparison struct {
	ctx    context.Context
	tx     pgx.Tx
	source string
	files  []string
	o      Options
	report func(Row) error
	totals *Totals

	rows        [][]any // read and not yet in theirs
	n           int64
	first, last time.Time // starts in the files
	directions  map[cdr.Direction]bool
}

const createTheirs = `
CREATE TEMPORARY TABLE reconcile_theirs (
    n bigint, file text, line bigint, call_id text, family text, event_id uuid, record_key text, leg text, facts text
) ON COMMIT DROP`

const createLeft = `
CREATE TEMPORARY TABLE reconcile_left (
    theirs boolean, file text, line bigint, call_id text, record_key text, src text, dst text, started_at timestamptz, facts text
) ON COMMIT DROP`

// load puts the CDRs of the files into a temporary table.
func (c *comparison) load(in Input, progress func(int)) error {
	for _, sql := range []string{createTheirs, createLeft} {
		if _, err := c.tx.Exec(c.ctx, sql); err != nil {
			return fmt.Errorf("create a temporary table: %w", err)
		}
	}
	read := 0
	err := in.read(c.ctx, func(e entry) error {
		if read++; read%maxBatch == 0 {
			progress(read)
		}
		return c.take(e)
	})
	if err != nil {
		return err
	}
	return c.flush()
}

func (c *comparison) take(e entry) error {
	if e.Reject != nil {
		c.totals.Unreadable++
		return c.report(Row{Status: Unreadable, File: e.file, Line: e.line, Reason: e.Reject.Reason})
	}
	record := e.cdr()
	if record == nil {
		c.totals.Others++
		return nil
	}
	if fault := e.wrongNumber(); fault != "" {
		c.totals.Unreadable++
		return c.report(Row{Status: Unreadable, File: e.file, Line: e.line, Reason: fault})
	}
	if !e.keyed {
		record.CallID, record.RecordKey = "", ""
	}
	at := record.Facts.StartedAt
	if c.first.IsZero() || at.Before(c.first) {
		c.first = at
	}
	if at.After(c.last) {
		c.last = at
	}
	c.directions[record.Facts.Direction] = true
	facts, err := json.Marshal(record.Facts)
	if err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	c.n++
	c.rows = append(c.rows, []any{c.n, e.file, e.line, record.CallID, family(record), record.ID, record.RecordKey, record.Leg, string(facts)})
	if len(c.rows) < maxBatch {
		return nil
	}
	return c.flush()
}

func (c *comparison) flush() error {
	columns := []string{"n", "file", "line", "call_id", "family", "event_id", "record_key", "leg", "facts"}
	_, err := c.tx.CopyFrom(c.ctx, pgx.Identifier{"reconcile_theirs"}, columns, pgx.CopyFromRows(c.rows))
	c.rows = nil
	if err != nil {
		return fmt.Errorf("fill a temporary table: %w", err)
	}
	return nil
}

// span is what of ours the files should have.
func (c *comparison) span() (from, to time.Time) {
	from, to = c.first, c.last.Add(time.Second)
	if !c.o.From.IsZero() {
		from = c.o.From
	}
	if !c.o.To.IsZero() {
		to = c.o.To
	}
	return from, to
}

// expected reports whether the files should have a record of ours. They are of
// the directions that they hold.
func (c *comparison) expected(f *cdr.Facts) bool {
	from, to := c.span()
	if f.StartedAt.Before(from) || !f.StartedAt.Before(to) {
		return false
	}
	return len(c.directions) == 0 || f.Direction == "" || c.directions[""] || c.directions[f.Direction]
}
