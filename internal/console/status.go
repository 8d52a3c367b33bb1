package console

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/report"
)

// How long what the database says is shown again, and how long it may take to
// say it.
const (
	statusFresh = 15 * time.Second
	statusLimit = 8 * time.Second
)

// status is what the database knows about now.
type status struct {
	At       time.Time // when it was asked; zero: never with success
	Trouble  string    // why the newest question failed; empty: it did not
	Receipts []db.ConsoleReceiptsRow
	Hour     map[string]outcomeRow // by source; all together: empty
	Day      map[string]outcomeRow
}

// outcomeRow is a row of the report kpi. Null: no call to tell it by.
type outcomeRow struct{ Attempts, ASR, ACD *string }

// statusCache lets many open pages ask the database as often as one.
type statusCache struct {
	mu    sync.Mutex
	asked time.Time
	last  status
}

// readStatus returns what the database said not long ago, and asks it again
// where that is too old.
func (c *Console) readStatus(ctx context.Context) status {
	c.status.mu.Lock()
	defer c.status.mu.Unlock()
	now := c.Now()
	if !c.status.asked.IsZero() && now.Sub(c.status.asked) < statusFresh {
		return c.status.last
	}
	// Whoever waits for the lock wants the answer too, also if this visitor leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusLimit)
	defer cancel()
	s, err := c.askStatus(ctx, now)
	c.status.asked = now
	if err != nil {
		c.Log.Warn("console: the database could not be asked for its state", slog.String("error", safeError(err)))
		c.status.last.Trouble = troubleOf(err).text
		return c.status.last
	}
	c.status.last = s
	return s
}

func (c *Console) askStatus(ctx context.Context, now time.Time) (s status, err error) {
	s.At = now
	s.Receipts, err = c.q.ConsoleReceipts(ctx, db.ConsoleReceiptsParams{
		DayAgo: stamp(now.Add(-24 * time.Hour)), WeekAgo: stamp(now.Add(-7 * 24 * time.Hour)),
	})
	if err != nil {
		return s, err
	}
	if s.Hour, err = c.askOutcomes(ctx, now, time.Hour); err != nil {
		return s, err
	}
	s.Day, err = c.askOutcomes(ctx, now, 24*time.Hour)
	return s, err
}

// askOutcomes reads the report kpi of the time before now, of each source and of
// all together.
func (c *Console) askOutcomes(ctx context.Context, now time.Time, back time.Duration) (map[string]outcomeRow, error) {
	rows := map[string]outcomeRow{}
	for _, by := range [][]string{nil, {"source"}} {
		r := report.Request{Kind: "kpi", From: now.Add(-back).UTC().Format(time.RFC3339), To: "now", By: by}
		result, err := report.Read(ctx, c.Pool, r, now.UTC(), 1000)
		if err != nil {
			return nil, err
		}
		for _, cells := range result.Rows {
			cell := func(name string) *string {
				if i := slices.Index(result.Columns, name); i >= 0 {
					return cells[i]
				}
				return nil
			}
			source := ""
			if name := cell("source"); name != nil {
				source = *name
			}
			rows[source] = outcomeRow{cell("attempts"), cell("asr"), cell("acd")}
		}
	}
	return rows, nil
}

// stamp is a moment as a parameter of a statement.
func stamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }
