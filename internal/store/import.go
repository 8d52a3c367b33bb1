package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Held is what the database holds of a call, as far as an import needs it.
type Held struct {
	Events []cdr.Event // without payload, provider kind and counters
	Pruned bool        // its facts are gone, and it is never folded again
}

// Held returns what the database holds of calls of a source, by id. Calls that it
// does not know are not there.
func (s *Store) Held(ctx context.Context, source string, ids []string) (map[string]Held, error) {
	sources := make([]string, len(ids))
	for i := range sources {
		sources[i] = source
	}
	rows, err := db.New(s.pool).ReadCalls(ctx, db.ReadCallsParams{Sources: sources, CallIds: ids})
	if err != nil {
		return nil, fmt.Errorf("read calls of %s: %w", source, err)
	}
	calls := map[string]*stored{}
	for i := range rows {
		id := rows[i].CallID
		if calls[id] == nil {
			calls[id] = &stored{}
		}
		calls[id].add(&rows[i])
	}
	held := make(map[string]Held, len(calls))
	for id, c := range calls {
		if err := c.read(); err != nil {
			return nil, err
		}
		held[id] = Held{c.events, c.pruned}
	}
	return held, nil
}

// Likeness is how a call is known without its id.
type Likeness struct {
	StartedAt time.Time
	Src, Dst  string // without +; Dst is what was dialled, or where the call went
	Billsec   cdr.Amount
}

// Alike returns for each likeness the id of a call of the source that started
// within a second of it, between the same numbers, with the same talk time;
// empty where there is none.
func (s *Store) Alike(ctx context.Context, source string, wanted []Likeness) ([]string, error) {
	p := db.AlikeCallsParams{Source: source}
	for i, w := range wanted {
		p.N = append(p.N, int32(i))
		p.StartedAt = append(p.StartedAt, moment(w.StartedAt))
		p.Src, p.Dst = append(p.Src, w.Src), append(p.Dst, w.Dst)
		w.Billsec.Valid = true // not said is as good as none
		p.Billsec = append(p.Billsec, numeric(w.Billsec))
	}
	found := make([]string, len(wanted))
	rows, err := db.New(s.pool).AlikeCalls(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("look for calls of %s without their id: %w", source, err)
	}
	for _, r := range rows {
		found[r.N] = r.CallID
	}
	return found, nil
}

// SaveImported is Save for records that nobody delivered: what the database
// refuses is Refused with the reason, and nothing goes to the quarantine.
func (s *Store) SaveImported(ctx context.Context, records []cdr.Record) ([]Outcome, error) {
	return s.saveImported(ctx, records, maxTries)
}

func (s *Store) saveImported(ctx context.Context, records []cdr.Record, tries int) ([]Outcome, error) {
	if len(records) == 0 {
		return nil, nil
	}
	outcomes, err := saving{s, false}.try(ctx, records)
	if err == nil {
		return outcomes, nil
	}
	switch fault := FaultOf(err); {
	case ctx.Err() != nil, fault == FaultAway, fault == FaultOurs, fault == FaultAgain && tries == 0:
		return nil, fmt.Errorf("save %d records: %w", len(records), err)
	case fault == FaultAgain:
		tries--
	case len(records) == 1: // FaultData
		return []Outcome{{Refused, reasonOf(err)}}, nil
	}
	half := (len(records) + 1) / 2
	first, err := s.saveImported(ctx, records[:half], tries)
	if err != nil {
		return nil, err
	}
	second, err := s.saveImported(ctx, records[half:], tries)
	if err != nil {
		return nil, err
	}
	return append(first, second...), nil
}

// Started is how DIDWW's outbound export names a call: by its SIP Call-ID, which
// other calls may have, and its start, rounded to a second.
type Started struct {
	SIPCallID string
	StartedAt time.Time
}

// CallsOf returns the ids of the calls of a source that started within a second of
// what is wanted; empty where there is none.
func (s *Store) CallsOf(ctx context.Context, source string, wanted []Started) ([]string, error) {
	p := db.CallsOfSIPCallIDParams{Source: source}
	for i, w := range wanted {
		p.N, p.SipCallID, p.StartedAt = append(p.N, int32(i)), append(p.SipCallID, w.SIPCallID), append(p.StartedAt, moment(w.StartedAt))
	}
	found := make([]string, len(wanted))
	rows, err := db.New(s.pool).CallsOfSIPCallID(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("look for calls of %s by SIP Call-ID: %w", source, err)
	}
	for _, r := range rows {
		found[r.N] = r.CallID
	}
	return found, nil
}

// JoinImported moves CDRs that were imported under a start in whole seconds to the
// calls of the same SIP Call-ID that were pushed since, where they yield to the
// pushed ones. It looks at what was imported since a time, and returns how many
// calls are gone by that.
func (s *Store) JoinImported(ctx context.Context, since time.Time) (joined int, err error) {
	for {
		rows, err := db.New(s.pool).PushedSince(ctx, db.PushedSinceParams{ImportedSince: pgtype.Timestamptz{Time: since, Valid: true}, AtMost: chunk})
		if err != nil || len(rows) == 0 {
			return joined, err
		}
		pushed := map[callKey]string{}
		keys := make([]callKey, len(rows))
		for i, r := range rows {
			keys[i] = callKey{r.Source, r.CallID}
			pushed[keys[i]] = r.PushedCallID
		}
		snap, err := s.again(ctx, keys)
		if err != nil {
			return joined, err
		}
		r := rebuilding{store: s, redecode: func(e cdr.Event, _ Source) (cdr.Event, error) {
			if to := pushed[callKey{e.Source, e.CallID}]; to != "" {
				e.MoveTo(to)
			}
			return e, nil
		}}
		if err := r.chunk(ctx, snap, maxTries); err != nil {
			return joined, err
		}
		if r.done.Moved == 0 { // pruned meanwhile
			return joined, nil
		}
		joined += len(rows)
	}
}
