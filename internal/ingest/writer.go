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
	Shards  int                     // writers that work side by side; 2
	Timeout time.Duration           // how long one flush may take before the database counts as late; 5 s
	Spool   *spool.Spool            // takes deliveries while the database is away; nil: nothing does
	Sources map[string]store.Source // the configured ones by name, for what was spooled
	Waiting bool                    // the database is not ready yet: everything is spooled until Connected
}

// Limits of one batch.
const (
	maxDeliveries = 512
	maxRecords    = 5000
	maxPart       = 1000 // a longer delivery is written in parts, so that short ones get between them
)

// Writer gathers deliveries into batches. A call always goes to the same shard,
// so that the shards do not get into each other's way.
type Writer struct {
	store   *store.Store
	log     *slog.Logger
	options Options
	seed    maphash.Seed
	shards  []*shard
	slow    atomic.Bool // commits take long compared with their work
	metrics metrics

	adapters map[string]provider.Adapter

	away      atomic.Bool   // the database does not take deliveries
	left      chan struct{} // has one when it has just gone away
	connected chan struct{} // closed when it may be used at all
	stopped   chan struct{} // closed by Close
	once      sync.Once

	mu      sync.RWMutex // held for reading while a part is handed over
	closed  bool
	running sync.WaitGroup
}

// shard writes the parts of some calls, one batch at a time.
type shard struct {
	queue   chan *part
	waiting atomic.Int64 // parts that are in the queue or on their way into it
	busy    sync.Mutex   // held while a batch is written
	pace    pace         // guarded by busy
}

// part is the share of one delivery that one shard writes.
type part struct {
	shard    *shard
	records  []cdr.Record
	places   []int // of the records in their delivery
	outcomes []store.Outcome
	err      error
	done     chan struct{}
}

// NewWriter starts a Writer. Close stops it.
func NewWriter(s *store.Store, log *slog.Logger, o Options) *Writer {
	if o.Shards == 0 {
		o.Shards = 2
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	w := &Writer{
		store: s, log: log, options: o, seed: maphash.MakeSeed(), shards: make([]*shard, o.Shards),
		adapters: provider.Adapters(), left: make(chan struct{}, 1), connected: make(chan struct{}), stopped: make(chan struct{}),
	}
	w.metrics = newMetrics(w.Away)
	w.away.Store(o.Waiting)
	if !o.Waiting {
		w.Connected()
	}
	for i := range w.shards {
		w.shards[i] = &shard{queue: make(chan *part, maxDeliveries)}
		w.running.Go(func() { w.run(w.shards[i]) })
	}
	w.running.Go(w.watch)
	return w
}

// Connected says that the database has its tables and may be used.
func (w *Writer) Connected() { w.once.Do(func() { close(w.connected) }) }

// Away reports whether the database does not take deliveries at the moment, so
// that they are spooled or refused.
func (w *Writer) Away() bool { return w.away.Load() }

// Close waits until everything that was taken is written. Later deliveries get
// ErrClosed.
func (w *Writer) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.stopped)
		for _, s := range w.shards {
			close(s.queue)
		}
	}
	w.mu.Unlock()
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
	r, err := w.storeInTime(ctx, records)
	if err == nil || errors.Is(err, ErrClosed) || errors.Is(err, ErrQuarantineFull) {
		return r, err
	}
	return w.spool(ctx, d, len(records), err)
}

// storeInTime gives up waiting where the queue before the database is too long:
// what is late is spooled, though it may be stored all the same.
func (w *Writer) storeInTime(ctx context.Context, records []cdr.Record) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*w.options.Timeout)
	defer cancel()
	return w.storeRecords(ctx, records)
}

// storeRecords has the records of one delivery stored.
func (w *Writer) storeRecords(ctx context.Context, records []cdr.Record) (Result, error) {
	parts := w.split(records)
	if err := w.hand(ctx, parts); err != nil {
		return Result{}, err // what was handed over before is stored, and comes again
	}
	if err := wait(ctx, parts); err != nil {
		return Result{}, err
	}
	return result(len(records), parts)
}

// split gives each shard its records, in parts that are not too long.
func (w *Writer) split(records []cdr.Record) []*part {
	open := make([]*part, len(w.shards))
	var parts []*part
	for i := range records {
		n := int(maphash.String(w.seed, shardKey(&records[i])) % uint64(len(open)))
		if open[n] == nil || len(open[n].records) == maxPart {
			open[n] = &part{shard: w.shards[n], done: make(chan struct{})}
			parts = append(parts, open[n])
		}
		open[n].records = append(open[n].records, records[i])
		open[n].places = append(open[n].places, i)
	}
	return parts
}

func shardKey(r *cdr.Record) string {
	switch {
	case len(r.Events) > 0:
		return r.Events[0].CallID
	case len(r.Recordings) > 0:
		return r.Recordings[0].CallID
	case len(r.Messages) > 0:
		return r.Messages[0].MessageID
	}
	return ""
}

// hand gives the parts of a delivery to their shards. A shard that has nothing to
// do writes a single one at once, without waking anybody. One that is busy takes
// them later, and where too much waits already this waits too: the pressure goes
// back to the senders.
func (w *Writer) hand(ctx context.Context, parts []*part) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	if w.slow.Load() { // one commit for all is sooner done than one for each shard
		for _, p := range parts {
			p.shard = w.shards[0]
		}
	}
	if len(parts) == 1 && parts[0].shard.idle() {
		defer parts[0].shard.busy.Unlock()
		w.writeBatch(parts[0].shard, parts)
		return nil
	}
	for _, p := range parts {
		p.shard.waiting.Add(1)
		select {
		case p.shard.queue <- p:
		case <-ctx.Done():
			p.shard.waiting.Add(-1)
			return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		}
	}
	return nil
}

// idle makes the shard busy where it was not. Who waits already goes first, and
// where a commit takes long it is better shared.
func (s *shard) idle() bool {
	if s.waiting.Load() > 0 || !s.busy.TryLock() {
		return false
	}
	if s.pace.alone() {
		return true
	}
	s.busy.Unlock()
	return false
}

func wait(ctx context.Context, parts []*part) error {
	for _, p := range parts {
		select {
		case <-p.done:
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
				reasons[p.places[i]] = o.Reason
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
