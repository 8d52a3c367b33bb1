package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Quarantined is a piece in quarantine, as a delivery that can be decoded again.
type Quarantined struct {
	Delivery   cdr.Delivery // without Provider where no source of its name was ever registered
	Deliveries int          // how often it came
	id         pgtype.UUID
}

// Choice says which pieces of the quarantine are meant. Its zero value is every
// unread one.
type Choice struct {
	ReadToo bool   // also those that were replayed
	Source  string // only those of this source; empty: all
	Reason  string // only those with exactly this reason; empty: all
	ID      string // only that with this quarantine_id, in lower case; empty: all
}

// EachQuarantined hands the chosen pieces to f, a page at a time.
func (s *Store) EachQuarantined(ctx context.Context, which Choice, f func(Quarantined) error) error {
	after := db.QuarantineParams{
		QuarantineID: uuid([16]byte{}), ReplayedToo: which.ReadToo, AtMost: 100,
		OnlySource: which.Source, OnlyReason: which.Reason, OnlyID: which.ID,
	}
	for {
		rows, err := db.New(s.pool).Quarantine(ctx, after)
		if err != nil {
			return fmt.Errorf("read the quarantine: %w", err)
		}
		for i := range rows {
			if err := f(quarantinedOf(&rows[i])); err != nil {
				return err
			}
			after.Source, after.QuarantineID = rows[i].Source, rows[i].QuarantineID
		}
		if len(rows) == 0 {
			return nil
		}
	}
}

func quarantinedOf(r *db.QuarantineRow) Quarantined {
	d := cdr.Delivery{
		Source: r.Source, Provider: r.Provider.String, Settings: settings(r.Currency, r.Country, r.AnswerEvents, r.CostIncludesTax),
		Hint: r.Hint, Method: r.Method, Query: r.Query,
		ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Body: r.Body,
		ReceivedAt: momentOf(r.ReceivedAt),
	}
	if r.ContentEncoding != "" {
		d.BodyProblem = r.Reason
	}
	return Quarantined{d, int(r.Deliveries), r.QuarantineID}
}

// MarkReplayed notes that a piece could be read.
func (s *Store) MarkReplayed(ctx context.Context, q Quarantined) error {
	return db.New(s.pool).MarkReplayed(ctx, db.MarkReplayedParams{Source: q.Delivery.Source, QuarantineID: q.id})
}

// StillUnreadable notes why a piece cannot be read now.
func (s *Store) StillUnreadable(ctx context.Context, q Quarantined, reason string) error {
	return db.New(s.pool).StillUnreadable(ctx, db.StillUnreadableParams{Source: q.Delivery.Source, QuarantineID: q.id, Reason: reason})
}
