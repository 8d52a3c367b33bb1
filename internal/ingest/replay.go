package ingest

import (
	"cmp"
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Replayed is what Replay did.
type Replayed struct {
	Pieces     int // looked at
	Read       int // pieces that could be read whole now
	Records    int // rows of records that were new
	Duplicates int // records that were known already
	Unreadable int // pieces that stay in quarantine
}

// Replay decodes the chosen part of the quarantine again, after an adapter was
// mended, with the first receipt's time. Running it again does nothing to what
// was read; where that is chosen too it is read again, which still doubles
// nothing. An error may come after a part was done.
func Replay(ctx context.Context, s *store.Store, which store.Choice, progress func(pieces int)) (Replayed, error) {
	var done Replayed
	err := s.EachQuarantined(ctx, which, func(q store.Quarantined) error {
		done.Pieces++
		progress(done.Pieces)
		return replayOne(ctx, s, q, &done)
	})
	return done, err
}

func replayOne(ctx context.Context, s *store.Store, q store.Quarantined, done *Replayed) error {
	adapter, ok := provider.ByName(q.Delivery.Provider)
	if !ok {
		done.Unreadable++
		return s.StillUnreadable(ctx, q, "no provider is known for this source")
	}
	var readable []cdr.Record
	reason := ""
	for _, r := range adapter.Read(q.Delivery) {
		if r.Reject != nil {
			reason = r.Reject.Reason
			continue
		}
		r.SetDeliveries(q.Deliveries)
		readable = append(readable, r)
	}
	refused, err := saveNew(ctx, s, readable, done)
	if err != nil {
		return fmt.Errorf("replay a piece of %s: %w", q.Delivery.Source, err)
	}
	if reason = cmp.Or(refused, reason); reason != "" {
		done.Unreadable++
		return s.StillUnreadable(ctx, q, reason)
	}
	done.Read++
	return s.MarkReplayed(ctx, q)
}

// saveNew saves the records that are not known yet: a replay is no delivery and
// counts as none. It returns why the database refused one, if it did.
func saveNew(ctx context.Context, s *store.Store, records []cdr.Record, done *Replayed) (refused string, err error) {
	known, err := s.Known(ctx, records)
	if err != nil {
		return "", err
	}
	var fresh []cdr.Record
	for i, o := range known {
		if o.Status == store.Duplicate {
			done.Duplicates++
			continue
		}
		fresh = append(fresh, records[i])
	}
	outcomes, err := s.Save(ctx, fresh)
	for _, o := range outcomes {
		switch o.Status {
		case store.Stored:
			done.Records++
		case store.Duplicate:
			done.Duplicates++
		default:
			refused = o.Reason
		}
	}
	return refused, err
}
