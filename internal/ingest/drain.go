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
	drainTimeout = 30 * time.Second // how long that may take
	retryAfter   = time.Second      // how long a database that is away is left alone
	alarmAfter   = 10 * time.Second // how long one that refuses what we do
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
	for {
		select {
		case <-ctx.Done():
			return
		case <-filled:
		case <-w.left:
		case <-wait.C:
		}
		wait.Reset(w.settle(ctx))
	}
}

// settle drains what there is and notes whether the database answers. It
// returns when to look again.
func (w *Writer) settle(ctx context.Context) time.Duration {
	n, err := w.drain(ctx)
	if err == nil && n == 0 && w.away.Load() {
		err = w.store.Probe(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return time.Hour
	case err == nil:
		if w.away.Swap(false) {
			w.log.Info("the database takes deliveries")
		}
		return time.Hour // the spool says when there is more
	case store.FaultOf(err) == store.FaultAway:
		return retryAfter
	}
	w.log.Error("ALARM: the spool cannot be drained", slog.Any("error", err))
	return alarmAfter
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
		if err != nil || n == 0 {
			if total > 0 {
				took := time.Since(begin)
				w.log.Info("spool drained", slog.Int("deliveries", total), slog.Duration("took", took),
					slog.Int("per_second", int(float64(total)/took.Seconds())))
			}
			return total, err
		}
		if w.away.Swap(false) {
			w.log.Info("the database takes deliveries")
		}
	}
}

// Drain stores the oldest deliveries of a spool and takes them off it. It
// returns how many; none when the spool is empty. A delivery whose source is
// not configured any more, or whose decoding panics, goes to quarantine.
func Drain(ctx context.Context, from *spool.Spool, to *store.Store, sources map[string]store.Source) (int, error) {
	entries, err := from.Read(ctx, drainEntries)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	var records []cdr.Record
	for _, e := range entries {
		records = append(records, decodeSpooled(e.Delivery, sources)...)
		if len(records) < maxRecords {
			continue
		}
		if err := to.SaveAll(ctx, records); err != nil {
			return 0, err
		}
		records = nil
	}
	if err := to.SaveAll(ctx, records); err != nil {
		return 0, err
	}
	// Where the spool cannot note it (its disk is full) it raises the alarm, and a
	// restart reads them again, which doubles nothing. Going on is what makes room.
	if err := from.Done(entries[len(entries)-1]); errors.Is(err, spool.ErrClosed) {
		return 0, err
	}
	return len(entries), nil
}

func decodeSpooled(d cdr.Delivery, sources map[string]store.Source) (records []cdr.Record) {
	defer func() {
		if p := recover(); p != nil {
			records = aside(d, fmt.Errorf("panic: %v", p))
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
	d.Provider, d.Settings = src.Provider, src.Settings
	return adapter.Read(d)
}

// aside keeps a whole delivery as one piece.
func aside(d cdr.Delivery, err error) []cdr.Record {
	r := cdr.Record{Raw: d.Body, Origin: &d}
	r.SetAside(err.Error())
	return []cdr.Record{r}
}
