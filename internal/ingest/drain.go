package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

const (
	drainEntries = 256              // deliveries that are drained in one go
	drainTimeout = 30 * time.Second // how long one statement of it may take
	retryAfter   = time.Second      // how long a database that is away is left alone
	alarmAfter   = 10 * time.Second // how long one that refuses what we do
	settled      = time.Hour        // how long one with which all is well: the spool says when there is more
)

// watch drains the spool whenever there is something in it and the database
// answers, and finds out when it answers again.
func (w *Writer) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-w.stopped
		cancel()
	}()
	var filled <-chan struct{}
	if w.options.Spool != nil {
		filled = w.options.Spool.Ready()
	}
	select {
	case <-w.connected:
	case <-ctx.Done():
		return
	}
	wait := time.NewTimer(0)
	defer wait.Stop()
	resting := true // the timer alone says when to look, however much is spooled
	for {
		select {
		case <-ctx.Done():
			return
		case <-filled:
			if resting {
				continue
			}
		case <-w.left:
			resting = true
			wait.Reset(retryAfter)
			continue
		case <-wait.C:
		}
		again := w.settle(ctx)
		resting = again < settled
		wait.Reset(again)
	}
}

// settle drains what there is and finds out whether the database takes new
// deliveries, which do not wait for the drain. It returns when to look again.
func (w *Writer) settle(ctx context.Context) time.Duration {
	_, err := w.drain(ctx)
	if w.away.Load() {
		probe := w.store.Probe(ctx)
		if probe == nil {
			w.back()
		} else if err == nil {
			err = probe
		}
	}
	switch {
	case ctx.Err() != nil || err == nil:
		return settled
	case w.away.Load(), store.FaultOf(err) == store.FaultAgain:
		return retryAfter
	}
	w.log.Error("ALARM: the spool cannot be drained", slog.Any("error", err))
	return alarmAfter
}

// back notes that the database takes deliveries.
func (w *Writer) back() {
	if w.away.Swap(false) {
		w.log.Info("the database takes deliveries")
	}
}

// drain stores all deliveries of the spool, oldest first, with the time of their
// first receipt. While it runs new ones go to the database directly.
func (w *Writer) drain(ctx context.Context) (int, error) {
	if w.options.Spool == nil {
		return 0, nil
	}
	total, begin := 0, time.Now()
	for {
		n, err := Drain(ctx, w.options.Spool, w.store, w.options.Sources)
		total += n
		w.metrics.drained.Add(float64(n))
		if err != nil || n == 0 {
			if total > 0 {
				took := time.Since(begin)
				w.log.Info("spool drained", slog.Int("deliveries", total), slog.Duration("took", took),
					slog.Int("per_second", int(float64(total)/took.Seconds())))
			}
			return total, err
		}
		w.back()
	}
}

// Drain stores the oldest deliveries of a spool and takes them off it, some at a
// time, so that what is done stays done. It returns how many; none when the
// spool is empty. A delivery whose source is not configured any more, or that
// makes decoding or saving panic, goes to quarantine.
func Drain(ctx context.Context, from *spool.Spool, to *store.Store, sources map[string]store.Source) (int, error) {
	entries, err := from.Read(ctx, drainEntries)
	if err != nil {
		return 0, err
	}
	d := draining{from: from, to: to}
	for _, e := range entries {
		records := decodeSpooled(e.Delivery, sources)
		if len(d.records)+len(records) > maxRecords {
			if err := d.save(ctx); err != nil {
				return d.done, err
			}
		}
		d.entries = append(d.entries, e)
		d.parts = append(d.parts, records)
		d.records = append(d.records, records...)
	}
	return d.done, d.save(ctx)
}

func decodeSpooled(d cdr.Delivery, sources map[string]store.Source) (records []cdr.Record) {
	defer func() {
		if p := recover(); p != nil {
			records = aside(d, errors.New(cdr.PanicText(p)))
		}
	}()
	src, ok := sources[d.Source]
	if !ok {
		return aside(d, errors.New("the source is not configured any more"))
	}
	adapter, ok := provider.ByName(src.Provider)
	if !ok {
		return aside(d, fmt.Errorf("no provider %q", src.Provider))
	}
	d.Source, d.Provider, d.Settings = src.Name, src.Provider, src.Settings
	return adapter.Read(d)
}

// aside keeps a whole delivery as one piece.
func aside(d cdr.Delivery, err error) []cdr.Record {
	r := cdr.Record{Raw: d.Body, Origin: &d}
	r.SetAside(err.Error())
	return []cdr.Record{r}
}
