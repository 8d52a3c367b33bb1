package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// chunk is how many calls rebuild and verify take at a time.
const chunk = 500

// snapshot is what the database held of some calls at one moment.
type snapshot struct {
	keys   []callKey
	events map[callKey]*stored
	calls  map[callKey]*db.Call // only those that have a row
}

// next reads the calls after a key; an empty snapshot is the end.
func (s *Store) next(ctx context.Context, after callKey) (*snapshot, error) {
	var snap *snapshot
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.CallKeys(ctx, db.CallKeysParams{Source: after.source, CallID: after.callID, AtMost: chunk})
		if err != nil {
			return err
		}
		keys := make([]callKey, len(rows))
		for i, r := range rows {
			keys[i] = callKey{r.Source, r.CallID}
		}
		snap, err = readSnapshot(ctx, q, keys)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read calls after %q %q: %w", after.source, after.callID, err)
	}
	return snap, nil
}

// again reads the same calls anew.
func (s *Store) again(ctx context.Context, keys []callKey) (*snapshot, error) {
	var snap *snapshot
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) (err error) {
		snap, err = readSnapshot(ctx, db.New(tx), keys)
		return err
	})
	return snap, err
}

func readSnapshot(ctx context.Context, q *db.Queries, keys []callKey) (*snapshot, error) {
	snap := &snapshot{keys: keys, events: map[callKey]*stored{}, calls: map[callKey]*db.Call{}}
	sources, ids := columns(keys)
	for _, k := range keys {
		snap.events[k] = &stored{}
	}
	rows, err := q.ReadCalls(ctx, db.ReadCallsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		snap.events[callKey{rows[i].Source, rows[i].CallID}].add(&rows[i])
	}
	for _, c := range snap.events {
		if err := c.read(); err != nil {
			return nil, err
		}
	}
	calls, err := q.Calls(ctx, db.CallsParams{Sources: sources, CallIds: ids})
	for i := range calls {
		snap.calls[callKey{calls[i].Source, calls[i].CallID}] = &calls[i]
	}
	return snap, err
}

func columns(keys []callKey) (sources, ids []string) {
	for _, k := range keys {
		sources = append(sources, k.source)
		ids = append(ids, k.callID)
	}
	return sources, ids
}

// diff compares a stored call with the fold of its events. It returns the fold,
// false where there is none, and the columns that differ; "row" where one of
// both is missing.
func (snap *snapshot) diff(k callKey) (call cdr.Call, exists bool, columns []string) {
	call, exists = cdr.Fold(snap.events[k].events)
	row := snap.calls[k]
	switch {
	case row != nil && row.PrunedAt.Valid:
		return call, exists, nil
	case (row != nil) != exists:
		return call, exists, []string{"row"}
	case row == nil:
		return call, false, nil
	}
	have := callOf(row)
	return call, true, have.Diff(&call)
}
