package store

import (
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/db"
)

// Count is how many rows there are, and how often what made them came. Calls
// have no deliveries.
type Count struct{ Rows, Deliveries int64 }

// CountRows returns, by table, the rows of a source whose ids, or for messages
// and quarantine whose contents, have a mark. It reads the tables whole.
func (s *Store) CountRows(ctx context.Context, source, mark string) (map[string]Count, error) {
	rows, err := db.New(s.pool).CountRows(ctx, db.CountRowsParams{Source: source, Mark: mark})
	if err != nil {
		return nil, fmt.Errorf("count the rows of %s: %w", source, err)
	}
	counts := make(map[string]Count, len(rows))
	for _, r := range rows {
		counts[r.Name] = Count{r.Rows, r.Deliveries}
	}
	return counts, nil
}

// CallCount is what there is under one call id.
type CallCount struct{ Events, Recordings int64 }

// CountEvents returns how many events and recordings calls of a source have, by
// id, also of those that have no row.
func (s *Store) CountEvents(ctx context.Context, source string, ids []string) (map[string]CallCount, error) {
	rows, err := db.New(s.pool).CountEvents(ctx, db.CountEventsParams{Source: source, CallIds: ids})
	if err != nil {
		return nil, fmt.Errorf("count the events of %s: %w", source, err)
	}
	counts := make(map[string]CallCount, len(rows))
	for _, r := range rows {
		counts[r.CallID] = CallCount{r.Events, r.Recordings}
	}
	return counts, nil
}

// CallUnlike returns the source and id of a call whose id does not match a
// regular expression; both are empty when all do.
func (s *Store) CallUnlike(ctx context.Context, pattern string) (source, id string, err error) {
	rows, err := db.New(s.pool).CallUnlike(ctx, pattern)
	if err != nil {
		return "", "", fmt.Errorf("look for other calls: %w", err)
	}
	for _, r := range rows {
		source, id = r.Source, r.CallID
	}
	return source, id, nil
}
