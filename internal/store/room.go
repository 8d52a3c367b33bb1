package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/cdrstore/cdrstore/db"
)

// rooms says how much the quarantine of each source still takes before it is
// counted again. It gives away an eighth of what was free at the last count, so
// that a few receivers together stay within the bound, and counting becomes
// frequent only near it.
type rooms struct {
	mu   sync.Mutex
	left map[string]room
}

type room struct{ pieces, bytes int64 }

// take reports whether there is room, and takes it.
func (r *rooms) take(ctx context.Context, q *db.Queries, source string, want room) (bool, error) {
	if r.takeUncounted(source, want) {
		return true, nil
	}
	size, err := q.QuarantineSize(ctx, db.QuarantineSizeParams{Source: source, AtMost: MaxQuarantinePieces})
	if err != nil {
		return false, fmt.Errorf("count the quarantine of %s: %w", source, err)
	}
	if size.Pieces >= MaxQuarantinePieces || size.Bytes+want.bytes > MaxQuarantineBytes {
		return false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == nil {
		r.left = map[string]room{}
	}
	r.left[source] = room{(MaxQuarantinePieces - size.Pieces - want.pieces) / 8, (MaxQuarantineBytes - size.Bytes - want.bytes) / 8}
	return true, nil
}

func (r *rooms) takeUncounted(source string, want room) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.left[source]
	if left.pieces < want.pieces || left.bytes < want.bytes {
		return false
	}
	r.left[source] = room{left.pieces - want.pieces, left.bytes - want.bytes}
	return true
}

// refuse finds the pieces that the quarantine of their source has no room for.
// One that is there already needs none.
func (b *batch) refuse(ctx context.Context, q *db.Queries, r *rooms) error {
	b.refused = map[[16]byte]bool{}
	if !b.bounded {
		return nil
	}
	wanted := map[string]room{}
	for i := range b.rejects {
		w := wanted[b.rejects[i].Source]
		wanted[b.rejects[i].Source] = room{w.pieces + 1, w.bytes + int64(len(b.rejects[i].Body))}
	}
	full := map[string]bool{}
	for source, want := range wanted {
		has, err := r.take(ctx, q, source, want)
		if err != nil {
			return err
		}
		full[source] = !has
	}
	var keys db.KnownQuarantineParams
	for i := range b.rejects {
		if full[b.rejects[i].Source] {
			id := rejectID(&b.rejects[i])
			b.refused[id] = true
			keys.Sources = append(keys.Sources, b.rejects[i].Source)
			keys.QuarantineIds = append(keys.QuarantineIds, uuid(id))
		}
	}
	if len(b.refused) == 0 {
		return nil
	}
	rows, err := q.KnownQuarantine(ctx, keys)
	if err != nil {
		return fmt.Errorf("read quarantine: %w", err)
	}
	for _, r := range rows {
		delete(b.refused, r.QuarantineID.Bytes)
	}
	return nil
}
