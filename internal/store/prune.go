package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
)

// prunePage is how many rows prune looks at, and changes at most, at a time.
const prunePage = 1000

// Pruning says what Prune empties.
type Pruning struct {
	Before    time.Time // what has had no news since
	Forget    time.Time // whose keys go too; zero: all keys stay
	Source    string    // empty: all
	UnreadToo bool      // also delete pieces in quarantine that were never read
	DryRun    bool      // only count
}

// Pruned is what Prune did, or would do.
type Pruned struct {
	Calls, Events, Recordings, Messages int // emptied
	Quarantine                          int // pieces that were deleted
	UnreadKept                          int // old pieces in quarantine that were never read and stay
	Forgotten                           int // keys of events that were deleted
	Late                                int // events that came after their call was pruned
	Bytes                               int64
}

// pruning is the work of one Prune.
type pruning struct {
	Pruning
	store    *Store
	q        *db.Queries
	progress func(rows int)
	looked   int
	done     Pruned
}

// Prune empties what is old: the payloads and facts of calls without news, of
// events without a call and of what came late for a pruned call, the payloads of
// recordings, the texts of messages, and the quarantine. The rows of calls and
// the keys of events stay, so that a late retry is still a duplicate. It works
// beside running receivers and beside another Prune: a call that changes
// meanwhile is left to the next run. What an interrupted one has done stays.
func (s *Store) Prune(ctx context.Context, what Pruning, progress func(rows int)) (Pruned, error) {
	p := &pruning{Pruning: what, store: s, q: db.New(s.pool), progress: progress}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"calls", p.calls}, {"events", p.events}, {"recordings", p.recordings},
		{"messages", p.messages}, {"quarantine", p.quarantine},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			return p.done, fmt.Errorf("prune %s: %w", step.name, err)
		}
	}
	return p.done, nil
}

// exactly is a moment for a comparison, in which null would be nothing.
func exactly(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }

// repeated repeats a write that another transaction has undone.
func repeated(write func() error) error {
	for tries := maxTries; ; tries-- {
		err := write()
		if err == nil || FaultOf(err) != FaultAgain || tries == 0 {
			return err
		}
	}
}

func (p *pruning) look(rows int) {
	p.looked += rows
	p.progress(p.looked)
}

// calls walks along the index on call_time, by which old calls lie together. A
// call between the two spans has had its news since, unless its provider's
// clock is ahead, and then it is pruned when its own time has come.
func (p *pruning) calls(ctx context.Context) error {
	if err := p.span(ctx, time.Time{}, p.Before); err != nil {
		return err
	}
	return p.span(ctx, time.Now(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
}

func (p *pruning) span(ctx context.Context, from, until time.Time) error {
	page := db.PruneCallPageParams{
		Before: exactly(p.Before), OneSource: p.Source, AfterTime: exactly(from), Until: exactly(until), AtMost: prunePage,
	}
	for {
		rows, err := p.q.PruneCallPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := p.empty(ctx, rows); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		page.AfterTime, page.AfterSource, page.AfterCallID = last.CallTime, last.Source, last.CallID
		p.look(len(rows))
	}
}

// empty empties the calls of a page that are due.
func (p *pruning) empty(ctx context.Context, rows []db.PruneCallPageRow) error {
	var calls db.PruneCallsParams
	for _, r := range rows {
		if !r.Due {
			continue
		}
		calls.Source = append(calls.Source, r.Source)
		calls.CallID = append(calls.CallID, r.CallID)
		calls.Version = append(calls.Version, r.Version)
	}
	if len(calls.Source) == 0 {
		return nil
	}
	sizes, err := p.q.PruneSizes(ctx, db.PruneSizesParams{Source: calls.Source, CallID: calls.CallID})
	if err != nil {
		return err
	}
	if p.store.betweenReadAndWrite != nil {
		p.store.betweenReadAndWrite()
	}
	done := map[callKey]bool{}
	for i := range calls.Source {
		done[callKey{calls.Source[i], calls.CallID[i]}] = true
	}
	if !p.DryRun {
		var pruned []db.PruneCallsRow
		err := repeated(func() (err error) {
			pruned, err = p.q.PruneCalls(ctx, calls)
			return err
		})
		if err != nil {
			return err
		}
		clear(done)
		for _, r := range pruned {
			done[callKey{r.Source, r.CallID}] = true
		}
	}
	p.done.Calls += len(done)
	for _, r := range sizes {
		if done[callKey{r.Source, r.CallID}] {
			p.done.Events += int(r.Events)
			p.done.Bytes += r.Bytes
		}
	}
	return nil
}

// write changes rows and adds them to a count; a dry run only counts.
func (p *pruning) write(count *int, rows int, change func() (int64, error)) error {
	if p.DryRun || rows == 0 {
		*count += rows
		return nil
	}
	return repeated(func() error {
		n, err := change()
		*count += int(n)
		return err
	})
}

func (p *pruning) recordings(ctx context.Context) error {
	page := db.PruneRecordingPageParams{Before: exactly(p.Before), OneSource: p.Source, AtMost: prunePage}
	for {
		rows, err := p.q.PruneRecordingPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		var due db.EmptyRecordingsParams
		for _, r := range rows {
			page.AfterSource, page.AfterCallID, page.AfterRecordingID = r.Source, r.CallID, r.RecordingID
			if r.Due {
				due.Source, due.CallID, due.RecordingID = append(due.Source, r.Source), append(due.CallID, r.CallID), append(due.RecordingID, r.RecordingID)
				p.done.Bytes += r.Bytes
			}
		}
		err = p.write(&p.done.Recordings, len(due.Source), func() (int64, error) { return p.q.EmptyRecordings(ctx, due) })
		if err != nil {
			return err
		}
		p.look(len(rows))
	}
}

func (p *pruning) messages(ctx context.Context) error {
	page := db.PruneMessagePageParams{Before: exactly(p.Before), OneSource: p.Source, AtMost: prunePage}
	for {
		rows, err := p.q.PruneMessagePage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		var due db.EmptyMessagesParams
		for _, r := range rows {
			page.AfterSource, page.AfterMessageID = r.Source, r.MessageID
			if r.Due {
				due.Source, due.MessageID = append(due.Source, r.Source), append(due.MessageID, r.MessageID)
				p.done.Bytes += r.Bytes
			}
		}
		err = p.write(&p.done.Messages, len(due.Source), func() (int64, error) { return p.q.EmptyMessages(ctx, due) })
		if err != nil {
			return err
		}
		p.look(len(rows))
	}
}

// quarantine deletes what was replayed. What was never read may still be money:
// it goes only when told.
func (p *pruning) quarantine(ctx context.Context) error {
	page := db.PruneQuarantinePageParams{
		Before: exactly(p.Before), OneSource: p.Source, AfterQuarantineID: uuid([16]byte{}), AtMost: prunePage,
	}
	for {
		rows, err := p.q.PruneQuarantinePage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		due := db.DeleteQuarantineParams{UnreadToo: p.UnreadToo}
		for _, r := range rows {
			page.AfterSource, page.AfterQuarantineID = r.Source, r.QuarantineID
			switch {
			case r.Due && r.Unread && !p.UnreadToo:
				p.done.UnreadKept++
			case r.Due:
				due.Source, due.QuarantineID = append(due.Source, r.Source), append(due.QuarantineID, r.QuarantineID)
				p.done.Bytes += r.Bytes
			}
		}
		err = p.write(&p.done.Quarantine, len(due.Source), func() (int64, error) { return p.q.DeleteQuarantine(ctx, due) })
		if err != nil {
			return err
		}
		p.look(len(rows))
	}
}
