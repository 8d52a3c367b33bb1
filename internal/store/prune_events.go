package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
)

// events empties what no living call is folded from, and forgets keys.
func (p *pruning) events(ctx context.Context) error {
	page := db.PruneEventPageParams{
		Before: exactly(p.Before), Forget: exactly(p.Forget), OneSource: p.Source,
		AfterEventID: uuid([16]byte{}), AtMost: prunePage,
	}
	for {
		rows, calls, err := p.eventPage(ctx, page)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := p.loose(ctx, rows, calls); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		page.AfterSource, page.AfterCallID, page.AfterEventID = last.Source, last.CallID, last.EventID
		p.look(len(rows))
	}
}

// loose empties and forgets the events of a page that no living call is folded
// from: the call is pruned, or there is none, and then there are no facts, or
// rebuild could make one. Late are those that came when their call was pruned
// already, be it out of a spool with an earlier receipt.
func (p *pruning) loose(ctx context.Context, rows []db.PruneEventPageRow, calls map[callKey]pgtype.Timestamptz) error {
	due := db.EmptyEventsParams{Before: exactly(p.Before)}
	gone := db.ForgetEventsParams{Forget: exactly(p.Forget)}
	for _, r := range rows {
		pruned, known := calls[callKey{r.Source, r.CallID}]
		if !r.Wanted || known && !pruned.Valid {
			continue // it is folded
		}
		if known && (r.ReceivedAt.Time.After(pruned.Time) || !r.Empty) {
			p.done.Late++
		}
		switch {
		case r.Old && !r.Empty && (known || r.NoFacts):
			due.Source, due.CallID, due.EventID = append(due.Source, r.Source), append(due.CallID, r.CallID), append(due.EventID, r.EventID)
			p.done.Bytes += r.Bytes
		case r.Older && r.Empty:
			gone.Source, gone.CallID, gone.EventID = append(gone.Source, r.Source), append(gone.CallID, r.CallID), append(gone.EventID, r.EventID)
		}
	}
	if err := p.write(&p.done.Events, len(due.Source), func() (int64, error) { return p.q.EmptyEvents(ctx, due) }); err != nil {
		return err
	}
	return p.write(&p.done.Forgotten, len(gone.Source), func() (int64, error) { return p.q.ForgetEvents(ctx, gone) })
}

// eventPage reads the next events and, in the same snapshot, when their calls
// were pruned, null: not; calls that there are not are missing.
func (p *pruning) eventPage(ctx context.Context, page db.PruneEventPageParams) (rows []db.PruneEventPageRow, calls map[callKey]pgtype.Timestamptz, err error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, p.store.pool, options, func(tx pgx.Tx) error {
		q := db.New(tx)
		if rows, err = q.PruneEventPage(ctx, page); err != nil || len(rows) == 0 {
			return err
		}
		var keys []callKey
		for _, r := range rows {
			keys = append(keys, callKey{r.Source, r.CallID})
		}
		sources, ids := columns(slices.Compact(keys))
		known, err := q.PrunedAt(ctx, db.PrunedAtParams{Source: sources, CallID: ids})
		calls = make(map[callKey]pgtype.Timestamptz, len(known))
		for _, c := range known {
			calls[callKey{c.Source, c.CallID}] = c.PrunedAt
		}
		return err
	})
	return rows, calls, err
}
