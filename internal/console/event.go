package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// event is a row of table event, as the page of its call needs it.
type event struct {
	db.ConsoleEventsRow
	Number   int // on the page, from 1
	Counts   bool
	facts    *cdr.Facts        // nil: it says nothing about the call
	said     map[string]string // facts as texts, by the columns of call
	Payload  []piece           // pretty-printed where it is whole
	HasShown bool
	Cut      bool
}

// readEvents takes the rows over in their order. mask hides the numbers in
// payloads.
func readEvents(rows []db.ConsoleEventsRow, mask func(string) string) ([]event, error) {
	events := make([]event, len(rows))
	for i, r := range rows {
		e := event{ConsoleEventsRow: r, Number: i + 1, Counts: r.Counts != nil && *r.Counts && r.Facts != nil}
		if r.Facts != nil {
			if err := e.readFacts(r.Facts); err != nil {
				return nil, fmt.Errorf("facts of event %d: %w", e.Number, err)
			}
		}
		if r.Payload != nil {
			e.HasShown, e.Cut = true, int64(len([]rune(*r.Payload))) < r.PayloadLength
			e.Payload = visible(mask(pretty(*r.Payload, e.Cut)))
		}
		events[i] = e
	}
	return events, nil
}

func (e *event) readFacts(facts []byte) error {
	r, err := readRow(facts)
	if err != nil {
		return err
	}
	e.said = map[string]string{}
	for _, c := range r {
		if c.Value != nil {
			e.said[c.Name] = *c.Value
		}
	}
	// An import or a hand may have put facts there that are of other types.
	read := &cdr.Facts{}
	if json.Unmarshal(facts, read) != nil {
		read = &cdr.Facts{}
	}
	e.facts = read
	return nil
}

// Silent reports whether it says nothing about the call.
func (e *event) Silent() bool { return e.facts == nil }

// pretty indents a payload that is whole.
func pretty(payload string, cut bool) string {
	var out bytes.Buffer
	if cut || json.Indent(&out, []byte(payload), "", "  ") != nil {
		return payload
	}
	return out.String()
}

// at is when it happened, as far as anybody knows.
func (e *event) at() time.Time { return e.OccurredAt.Time }

// moment is a time that the event vouches for: its own fact, or when it came,
// where its kind is that moment and the provider sends no time.
func (e *event) moment(m cdr.Moment) time.Time {
	if e.facts == nil {
		return time.Time{}
	}
	kinds := map[cdr.Moment]struct {
		at   time.Time
		kind string
	}{
		cdr.MomentStarted:  {e.facts.StartedAt, "started"},
		cdr.MomentRinging:  {e.facts.RingingAt, "ringing"},
		cdr.MomentAnswered: {e.facts.AnsweredAt, "answered"},
		cdr.MomentEnded:    {e.facts.EndedAt, "ended"},
	}
	k := kinds[m]
	if k.at.IsZero() && e.Kind == k.kind {
		return e.at()
	}
	return k.at
}
