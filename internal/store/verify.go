package store

import "context"

// Difference is a stored call that is not the fold of its events.
type Difference struct {
	Source, CallID string
	Columns        []string // "row" where the call, or its events, are missing
}

// Verified is what Verify looked at.
type Verified struct {
	Calls       int // with a row, or with events that should make one
	Pruned      int // not compared, for their events were emptied
	Differences int
}

// Verify compares every stored call with the fold of its events and hands each
// difference to report. It works beside running receivers.
func (s *Store) Verify(ctx context.Context, report func(Difference), progress func(calls int)) (Verified, error) {
	var v Verified
	var after callKey
	for {
		snap, err := s.next(ctx, after)
		if err != nil {
			return v, err
		}
		if len(snap.keys) == 0 {
			return v, nil
		}
		for _, k := range snap.keys {
			_, exists, columns := snap.diff(k)
			row := snap.calls[k]
			if row != nil && row.PrunedAt.Valid {
				v.Pruned++
			}
			if exists || row != nil {
				v.Calls++
			}
			if len(columns) > 0 {
				v.Differences++
				report(Difference{k.source, k.callID, columns})
			}
		}
		after = snap.keys[len(snap.keys)-1]
		progress(v.Calls)
	}
}
