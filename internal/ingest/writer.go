package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Options of a Writer; zero values are the defaults.
type Options struct {
	Batches int                     // how many are written side by side; 2
	Timeout time.Duration           // how long one flush may take before the database counts as late; 5 s
	Spool   *spool.Spool            // takes deliveries while the database is away; nil: nothing does
	Sources map[string]store.Source // the configured ones by name, for what was spooled
	Waiting bool                    // the database is not ready yet: everything is spooled until Connected
}

// Limits.
const (
	maxBatch   = 500  // records in a batch, about; more in one statement do not make each cheaper
	maxWaiting = 1024 // deliveries, or parts of long ones, that wait to be written
	maxRecords = 5000 // records that are saved together from the spool
)

// Writer gathers deliveries into batches.
type Writer struct {
	store   *store.Store
	log     *slog.Logger
	options Options
	seed    maphash.Seed
	line    *line
	pace    pace
	room    sync.Pool // of records, for batches
	metrics metrics

	adapters map[string]provider.Adapter

	away      atomic.Bool   // the database does not take deliveries
	left      chan struct{} // has one when it has just gone away
	connected chan struct{} // closed when it may be used at all
	stopped   chan struct{} // closed by Close

	connecting, stopping sync.Once
	running              sync.WaitGroup
}

// NewWriter starts a Writer. Close stops it.
func NewWriter(s *store.Store, log *slog.Logger, o Options) *Writer {
	if o.Batches == 0 {
		o.Batches = 2
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	w := &Writer{
		store: s, log: log, options: o, seed: maphash.MakeSeed(), line: newLine(o.Batches),
		adapters: provider.Adapters(), left: make(chan struct{}, 1), connected: make(chan struct{}), stopped: make(chan struct{}),
	}
	w.metrics = newMetrics(w.Away)
	w.away.Store(o.Waiting)
	if !o.Waiting {
		w.Connected()
	}
	for range o.Batches {
		w.running.Go(w.run)
	}
	w.running.Go(w.watch)
	return w
}

// Connected says that the database has its tables and may be used.
func (w *Writer) Connected() { w.connecting.Do(func() { close(w.connected) }) }

// Away reports whether the database does not take deliveries at the moment, so
// that they are spooled or refused.
func (w *Writer) Away() bool { return w.away.Load() }

// Close waits until everything that was taken is written. Later deliveries get
// ErrClosed.
func (w *Writer) Close() {
	w.stopping.Do(func() {
		close(w.stopped)
		w.line.close()
	})
	w.running.Wait()
}

// Write decodes and stores a delivery and returns when it is committed, or
// spooled because the database is away, late, or refuses what we do. After an
// error the delivery, or a part of it, is not safe and must come again.
func (w *Writer) Write(ctx context.Context, d cdr.Delivery) (Result, error) {
	adapter, ok := w.adapters[d.Provider]
	if !ok {
		return Result{}, fmt.Errorf("source %s: no provider %q", d.Source, d.Provider)
	}
	records := adapter.Read(d)
	w.metrics.read(d.Provider, records)
	if w.away.Load() {
		return w.spool(ctx, d, len(records), ErrUnavailable)
	}
	r, err := w.storeRecords(ctx, records)
	if err == nil || errors.Is(err, ErrClosed) || errors.Is(err, ErrQuarantineFull) {
		return r, err
	}
	return w.spool(ctx, d, len(records), err)
}

// storeRecords has the records of one delivery stored. It gives up waiting where
// the queue before the database is too long: what is late is spooled, though it
// may be stored all the same.
func (w *Writer) storeRecords(ctx context.Context, records []cdr.Record) (Result, error) {
	parts := w.split(records)
	if len(parts) == 1 && w.pace.alone() && w.line.begin(parts[0]) {
		w.writeBatch(parts) // at once, without waking anybody
		return result(len(records), parts)
	}
	late := time.NewTimer(2 * w.options.Timeout) // a context takes thrice the memory
	defer late.Stop()
	if err := w.line.add(ctx, parts, late.C); err != nil {
		return Result{}, err // what was handed over before is stored, and comes again
	}
	if err := wait(ctx, parts, late.C); err != nil {
		return Result{}, err
	}
	return result(len(records), parts)
}

func wait(ctx context.Context, parts []*part, late <-chan time.Time) error {
	for _, p := range parts {
		select {
		case <-p.done:
		case <-late:
			return fmt.Errorf("%w: %w", ErrUnavailable, errLate)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	return nil
}

// result puts the outcomes of the parts together.
func result(received int, parts []*part) (Result, error) {
	r := Result{Received: received, Errors: []RecordError{}}
	var errs []error
	reasons := make(map[int]string)
	for _, p := range parts {
		if p.err != nil {
			errs = append(errs, p.err)
			continue
		}
		for i, o := range p.outcomes {
			switch o.Status {
			case store.Stored:
				r.Stored++
			case store.Duplicate:
				r.Duplicates++
			case store.Quarantine:
				r.Quarantined++
				reasons[p.place(i)] = o.Reason
			case store.Refused:
				errs = append(errs, ErrQuarantineFull)
			}
		}
	}
	if len(errs) > 0 {
		return Result{}, errs[0]
	}
	for i := 0; i < received && len(r.Errors) < min(len(reasons), MaxErrors); i++ {
		if reason, quarantined := reasons[i]; quarantined {
			r.Errors = append(r.Errors, RecordError{i, reason})
		}
	}
	return r, nil
}
