package store

import (
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// seenOthers is what is known already of recordings and messages, in the
// database or earlier in the batch.
type seenOthers struct {
	recordings map[[3]string]bool
	messages   map[[2]string]int // rank of the status
}

// recording reports whether a notice is about a new recording, and remembers it.
func (s *seenOthers) recording(r *cdr.Recording) bool {
	k := [3]string{r.Source, r.CallID, r.RecordingID}
	isNew := !s.recordings[k]
	s.recordings[k] = true
	return isNew
}

// message reports whether a message is new or settles more than what is known,
// and remembers it.
func (s *seenOthers) message(m *cdr.Message) bool {
	k := [2]string{m.Source, m.MessageID}
	rank, known := s.messages[k]
	if known && cdr.StatusRank(m.Status) <= rank {
		return false
	}
	s.messages[k] = cdr.StatusRank(m.Status)
	return true
}

// reads are what must be read to say what became of recordings and messages. How
// they are written does not depend on it.
func (b *batch) reads() []func(context.Context, *db.Queries) error {
	var reads []func(context.Context, *db.Queries) error
	if len(b.recordings) > 0 {
		b.seen.recordings = map[[3]string]bool{}
		reads = append(reads, b.readRecordings)
	}
	if len(b.messages) > 0 {
		b.seen.messages = map[[2]string]int{}
		reads = append(reads, b.readMessages)
	}
	return reads
}

func (b *batch) readRecordings(ctx context.Context, q *db.Queries) error {
	var keys db.KnownRecordingsParams
	for i := range b.recordings {
		keys.Sources = append(keys.Sources, b.recordings[i].Source)
		keys.CallIds = append(keys.CallIds, b.recordings[i].CallID)
		keys.RecordingIds = append(keys.RecordingIds, b.recordings[i].RecordingID)
	}
	rows, err := q.KnownRecordings(ctx, keys)
	if err != nil {
		return fmt.Errorf("read recordings: %w", err)
	}
	for _, r := range rows {
		b.seen.recordings[[3]string{r.Source, r.CallID, r.RecordingID}] = true
	}
	return nil
}

func (b *batch) readMessages(ctx context.Context, q *db.Queries) error {
	var keys db.KnownMessagesParams
	for i := range b.messages {
		keys.Sources = append(keys.Sources, b.messages[i].Source)
		keys.MessageIds = append(keys.MessageIds, b.messages[i].MessageID)
	}
	rows, err := q.KnownMessages(ctx, keys)
	if err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	for _, r := range rows {
		b.seen.messages[[2]string{r.Source, r.MessageID}] = cdr.StatusRank(r.Status.String)
	}
	return nil
}

// writeOthers writes everything but events and calls, without the pieces that
// were refused.
func (b *batch) writeOthers(ctx context.Context, q *db.Queries) error {
	if len(b.recordings) > 0 {
		if err := q.SaveRecordings(ctx, recordingParams(b.recordings)); err != nil {
			return err
		}
	}
	if len(b.messages) > 0 {
		if err := q.SaveMessages(ctx, messageParams(b.messages)); err != nil {
			return err
		}
	}
	if kept := quarantineParams(b.rejects, b.refused); len(kept.Source) > 0 {
		return q.SaveQuarantine(ctx, kept)
	}
	return nil
}
