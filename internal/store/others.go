package store

import (
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// seenOthers is what is known already, in the database or earlier in the batch.
type seenOthers struct {
	events     map[eventKey]bool
	recordings map[[3]string]bool
	messages   map[[2]string]int // rank of the status
	rejects    map[[16]byte]bool
	full       map[string]bool // sources whose quarantine takes no more
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

func (b *batch) readOthers(ctx context.Context, q *db.Queries) (*seenOthers, error) {
	seen := &seenOthers{
		events:     map[eventKey]bool{},
		recordings: map[[3]string]bool{}, messages: map[[2]string]int{},
		rejects: map[[16]byte]bool{}, full: map[string]bool{},
	}
	if len(b.recordings) > 0 {
		if err := b.readRecordings(ctx, q, seen); err != nil {
			return nil, fmt.Errorf("read recordings: %w", err)
		}
	}
	if len(b.messages) > 0 {
		if err := b.readMessages(ctx, q, seen); err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
	}
	if len(b.rejects) > 0 {
		if err := b.readQuarantine(ctx, q, seen); err != nil {
			return nil, fmt.Errorf("read quarantine: %w", err)
		}
	}
	return seen, nil
}

func (b *batch) readRecordings(ctx context.Context, q *db.Queries, seen *seenOthers) error {
	var keys db.KnownRecordingsParams
	for i := range b.recordings {
		keys.Sources = append(keys.Sources, b.recordings[i].Source)
		keys.CallIds = append(keys.CallIds, b.recordings[i].CallID)
		keys.RecordingIds = append(keys.RecordingIds, b.recordings[i].RecordingID)
	}
	rows, err := q.KnownRecordings(ctx, keys)
	for _, r := range rows {
		seen.recordings[[3]string{r.Source, r.CallID, r.RecordingID}] = true
	}
	return err
}

func (b *batch) readMessages(ctx context.Context, q *db.Queries, seen *seenOthers) error {
	var keys db.KnownMessagesParams
	for i := range b.messages {
		keys.Sources = append(keys.Sources, b.messages[i].Source)
		keys.MessageIds = append(keys.MessageIds, b.messages[i].MessageID)
	}
	rows, err := q.KnownMessages(ctx, keys)
	for _, r := range rows {
		seen.messages[[2]string{r.Source, r.MessageID}] = cdr.StatusRank(r.Status.String)
	}
	return err
}

// readQuarantine finds which pieces are known and which sources take no more.
// The bound is not exact when several receivers reach it at once.
func (b *batch) readQuarantine(ctx context.Context, q *db.Queries, seen *seenOthers) error {
	var keys db.KnownQuarantineParams
	sizes := map[string]int64{}
	for i := range b.rejects {
		keys.Sources = append(keys.Sources, b.rejects[i].Source)
		keys.QuarantineIds = append(keys.QuarantineIds, uuid(rejectID(&b.rejects[i])))
		sizes[b.rejects[i].Source] += int64(len(b.rejects[i].Body))
	}
	rows, err := q.KnownQuarantine(ctx, keys)
	if err != nil {
		return err
	}
	for _, r := range rows {
		seen.rejects[r.QuarantineID.Bytes] = true
	}
	if !b.bounded {
		return nil
	}
	for source, more := range sizes {
		size, err := q.QuarantineSize(ctx, db.QuarantineSizeParams{Source: source, AtMost: MaxQuarantinePieces})
		if err != nil {
			return err
		}
		seen.full[source] = size.Pieces >= MaxQuarantinePieces || size.Bytes+more > MaxQuarantineBytes
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
	refused := map[[16]byte]bool{}
	for i := range b.records {
		if b.outcomes[i].Status == Refused {
			refused[rejectID(b.records[i].Reject)] = true
		}
	}
	if kept := quarantineParams(b.rejects, refused); len(kept.Source) > 0 {
		return q.SaveQuarantine(ctx, kept)
	}
	return nil
}
