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
	due := map[callKey]*db.PruneCallPageRow{}
	for i := range rows {
		r := &rows[i]
		if !r.Due {
			continue
		}
		due[callKey{r.Source, r.CallID}] = r
		calls.Source = append(calls.Source, r.Source)
		calls.CallID = append(calls.CallID, r.CallID)
		calls.Version = append(calls.Version, r.Version)
	}
	if p.store.betweenReadAndWrite != nil {
		p.store.betweenReadAndWrite()
	}
	if !p.DryRun && len(due) > 0 {
		var pruned []db.PruneCallsRow
		err := repeated(func() (err error) {
			pruned, err = p.q.PruneCalls(ctx, calls)
			return err
		})
		if err != nil {
			return err
		}
		read := due
		due = map[callKey]*db.PruneCallPageRow{}
		for _, r := range pruned {
			k := callKey{r.Source, r.CallID}
			due[k] = read[k]
		}
	}
	for _, r := range due {
		p.done.Calls++
		p.done.Events += int(r.Events)
		p.done.Bytes += r.Bytes
	}
	return nil
}

// events empties what no living call is folded from, and forgets keys.
func (p *pruning) events(ctx context.Context) error {
	page := db.PruneEventPageParams{
		Before: exactly(p.Before), Forget: exactly(p.Forget), OneSource: p.Source,
		AfterEventID: uuid([16]byte{}), AtMost: prunePage,
	}
	for {
		rows, err := p.q.PruneEventPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := p.loose(ctx, rows); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		page.AfterSource, page.AfterCallID, page.AfterEventID = last.Source, last.CallID, last.EventID
		p.look(len(rows))
	}
}

func (p *pruning) loose(ctx context.Context, rows []db.PruneEventPageRow) error {
	due := db.EmptyEventsParams{Before: exactly(p.Before)}
	gone := db.ForgetEventsParams{Forget: exactly(p.Forget)}
	for _, r := range rows {
		if r.Late {
			p.done.Late++
		}
		switch {
		case r.Due:
			due.Source, due.CallID, due.EventID = append(due.Source, r.Source), append(due.CallID, r.CallID), append(due.EventID, r.EventID)
			p.done.Bytes += r.Bytes
		case r.Forget:
			gone.Source, gone.CallID, gone.EventID = append(gone.Source, r.Source), append(gone.CallID, r.CallID), append(gone.EventID, r.EventID)
		}
	}
	if err := p.write(&p.done.Events, len(due.Source), func() (int64, error) { return p.q.EmptyEvents(ctx, due) }); err != nil {
		return err
	}
	return p.write(&p.done.Forgotten, len(gone.Source), func() (int64, error) { return p.q.ForgetEvents(ctx, gone) })
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
