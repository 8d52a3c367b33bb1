package rate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

// Options say how a file is imported.
type Options struct {
	Deck    string         // of all lines; empty: the file's column says it
	Zone    *time.Location // of times that name none; nil: UTC
	Replace bool           // the decks of the file become what the file says, and nothing else
	DryRun  bool           // only find faults and count
}

// Imported is what an import has done, or a dry run would do.
type Imported struct {
	Lines   int // without the header and empty lines
	Added   int
	Known   int // were there already, just so
	Closed  int // rates that now end earlier, where a new one begins
	Removed int // by Options.Replace: rates that the file does not have, or has otherwise

	Note string // that prices of closed periods change; empty: they do not
}

// Import adds the rates of a CSV file. All lines are added, or none: then the
// error is *Faults, or says why the file or the database cannot be read. It
// reads in bounded memory. progress is called with the number of lines so far.
func Import(ctx context.Context, pool *pgxpool.Pool, r io.Reader, o Options, progress func(int)) (Imported, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	t, err := openTable(r)
	if err != nil {
		return Imported{}, err
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		return Imported{}, fmt.Errorf("import rates: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after the commit it does nothing
	in, err := copyLines(ctx, tx, t, o, progress)
	if err != nil {
		return Imported{}, err
	}
	if err := prepare(ctx, tx, o, in.faults); err != nil {
		return Imported{}, err
	}
	if in.lines == 0 {
		return Imported{}, errors.New("the file has no rates below its header")
	}
	if err := in.faults.orNil(); err != nil {
		return Imported{}, err
	}
	done, err := apply(ctx, tx, o, in.lines)
	if err != nil || o.DryRun {
		return done, err
	}
	if err := tx.Commit(ctx); err != nil {
		return Imported{}, fmt.Errorf("import rates: %w", err)
	}
	return done, nil
}

// lines gives COPY those that can be read, and collects the faults of the rest.
type lines struct {
	table    *table
	reader   *lineReader
	faults   *Faults
	progress func(int)

	lines   int // seen, with faults or not
	current []any
	err     error
}

func copyLines(ctx context.Context, tx pgx.Tx, t *table, o Options, progress func(int)) (*lines, error) {
	if _, err := tx.Exec(ctx, createLines); err != nil {
		return nil, fmt.Errorf("import rates: make a table for the lines: %w", err)
	}
	l := &lines{table: t, reader: newLineReader(t.header, o.Deck, o.Zone), faults: &Faults{}, progress: progress}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"rate_line"}, []string{"line", colDeck, colPrefix, colValidFrom, colValidTo, colPricePerMinute,
		colConnectionFee, colFirstIncrement, colNextIncrement, colCurrency, colDescription}, l)
	if l.err != nil {
		return nil, fmt.Errorf("read the file after %d lines of rates: %w", l.lines, l.err)
	}
	if err != nil {
		return nil, fmt.Errorf("import rates: copy the lines: %w", err)
	}
	return l, nil
}

// Next goes on to the next line that can be read.
func (l *lines) Next() bool {
	for {
		cells, number, err := l.table.next()
		var parse *csv.ParseError
		switch {
		case errors.As(err, &parse):
			l.lines++
			l.faults.add(Fault{Line: number, Reason: parse.Err.Error()})
			continue
		case errors.Is(err, io.EOF):
			return false
		case err != nil:
			l.err = err
			return false
		}
		l.lines++
		l.progress(l.lines)
		r, faults := l.reader.read(cells)
		for _, f := range faults {
			f.Line = number
			l.faults.add(f)
		}
		if len(faults) == 0 {
			l.current = values(number, r)
			return true
		}
	}
}

// Values are those of the line that Next went on to.
func (l *lines) Values() ([]any, error) { return l.current, nil }

// Err is why Next stopped before the end.
func (l *lines) Err() error { return l.err }

func values(line int, r Rate) []any {
	return []any{
		line, r.Deck, r.Prefix, r.ValidFrom, pgtype.Timestamptz{Time: r.ValidTo, Valid: !r.ValidTo.IsZero()},
		numeric(r.PricePerMinute), numeric(r.ConnectionFee), r.FirstIncrement, r.NextIncrement, r.Currency,
		pgtype.Text{String: r.Description, Valid: r.Description != ""},
	}
}

// apply makes the table what the timeline says.
func apply(ctx context.Context, tx pgx.Tx, o Options, lines int) (Imported, error) {
	done := Imported{Lines: lines}
	statements := []struct {
		sql   string
		count *int
	}{{closeEarlier, &done.Closed}, {addLines, &done.Added}, {analyzeRates, nil}}
	if o.Replace {
		statements[0].sql, statements[0].count = removeOthers, &done.Removed
	}
	var from pgtype.Timestamptz
	if err := tx.QueryRow(ctx, earliest).Scan(&from); err != nil {
		return Imported{}, fmt.Errorf("import rates: %w", err)
	}
	for _, s := range statements {
		tag, err := tx.Exec(ctx, s.sql)
		if err != nil {
			return Imported{}, fmt.Errorf("import rates: %w", err)
		}
		if s.count != nil {
			*s.count = int(tag.RowsAffected())
		}
	}
	done.Known = done.Lines - done.Added
	if done.Removed > 0 {
		from = boundFrom(time.Time{})
	}
	if done.Added+done.Removed == 0 {
		return done, nil
	}
	var err error
	done.Note, err = closedNote(ctx, db.New(tx), momentOf(from))
	return done, err
}
