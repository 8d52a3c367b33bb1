package ingest

import (
	"context"
	"errors"
	"slices"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// draining gathers entries of the spool until they are worth a statement.
type draining struct {
	from    *spool.Spool
	to      *store.Store
	entries []spool.Entry
	parts   [][]cdr.Record // of each entry
	records []cdr.Record   // of all of them
	done    int            // entries that are taken off the spool
}

// errPanic says that saving panicked.
var errPanic = errors.New("panic while saving")

// save stores what was gathered and takes it off the spool. Where some of it
// panics or is refused as our fault, each entry is tried alone, so that those
// before it are done.
func (d *draining) save(ctx context.Context) error {
	entries, parts, records := d.entries, d.parts, d.records
	d.entries, d.parts, d.records = nil, nil, nil
	if len(entries) == 0 {
		return nil
	}
	err := saveSpooled(ctx, d.to, records)
	if err == nil {
		return d.take(entries)
	}
	if !errors.Is(err, errPanic) && store.FaultOf(err) != store.FaultOurs {
		return err
	}
	for i := range entries {
		err := saveSpooled(ctx, d.to, parts[i])
		if errors.Is(err, errPanic) {
			err = saveSpooled(ctx, d.to, aside(entries[i].Delivery, err))
		}
		if err != nil {
			return err
		}
		if err := d.take(entries[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// take takes entries off the spool. Where the spool cannot note it (its disk is
// full) it raises the alarm, and a restart reads them again, which doubles
// nothing. Going on is what makes room.
func (d *draining) take(entries []spool.Entry) error {
	if err := d.from.Done(entries[len(entries)-1]); errors.Is(err, spool.ErrClosed) {
		return err
	}
	d.done += len(entries)
	return nil
}

// saveSpooled stores records, however many, a statement's worth at a time.
func saveSpooled(ctx context.Context, to *store.Store, records []cdr.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(errPanic, errors.New(cdr.PanicText(p)))
		}
	}()
	for chunk := range slices.Chunk(records, maxRecords) {
		if err := saveChunk(ctx, to, chunk); err != nil {
			return err
		}
	}
	return nil
}

func saveChunk(ctx context.Context, to *store.Store, chunk []cdr.Record) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return to.SaveAll(ctx, chunk)
}
