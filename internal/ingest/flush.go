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

// run writes what waits until the line is closed. It takes what is there, for
// while a batch is being written the next one grows; only where commits are slow
// does it wait a little for more.
func (w *Writer) run() {
	for w.line.await() {
		if company, pause := w.pace.pause(); pause > 0 {
			w.line.gather(company, pause)
		}
		if parts := w.line.take(); len(parts) > 0 {
			w.writeBatch(parts)
		}
	}
}

// writeBatch writes a batch that was taken from the line, and notes how long it
// took. Where commits are slow one for all is sooner done than two.
func (w *Writer) writeBatch(parts []*part) {
	records := 0
	for _, p := range parts {
		records += len(p.records)
	}
	begin, atOnce := time.Now(), w.options.Batches
	defer func() { w.line.end(parts, atOnce) }()
	w.flush(parts)
	if w.pace.note(len(parts), records, time.Since(begin)) {
		atOnce = 1
	}
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
	records, done := w.together(parts)
	outcomes, alone, err := w.save(records, len(parts))
	done()
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

// together returns the records of parts in their order, and what to do when they
// are written: their room is used again.
func (w *Writer) together(parts []*part) (records []cdr.Record, done func()) {
	if len(parts) == 1 {
		return parts[0].records, func() {}
	}
	room, ok := w.room.Get().(*[]cdr.Record)
	if !ok {
		room = new([]cdr.Record)
	}
	for _, p := range parts {
		*room = append(*room, p.records...)
	}
	return *room, func() {
		clear(*room)
		*room = (*room)[:0]
		w.room.Put(room)
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
