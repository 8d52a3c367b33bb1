package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/pgarray"
)

// write writes everything or nothing, in one round trip.
func (b *batch) write(ctx context.Context, pool *pgxpool.Pool, w *changes) error {
	var p pipeline
	q := db.New(&p)
	if w.events.Source.Len() > 0 {
		if err := q.AddEvents(ctx, w.events); err != nil {
			return err
		}
	}
	if w.repeats.Source.Len() > 0 {
		if err := q.CountRepeats(ctx, w.repeats); err != nil {
			return err
		}
	}
	if err := w.calls.write(ctx, q); err != nil {
		return err
	}
	if err := b.writeOthers(ctx, q); err != nil {
		return err
	}
	return p.send(ctx, pool)
}

// pipeline stands in for a connection: it gathers statements that go to the
// server together.
type pipeline struct{ statements []statement }

type statement struct {
	sql       string
	arguments []any
}

// Exec gathers a statement. Its error comes with send.
func (p *pipeline) Exec(_ context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	p.statements = append(p.statements, statement{sql, arguments})
	return pgconn.CommandTag{}, nil
}

var errNoRows = errors.New("a pipeline returns no rows")

// Query fails: nothing is read before send.
func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errNoRows }

// QueryRow fails, as Query does.
func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

type noRow struct{}

func (noRow) Scan(...any) error { return errNoRows }

// send runs what was gathered as one transaction, in one round trip.
func (p *pipeline) send(ctx context.Context, pool *pgxpool.Pool) error {
	if len(p.statements) == 0 {
		return nil
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	pgarray.Register(conn.Conn().TypeMap())
	if len(p.statements) == 1 { // is a transaction by itself
		_, err := conn.Exec(ctx, p.statements[0].sql, p.statements[0].arguments...)
		return err
	}
	return p.sendAll(ctx, conn)
}

// sendAll says BEGIN and COMMIT although Postgres takes what comes in one go for a
// transaction anyway: Citus does not.
func (p *pipeline) sendAll(ctx context.Context, conn *pgxpool.Conn) error {
	var batch pgx.Batch
	batch.Queue("BEGIN")
	for _, s := range p.statements {
		batch.Queue(s.sql, s.arguments...)
	}
	batch.Queue("COMMIT")
	err := conn.SendBatch(ctx, &batch).Close()
	if err != nil {
		_, _ = conn.Exec(ctx, "ROLLBACK") // where it fails the connection is given up
	}
	return err
}

// inTransaction is for what has to look between its statements.
func inTransaction(ctx context.Context, pool *pgxpool.Pool, do func(*db.Queries) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		pgarray.Register(tx.Conn().TypeMap())
		return do(db.New(tx))
	})
}
