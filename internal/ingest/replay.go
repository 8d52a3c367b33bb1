package ingest

import (
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

// Replay decodes the quarantine again, after an adapter was mended, with the
// first receipt's time. Running it again does nothing to what was read; with
// readToo it reads that again as well, which still doubles nothing.
func Replay(ctx context.Context, s *store.Store, readToo bool, progress func(pieces int)) (Replayed, error) {
	var done Replayed
	err := s.EachQuarantined(ctx, readToo, func(q store.Quarantined) error {
		done.Pieces++
		progress(done.Pieces)
		return replayOne(ctx, s, q, &done)
	})
	return done, err
}

func replayOne(ctx context.Context, s *store.Store, q store.Quarantined, done *Replayed) error {
	adapter, ok := provider.ByName(q.Delivery.Provider)
	if !ok {
		return fmt.Errorf("source %s: no provider %q", q.Delivery.Source, q.Delivery.Provider)
	}
	var readable []cdr.Record
	reason := ""
	for _, r := range adapter.Read(q.Delivery) {
		if r.Reject != nil {
			reason = r.Reject.Reason
			continue
		}
		readable = append(readable, r)
	}
	outcomes, err := s.Save(ctx, readable)
	if err != nil {
		return fmt.Errorf("replay a piece of %s: %w", q.Delivery.Source, err)
	}
	for _, o := range outcomes {
		switch o.Status {
		case store.Stored:
			done.Records++
		case store.Duplicate:
			done.Duplicates++
		default:
			reason = o.Reason
		}
	}
	if reason != "" {
		done.Unreadable++
		return s.StillUnreadable(ctx, q, reason)
	}
	done.Read++
	return s.MarkReplayed(ctx, q)
}
