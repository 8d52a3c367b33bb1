// Package export writes a table or view of calls as CSV, NDJSON or Parquet, row
// by row as Postgres sends them, so that neither this process nor Postgres holds
// more than a few megabytes of it. It only reads the database, and imports
// nothing of the service but db.
package export

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

// Options say what is exported and how.
type Options struct {
	What        string    // one of Relations
	Format      string    // one of Formats; empty: by the ending of Output, else csv
	Columns     []string  // in this order; none: all, in the order of the relation
	From, To    time.Time // what the time column of the relation must be at or after, and before; zero: open
	Source      string    // rows of this source only; empty: of all
	Spreadsheet bool      // CSV: for opening in a spreadsheet, see the command's help
	Output      string    // file that is there whole or not at all; "-": standard output
}

// Progress is told now and then how many rows are written, and about how many
// Postgres expects in all.
type Progress func(rows, about int64)

// Run exports what the options say and returns the number of rows written. After
// an error no file is left that was not there before; what went to stdout is not
// complete. A canceled context is an error.
func Run(ctx context.Context, pool *pgxpool.Pool, o Options, stdout io.Writer, progress Progress) (int64, error) {
	o = o.withFormat()
	if err := o.check(); err != nil {
		return 0, err
	}
	if o.Output == "-" {
		rows, err := write(ctx, pool, o, interruptible{ctx, stdout}, progress)
		if errors.Is(err, syscall.EPIPE) {
			return rows, errors.New("standard output was closed before the last row: what was read from it is not complete")
		}
		return rows, err
	}
	var rows int64
	err := writeFile(o.Output, func(w io.Writer) (err error) {
		if !strings.HasSuffix(o.Output, gzipped) {
			rows, err = write(ctx, pool, o, w, progress)
			return err
		}
		z := gzip.NewWriter(w)
		if rows, err = write(ctx, pool, o, z, progress); err != nil {
			return err
		}
		return z.Close()
	})
	return rows, err
}

// write exports one statement's rows, and so one snapshot.
func write(ctx context.Context, pool *pgxpool.Pool, o Options, w io.Writer, progress Progress) (rows int64, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return 0, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing to undo
	q := db.New(tx)
	if _, err := q.PrepareExport(ctx); err != nil {
		return 0, fmt.Errorf("prepare the export: %w", err)
	}
	r, err := o.relation()
	if err != nil {
		return 0, err
	}
	columns, err := describe(ctx, conn.Conn(), r, o.Columns)
	if err != nil {
		return 0, err
	}
	enc := newEncoder(w, o, columns)
	if rows, err = stream(ctx, tx, statement(r, columns, o), enc, progress); err != nil {
		return rows, err
	}
	if rows == 0 && o.Source != "" {
		if err := isSource(ctx, q, o.Source); err != nil {
			return 0, err
		}
	}
	if err := enc.close(); err != nil {
		return rows, fmt.Errorf("finish: %w", err)
	}
	return rows, nil
}

// stream gives the rows of a query to the encoder, one by one. It reads them by
// a cursor, which Postgres plans for the first rows to come soon: in the order of
// an index, and not by sorting everything.
func stream(ctx context.Context, tx pgx.Tx, s query, enc encoder, progress Progress) (rows int64, err error) {
	about, err := s.open(ctx, tx)
	if err != nil {
		return 0, err
	}
	for {
		n, err := fetch(ctx, tx, enc, rows)
		rows += n
		switch {
		case ctx.Err() != nil:
			return rows, fmt.Errorf("stopped after %d rows: %w", rows, ctx.Err())
		case err != nil:
			return rows, err
		case n == 0:
			return rows, nil
		}
		progress(rows, about)
	}
}

// fetch gives the encoder the cursor's next rows, and returns how many it took;
// 0 is the end. Before says how many came before, for errors.
func fetch(ctx context.Context, tx pgx.Tx, enc encoder, before int64) (rows int64, err error) {
	result := tx.Conn().PgConn().ExecParams(ctx, "FETCH FORWARD 1000 FROM export", nil, nil, nil, nil)
	for result.NextRow() {
		if err := enc.row(result.Values()); err != nil {
			_, _ = result.Close() // the error of the row says more
			return rows, fmt.Errorf("row %d: %w", before+rows+1, err)
		}
		rows++
	}
	tag, err := result.Close()
	if err != nil {
		return rows, fmt.Errorf("read row %d: %w", before+rows+1, err)
	}
	if tag.RowsAffected() != rows {
		return rows, fmt.Errorf("%d rows came of %d that Postgres sent", rows, tag.RowsAffected())
	}
	return rows, nil
}

// isSource is an error where a source that has no rows is not known at all.
func isSource(ctx context.Context, q *db.Queries, name string) error {
	names, err := q.SourceNames(ctx)
	if err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	return fmt.Errorf("no source has the name %q, only: %s", name, strings.Join(names, ", "))
}
