package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/pgarray"
)

// write writes everything or nothing, in one round trip, which also brings what
// settle needs.
func (b *batch) write(ctx context.Context, pool *pgxpool.Pool, w *buffers) error {
	if b.isRepeat(w) {
		return countRepeat(ctx, pool, b.events[0])
	}
	var p pipeline
	for _, read := range b.reads() {
		if err := p.read(ctx, read); err != nil {
			return err
		}
	}
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
	return p.send(ctx, pool, w)
}

// isRepeat reports whether the batch is nothing but one event that is known.
func (b *batch) isRepeat(w *buffers) bool {
	return len(b.events) == 1 && w.repeats.Source.Len() == 1 && w.calls.len()+w.calls.notes.Source.Len() == 0 &&
		len(b.recordings)+len(b.messages)+len(b.rejects) == 0
}

func countRepeat(ctx context.Context, pool *pgxpool.Pool, e *cdr.Event) error {
	n, err := db.New(pool).CountRepeat(ctx, db.CountRepeatParams{
		Source: e.Source, CallID: e.CallID, EventID: uuid(e.ID), Deliveries: int32(e.Deliveries),
		ReceivedAt: moment(e.ReceivedAt), LastReceivedAt: moment(e.LastReceivedAt),
	})
	if err == nil && n != 1 {
		return errOvertaken
	}
	return err
}

// pipeline stands in for a connection: it gathers statements that go to the
// server together.
type pipeline struct{ statements []statement }

type statement struct {
	sql       string
	arguments []any
	read      func(pgx.Rows) error // what to do with its rows; nil: it has none
}

// Exec gathers a statement. Its error comes with send.
func (p *pipeline) Exec(_ context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	p.statements = append(p.statements, statement{sql: sql, arguments: arguments})
	return pgconn.CommandTag{}, nil
}

// Query fails: there are no rows before send. What returns some goes through read.
func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errNotYet }

// QueryRow fails, as Query does.
func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

var errNotYet = errors.New("a pipeline has no rows before it is sent")

type noRow struct{}

func (noRow) Scan(...any) error { return errNotYet }

// read gathers a statement that returns rows. It does what it is given twice:
// now, to see the statement, and when the rows have come.
func (p *pipeline) read(ctx context.Context, do func(context.Context, *db.Queries) error) error {
	var asked question
	if err := do(ctx, db.New(&asked)); !errors.Is(err, errNotYet) {
		return fmt.Errorf("gather what to read: %w", err)
	}
	p.statements = append(p.statements, statement{asked.sql, asked.arguments, func(rows pgx.Rows) error {
		return do(ctx, db.New(&answer{rows: rows}))
	}})
	return nil
}

// question notes a statement and has no answer.
type question struct {
	pipeline
	sql       string
	arguments []any
}

// Query notes the statement.
func (q *question) Query(_ context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	q.sql, q.arguments = sql, arguments
	return nil, errNotYet
}

// answer has the rows already.
type answer struct {
	pipeline
	rows pgx.Rows
}

// Query returns the rows.
func (a *answer) Query(context.Context, string, ...any) (pgx.Rows, error) { return a.rows, nil }

// send runs what was gathered as one transaction, in one round trip. The buffers
// may be used again where it succeeds.
func (p *pipeline) send(ctx context.Context, pool *pgxpool.Pool, w *buffers) error {
	if len(p.statements) == 0 {
		return nil
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	citus, err := hasCitus(ctx, conn.Conn())
	if err != nil {
		return err
	}
	pgarray.Register(conn.Conn().TypeMap())
	frontend := conn.Conn().PgConn().Frontend()
	frontend.Send(loan{&w.wire, p.size(&w.parameters)})
	if len(p.statements) == 1 { // is a transaction by itself
		_, err = conn.Exec(ctx, p.statements[0].sql, p.statements[0].arguments...)
	} else {
		err = p.sendAll(ctx, conn, citus)
	}
	if err == nil {
		frontend.Send(loan{})
	}
	return err
}

// size is about as much as everything takes that is sent. The parameters of each
// statement will be built in memory that was used before.
func (p *pipeline) size(memory *[]byte) int {
	n := 0
	for _, s := range p.statements {
		n += pgarray.Reserve(memory, s.arguments) + 10*len(s.arguments) + 128
	}
	return n
}

// sendAll sends several statements. Postgres takes what comes in one go for a
// transaction; Citus does not, and wants to hear BEGIN and COMMIT.
func (p *pipeline) sendAll(ctx context.Context, conn *pgxpool.Conn, citus bool) error {
	var batch pgx.Batch
	if citus {
		batch.Queue("BEGIN")
	}
	for _, s := range p.statements {
		queued := batch.Queue(s.sql, s.arguments...)
		if s.read != nil {
			queued.Query(s.read)
		}
	}
	if citus {
		batch.Queue("COMMIT")
	}
	err := conn.SendBatch(ctx, &batch).Close()
	if err != nil && citus {
		_, _ = conn.Exec(ctx, "ROLLBACK") // where it fails the connection is given up
	}
	return err
}

// hasCitus asks once for each connection.
func hasCitus(ctx context.Context, conn *pgx.Conn) (bool, error) {
	const key = "cdrstore: has Citus"
	if known, ok := conn.PgConn().CustomData()[key].(bool); ok {
		return known, nil
	}
	shards, err := db.New(conn).CitusShards(ctx)
	if err != nil {
		return false, fmt.Errorf("look for Citus: %w", err)
	}
	conn.PgConn().CustomData()[key] = shards != ""
	return shards != "", nil
}

// inTransaction is for what has to look between its statements.
func inTransaction(ctx context.Context, pool *pgxpool.Pool, do func(*db.Queries) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		pgarray.Register(tx.Conn().TypeMap())
		return do(db.New(tx))
	})
}
