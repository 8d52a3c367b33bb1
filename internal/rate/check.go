package rate

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// prepare makes the timeline of what the decks are to be, and finds the faults
// that lines have beside each other and beside the table.
func prepare(ctx context.Context, tx pgx.Tx, o Options, faults *Faults) error {
	for _, sql := range []string{lockRates, analyzeLines} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("import rates: %w", err)
		}
	}
	if err := find(ctx, tx, faults, sameKey, sameKeyFault); err != nil {
		return err
	}
	if !o.Replace {
		if err := find(ctx, tx, faults, otherValues, otherValuesFault); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, createTimeline, o.Replace); err != nil {
		return fmt.Errorf("import rates: put the lines beside the table: %w", err)
	}
	if _, err := tx.Exec(ctx, analyzeTimeline); err != nil {
		return fmt.Errorf("import rates: %w", err)
	}
	return find(ctx, tx, faults, overlaps, overlapFault)
}

// find adds the faults that a query finds: the first in words, all to the count.
func find(ctx context.Context, tx pgx.Tx, faults *Faults, sql string, scan func(pgx.Rows) (f Fault, total int, err error)) error {
	rows, err := tx.Query(ctx, sql, maxFaults)
	if err != nil {
		return fmt.Errorf("check the lines: %w", err)
	}
	defer rows.Close()
	found, total := 0, 0
	for rows.Next() {
		var f Fault
		if f, total, err = scan(rows); err != nil {
			return fmt.Errorf("check the lines: %w", err)
		}
		faults.add(f)
		found++
	}
	faults.Total += total - found
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check the lines: %w", err)
	}
	return nil
}

func sameKeyFault(rows pgx.Rows) (f Fault, total int, err error) {
	var first int
	err = rows.Scan(&f.Line, &first, &total)
	f.Column, f.Reason = colPrefix, fmt.Sprintf("line %d has the same deck, prefix and valid_from", first)
	return f, total, err
}

func otherValuesFault(rows pgx.Rows) (f Fault, total int, err error) {
	var what string
	err = rows.Scan(&f.Line, &what, &total)
	f.Column, f.Reason = colPrefix, fmt.Sprintf("the deck has this prefix and valid_from with %s; --replace puts the file in the place of the deck", what)
	return f, total, err
}

func overlapFault(rows pgx.Rows) (f Fault, total int, err error) {
	var line *int
	var from time.Time
	var until *time.Time
	err = rows.Scan(&f.Line, &line, &from, &until, &total)
	whose, span := "the rate of the table", moment(from)+" on"
	if line != nil {
		whose = fmt.Sprintf("line %d", *line)
	}
	if until != nil {
		span = moment(from) + " to " + moment(*until)
	}
	f.Column, f.Reason = colValidFrom, fmt.Sprintf("is valid at the same time as %s, from %s", whose, span)
	return f, total, err
}
