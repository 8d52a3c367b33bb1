package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// run writes what waits for a shard until it is closed. It gathers what is queued
// already, for while a batch is being written the next one grows; only where
// commits are slow does it wait a little for more.
func (w *Writer) run(s *shard) {
	for first := range s.queue {
		s.busy.Lock()
		if pause := s.pace.pause; pause > 0 {
			<-time.After(pause)
		}
		parts := s.gather(first)
		s.waiting.Add(-int64(len(parts)))
		w.writeBatch(s, parts)
		s.busy.Unlock()
	}
}

// writeBatch writes a batch and notes how long it took.
func (w *Writer) writeBatch(s *shard, parts []*part) {
	records := 0
	for _, p := range parts {
		records += len(p.records)
	}
	begin := time.Now()
	w.flush(parts)
	s.pace.note(len(parts), records, time.Since(begin))
	if s == w.shards[0] { // which gets everything while commits are slow
		w.slow.Store(s.pace.pause > 0)
	}
}

func (s *shard) gather(first *part) []*part {
	parts, records := []*part{first}, len(first.records)
	for len(parts) < maxDeliveries && records <= maxRecords-maxPart {
		select {
		case p, open := <-s.queue:
			if !open {
				return parts
			}
			parts = append(parts, p)
			records += len(p.records)
		default:
			return parts
		}
	}
	return parts
}

// flush writes parts in one batch and tells each what became of it. Where the
// batch panics, or is refused as our fault, each is tried alone, so that one
// harms only itself.
func (w *Writer) flush(parts []*part) {
	if w.away.Load() {
		for _, p := range parts { // they were queued behind the flush that failed
			p.err = ErrUnavailable
			close(p.done)
		}
		return
	}
	records := parts[0].records
	if len(parts) > 1 {
		records = nil
		for _, p := range parts {
			records = append(records, p.records...)
		}
	}
	outcomes, alone, err := w.save(records, len(parts))
	if alone && len(parts) > 1 {
		for _, p := range parts {
			w.flush([]*part{p})
		}
		return
	}
	for _, p := range parts {
		p.err = err
		if err == nil {
			p.outcomes, outcomes = outcomes[:len(p.records)], outcomes[len(p.records):]
		}
		close(p.done)
	}
}

func (w *Writer) save(records []cdr.Record, deliveries int) (outcomes []store.Outcome, alone bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.metrics.refused.Inc()
			w.log.Error("panic while saving", slog.String("panic", cdr.PanicText(p)), slog.String("stack", string(debug.Stack())))
			alone, err = true, fmt.Errorf("save: %s", cdr.PanicText(p))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), w.options.Timeout)
	defer cancel()
	begin := time.Now()
	outcomes, err = w.store.Save(ctx, records)
	if err == nil {
		w.metrics.committed(deliveries, len(records), time.Since(begin))
	}
	alone = err != nil && ctx.Err() == nil && store.FaultOf(err) == store.FaultOurs
	return outcomes, alone, w.name(ctx, err)
}

// name tells the errors apart: the database's absence, which passes by itself,
// and our own faults. After the first flush that failed or was late, deliveries
// are spooled at once until the database answers again.
func (w *Writer) name(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, store.FaultOf(err) == store.FaultAway:
		w.metrics.unavailable.Inc()
		if w.options.Spool != nil && !w.away.Swap(true) {
			w.log.Error("the database is away or late, deliveries are spooled", slog.Any("error", err))
			select {
			case w.left <- struct{}{}:
			default: // the watch has not looked yet since the last time
			}
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case store.FaultOf(err) == store.FaultAgain:
		w.metrics.contended.Inc()
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	w.metrics.refused.Inc()
	w.log.Error("ALARM: the database refuses what we do", slog.Any("error", err))
	return err
}
