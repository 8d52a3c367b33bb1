package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cdrstore/cdrstore/db"
)

// How many rows erase searches at a time. A piece in quarantine may be as large
// as a delivery.
const (
	erasePage       = 2000
	erasePagePieces = 8
)

// Erased is what Erase changed, or would change, by table.
type Erased struct {
	Calls, Events, Recordings, Messages int
	Quarantine                          int // pieces that were deleted
	Unread                              int // of these, never read
	Kept                                int // rows whose ids hold the number and stay
	Billed                              int // lines of closed periods that hold the number and stay
	Unsearched                          int // pieces in quarantine that could not be inflated, and so not searched
}

// erasing is the work of one Erase.
type erasing struct {
	store    *Store
	q        *db.Queries
	number   spelling
	pattern  string
	dryRun   bool
	progress func(rows int)
	searched int
	calls    map[callKey]bool
	done     Erased
}

// Erase removes a person's number from all tables, in whatever spelling. It
// reads every row, because completeness is worth more than speed here. Events
// lose the number from their facts, and their payload, and are folded again, so
// that Verify still holds; their keys stay, so that a late retry is a duplicate
// and does not bring the number back. It works beside running receivers; what
// they store of the number afterwards is not touched.
func (s *Store) Erase(ctx context.Context, number string, dryRun bool, progress func(rows int)) (Erased, error) {
	found, err := spellings(number)
	if err != nil {
		return Erased{}, err
	}
	e := &erasing{
		store: s, q: db.New(s.pool), number: found, pattern: found.re.String(), dryRun: dryRun,
		progress: progress, calls: map[callKey]bool{},
	}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		// The quarantine first: a replay could make events of it.
		{"quarantine", e.inQuarantine}, {"event", e.inEvents}, {"call", e.inCalls},
		{"recording", e.inRecordings}, {"message", e.inMessages}, {"bill_line", e.inBillLines},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			return e.done, fmt.Errorf("erase from %s: %w", step.name, err)
		}
	}
	return e.done, nil
}

func (e *erasing) look(rows int) {
	e.searched += rows
	e.progress(e.searched)
}

func (e *erasing) keep(inKey bool) {
	if inKey {
		e.done.Kept++
	}
}

func (e *erasing) inEvents(ctx context.Context) error {
	page := db.EraseEventPageParams{Number: e.pattern, AfterEventID: uuid([16]byte{}), AtMost: erasePage}
	for {
		rows, err := e.q.EraseEventPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		var keys []callKey
		for _, r := range rows {
			page.AfterSource, page.AfterCallID, page.AfterEventID = r.Source, r.CallID, r.EventID
			e.keep(r.InKey)
			if r.Found {
				keys = append(keys, callKey{r.Source, r.CallID})
			}
		}
		if err := e.fromCalls(ctx, slices.Compact(keys)); err != nil {
			return err
		}
		e.look(len(rows))
	}
}

// inCalls finds pruned calls, whose events say nothing any more.
func (e *erasing) inCalls(ctx context.Context) error {
	page := db.EraseCallPageParams{Number: e.pattern, AtMost: erasePage}
	for {
		rows, err := e.q.EraseCallPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		var keys []callKey
		for _, r := range rows {
			page.AfterSource, page.AfterCallID = r.Source, r.CallID
			e.keep(r.InKey)
			if r.Found {
				keys = append(keys, callKey{r.Source, r.CallID})
			}
		}
		if err := e.fromCalls(ctx, keys); err != nil {
			return err
		}
		e.look(len(rows))
	}
}

// inBillLines only counts: what was billed stays as it was.
func (e *erasing) inBillLines(ctx context.Context) error {
	page := db.EraseBillLinePageParams{Number: e.pattern, AtMost: erasePage}
	for {
		rows, err := e.q.EraseBillLinePage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			page.AfterSide, page.AfterSource, page.AfterCallID, page.AfterLine = r.Side, r.Source, r.CallID, r.Line
			if r.Found {
				e.done.Billed++
			}
		}
		e.look(len(rows))
	}
}

func (e *erasing) inRecordings(ctx context.Context) error {
	page := db.EraseRecordingPageParams{Number: e.pattern, AtMost: erasePage}
	for {
		rows, err := e.q.EraseRecordingPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		var gone db.DeleteRecordingsParams
		var emptied db.EmptyRecordingsParams
		for _, r := range rows {
			page.AfterSource, page.AfterCallID, page.AfterRecordingID = r.Source, r.CallID, r.RecordingID
			switch {
			case r.InAddress:
				gone.Source, gone.CallID, gone.RecordingID = append(gone.Source, r.Source), append(gone.CallID, r.CallID), append(gone.RecordingID, r.RecordingID)
				continue
			case r.Found:
				emptied.Source, emptied.CallID, emptied.RecordingID = append(emptied.Source, r.Source), append(emptied.CallID, r.CallID), append(emptied.RecordingID, r.RecordingID)
			}
			e.keep(r.InKey)
		}
		e.done.Recordings += len(gone.Source) + len(emptied.Source)
		err = e.write(
			func() (int64, error) { return e.q.DeleteRecordings(ctx, gone) },
			func() (int64, error) { return e.q.EmptyRecordings(ctx, emptied) })
		if err != nil {
			return err
		}
		e.look(len(rows))
	}
}

// write changes rows; a dry run does not.
func (e *erasing) write(changes ...func() (int64, error)) error {
	if e.dryRun {
		return nil
	}
	for _, change := range changes {
		err := repeated(func() error {
			_, err := change()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *erasing) inMessages(ctx context.Context) error {
	page := db.EraseMessagePageParams{Number: e.pattern, AtMost: erasePage}
	for {
		rows, err := e.q.EraseMessagePage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		found := db.EraseMessagesParams{Number: e.pattern}
		for _, r := range rows {
			page.AfterSource, page.AfterMessageID = r.Source, r.MessageID
			e.keep(r.InKey)
			if r.Found {
				found.Source, found.MessageID = append(found.Source, r.Source), append(found.MessageID, r.MessageID)
			}
		}
		e.done.Messages += len(found.Source)
		if err := e.write(func() (int64, error) { return e.q.EraseMessages(ctx, found) }); err != nil {
			return err
		}
		e.look(len(rows))
	}
}

// inQuarantine deletes pieces: nobody can take a number out of bytes that cannot
// be read. NULs are left out, so that UTF-16 is searched too.
func (e *erasing) inQuarantine(ctx context.Context) error {
	page := db.EraseQuarantinePageParams{AfterQuarantineID: uuid([16]byte{}), AtMost: erasePagePieces}
	for {
		rows, err := e.q.EraseQuarantinePage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		found := db.DeleteQuarantineParams{UnreadToo: true}
		for i := range rows {
			r := &rows[i]
			page.AfterSource, page.AfterQuarantineID = r.Source, r.QuarantineID
			switch body := strings.ReplaceAll(string(r.Body), "\x00", ""); {
			case e.number.in(r.Query, body, r.Reason, r.Hint, r.ContentType, r.ContentEncoding):
				found.Source, found.QuarantineID = append(found.Source, r.Source), append(found.QuarantineID, r.QuarantineID)
				e.done.Quarantine++
				if r.Unread {
					e.done.Unread++
				}
			case r.ContentEncoding != "":
				e.done.Unsearched++
			}
		}
		if err := e.write(func() (int64, error) { return e.q.DeleteQuarantine(ctx, found) }); err != nil {
			return err
		}
		e.look(len(rows))
	}
}
