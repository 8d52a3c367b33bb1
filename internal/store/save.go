package store

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Status is what became of one record.
type Status int

// The statuses.
const (
	Stored     Status = iota // a row is new, or a known one says more now
	Duplicate                // seen before; only counters changed
	Quarantine               // kept raw
	Refused                  // not kept: the quarantine of the source is full
)

// Outcome is what became of one record, and for a quarantined one why.
type Outcome struct {
	Status Status
	Reason string
}

// maxTries is how often a batch is folded again because another writer changed
// its calls in between.
const maxTries = 5

// Save stores records and returns what became of each, in their order. When it
// returns no error, all is committed. An error means that a part may be stored
// and all of it can be saved again: see FaultOf.
//
// A record that Postgres refuses is found by halving the batch and set aside.
func (s *Store) Save(ctx context.Context, records []cdr.Record) ([]Outcome, error) {
	return saving{s, true}.save(ctx, records, maxTries)
}

// SaveAll stores records that were acknowledged already: it keeps what cannot
// be read even where the quarantine is full.
func (s *Store) SaveAll(ctx context.Context, records []cdr.Record) error {
	_, err := saving{s, false}.save(ctx, records, maxTries)
	return err
}

// Known says what would become of records, and stores nothing.
func (s *Store) Known(ctx context.Context, records []cdr.Record) ([]Outcome, error) {
	b, q := newBatch(records, true), db.New(s.pool)
	if err := b.read(ctx, q, &cache{}, &rooms{}); err != nil {
		return nil, err
	}
	if err := b.fold(new(changes)); err != nil {
		return nil, fmt.Errorf("fold calls: %w", err)
	}
	for _, read := range b.reads() {
		if err := read(ctx, q); err != nil {
			return nil, err
		}
	}
	return b.settle(), nil
}

// saving is one call of Save.
type saving struct {
	*Store
	bounded bool // the quarantine takes only so much
}

func (s saving) save(ctx context.Context, records []cdr.Record, tries int) ([]Outcome, error) {
	if len(records) == 0 {
		return nil, nil
	}
	outcomes, err := s.try(ctx, records)
	if err == nil {
		return outcomes, nil
	}
	switch fault := FaultOf(err); {
	case ctx.Err() != nil, fault == FaultAway, fault == FaultOurs:
		return nil, fmt.Errorf("save %d records: %w", len(records), err)
	case fault == FaultAgain && tries == 0:
		return nil, fmt.Errorf("save %d records: too many tries: %w", len(records), err)
	case fault == FaultAgain:
		tries--
		if tries == maxTries-1 { // what the cache said of the calls is gone, so that now they are read
			return s.save(ctx, records, tries)
		}
	case len(records) == 1: // FaultData
		if records[0].Reject != nil {
			return nil, fmt.Errorf("save a quarantined piece: %w", err)
		}
		records[0].SetAside(reasonOf(err))
	}
	if len(records) == 1 {
		return s.save(ctx, records, tries)
	}
	half := len(records) / 2
	first, err := s.save(ctx, records[:half], tries)
	if err != nil {
		return nil, err
	}
	second, err := s.save(ctx, records[half:], tries)
	if err != nil {
		return nil, err
	}
	return append(first, second...), nil
}

// try reads, folds and writes a batch once.
func (s saving) try(ctx context.Context, records []cdr.Record) ([]Outcome, error) {
	b := newBatch(records, s.bounded)
	if err := b.read(ctx, db.New(s.pool), &s.cache, &s.rooms); err != nil {
		return nil, err
	}
	w := s.buffers.take()
	if err := b.fold(&w.changes); err != nil {
		return nil, fmt.Errorf("fold calls: %w", err)
	}
	if b.late > 0 {
		s.log.Warn("events came for calls that were pruned: they are stored and not folded", slog.Int("events", b.late))
	}
	if s.betweenReadAndWrite != nil {
		s.betweenReadAndWrite()
	}
	if err := b.write(ctx, s.pool, w); err != nil {
		if b.guessed {
			s.cache.met(false, 0)
		}
		return nil, err
	}
	s.buffers.give(w)
	s.cache.put(b.calls)
	return b.settle(), nil
}
