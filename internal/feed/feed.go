// Package feed reads which calls have changed, without missing one. It is about
// function changes of the database and imports nothing of the service but db.
package feed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cdrstore/cdrstore/db"
)

// page is how many changes are read at a time.
const page = 1000

// Change is a call that changed.
type Change struct {
	Source string          `json:"source"`
	CallID string          `json:"call_id"`
	Call   json.RawMessage `json:"call"`   // the row as it is now, times in UTC; null: it is gone
	Cursor string          `json:"cursor"` // behind this change
}

// Now returns a cursor behind every change that is shown already.
func Now(ctx context.Context, conn db.DBTX) (string, error) {
	cursor, err := db.New(conn).ChangesNow(ctx)
	if err != nil {
		return "", fmt.Errorf("read the present cursor: %w", err)
	}
	return cursor, nil
}

// Read gives each the changes behind a cursor in their order, at most so many of
// them; 0 is all there are. An empty cursor is the beginning: every call. It
// returns the cursor to go on with, which is good also when each or the reading
// has failed: then it is behind the last change that each took.
//
// A call comes again for each transaction that has changed it. Only transactions
// older than every running one are shown.
func Read(ctx context.Context, conn db.DBTX, since string, limit int, each func(Change) error) (next string, err error) {
	q := db.New(conn)
	next = since
	if since == "" {
		if next, err = q.ChangesStart(ctx); err != nil {
			return since, fmt.Errorf("read the first cursor: %w", err)
		}
	}
	for read := 0; limit == 0 || read < limit; {
		atMost := page
		if limit > 0 {
			atMost = min(page, limit-read)
		}
		rows, err := q.Changes(ctx, db.ChangesParams{Since: next, AtMost: int32(atMost)})
		if err != nil {
			return next, fmt.Errorf("read changes: %w", err)
		}
		for _, r := range rows {
			if err := each(Change{Source: r.Source, CallID: r.CallID, Call: r.Call, Cursor: r.Cursor}); err != nil {
				return next, err
			}
			next = r.Cursor
		}
		if read += len(rows); len(rows) < atMost {
			break
		}
	}
	return next, nil
}
