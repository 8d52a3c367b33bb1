package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
)

// batchLevels are the numbers of connections that send batches.
func batchLevels() []int { return []int{1, 2, 4} }

// batchRounds sends batches to the receiver and its opponent, hands the same
// kind of batches to the store, and copies the same rows into the same tables.
func batchRounds(ctx context.Context, b *bench) error {
	t, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer t.stop()
	if err := b.warmUp(ctx, t.receiver, t.byHand); err != nil {
		return err
	}
	n := max(4, int(20*b.o.seconds))
	alone, err := b.openStore(ctx)
	if err != nil {
		return err
	}
	defer alone.Close()
	for _, connections := range batchLevels() {
		next := func() traffic { return batches(b.newSeed(), n) }
		p := plan{connections: connections, atMost: b.o.duration()}
		if err := b.interleave(ctx, "batches", b.fewRounds(), p, next, t.receiver, t.byHand); err != nil {
			return err
		}
		if err := b.limits(ctx, alone, t.receiver, connections, n); err != nil {
			return err
		}
	}
	return errors.Join(b.checkBoth(ctx, t), b.check(ctx, alone.target, true))
}

// limits measures what does without HTTP.
func (b *bench) limits(ctx context.Context, alone storeAlone, from *target, connections, n int) error {
	for round := range b.fewRounds() {
		t := batches(b.newSeed(), n)
		stored, err := b.saveAll(ctx, alone, t, connections)
		if err != nil {
			return fmt.Errorf("store alone: %w", err)
		}
		copied, err := b.copyAll(ctx, from, connections, n)
		if err != nil {
			return fmt.Errorf("COPY: %w", err)
		}
		b.keep(stored, round)
		b.keep(copied, round)
	}
	return nil
}

// keep adds a round to those of its kind.
func (b *bench) keep(r round, n int) {
	b.say("%-9s %-9s %4d connections %9.0f CDRs/s", r.Kind, r.Target, r.Connections, r.recordsPerSecond())
	for i, o := range b.results.Rounds {
		if n > 0 && o.Kind == r.Kind && o.Target == r.Target && o.Connections == r.Connections {
			b.results.Rounds[i] = add(o, r, n+1)
			return
		}
	}
	b.results.Rounds = append(b.results.Rounds, r)
}

// storeAlone is the store in this process.
type storeAlone struct {
	*store.Store
	target *target
}

func (b *bench) openStore(ctx context.Context) (storeAlone, error) {
	url, err := b.database(ctx, "store")
	if err != nil {
		return storeAlone{}, err
	}
	s, err := store.Open(ctx, url, quiet())
	return storeAlone{s, &target{name: "store", database: url}}, err
}

// saveAll decodes batches, which is not measured, and saves them.
func (b *bench) saveAll(ctx context.Context, s storeAlone, t traffic, connections int) (round, error) {
	adapter, _ := provider.ByName("didww")
	var work [][]cdr.Record
	records := 0
	for _, r := range t.requests {
		z, err := gzip.NewReader(bytes.NewReader(r.body))
		if err != nil {
			return round{}, err
		}
		body, err := io.ReadAll(z)
		if err != nil {
			return round{}, err
		}
		work = append(work, adapter.Read(cdr.Delivery{Source: "didww", Provider: "didww", Body: body, ReceivedAt: time.Now()}))
		records += r.records
	}
	all := map[int]bool{}
	for i := range t.requests {
		all[i] = true
	}
	b.expect(s.target, t, all, records)
	took, err := b.timed(ctx, connections, len(work), func(i int) error { return s.SaveAll(ctx, work[i]) })
	return round{Target: "store", Kind: "batches", Connections: connections, Requests: len(work), Records: records, Seconds: took}, err
}

// timed does pieces of work side by side and returns how many seconds it took.
func (b *bench) timed(ctx context.Context, workers, pieces int, do func(i int) error) (float64, error) {
	if _, err := b.meter.admin.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, err
	}
	errs := make([]error, workers)
	begin := time.Now()
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for i := w; i < pieces && errs[w] == nil; i += workers {
				errs[w] = do(i)
			}
		})
	}
	running.Wait()
	return time.Since(begin).Seconds(), errors.Join(errs...)
}

// copyAll copies rows that the receiver has stored, 1,000 events and their share
// of calls in a transaction, into empty tables.
func (b *bench) copyAll(ctx context.Context, from *target, connections, n int) (round, error) {
	url, err := b.database(ctx, "copy")
	if err != nil {
		return round{}, err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return round{}, err
	}
	defer pool.Close()
	events, records, err := rowsOf(ctx, from, "event WHERE kind = 'cdr' AND source = 'didww'", n)
	if err != nil {
		return round{}, err
	}
	calls, _, err := rowsOf(ctx, from, "call WHERE source = 'didww' AND cdrs > 0", n)
	if err != nil {
		return round{}, err
	}
	took, err := b.timed(ctx, connections, len(events), func(i int) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(events[i]), "COPY event FROM STDIN")
			if err == nil && i < len(calls) {
				_, err = tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(calls[i]), "COPY call FROM STDIN")
			}
			return err
		})
	})
	return round{Target: "COPY", Kind: "batches", Connections: connections, Requests: len(events), Records: records, Seconds: took}, err
}

// rowsOf reads up to n times 1,000 rows, as COPY writes them, in pieces of 1,000.
func rowsOf(ctx context.Context, from *target, where string, n int) (pieces [][]byte, rows int, err error) {
	conn, err := pgx.Connect(ctx, from.database)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only read from
	var out bytes.Buffer
	_, err = conn.PgConn().CopyTo(ctx, &out, fmt.Sprintf("COPY (SELECT * FROM %s LIMIT %d) TO STDOUT", where, n*batchSize))
	if err != nil {
		return nil, 0, err
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
	for piece := range slices.Chunk(lines, batchSize) {
		pieces = append(pieces, bytes.Join(piece, nil))
	}
	return pieces, len(lines), nil
}
