package store

import (
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Calls returns the calls of a source that have a row, by id.
func (s *Store) Calls(ctx context.Context, source string, ids []string) (map[string]cdr.Call, error) {
	sources := make([]string, len(ids))
	for i := range sources {
		sources[i] = source
	}
	rows, err := db.New(s.pool).Calls(ctx, db.CallsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, fmt.Errorf("read calls of %s: %w", source, err)
	}
	calls := make(map[string]cdr.Call, len(rows))
	for i := range rows {
		calls[rows[i].CallID] = callOf(&rows[i])
	}
	return calls, nil
}
