package store

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// The zero values of package cdr and the nulls of Postgres stand for each other.

func uuid(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func nullText(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }

func nullBool(b *bool) pgtype.Bool {
	if b == nil {
		return pgtype.Bool{}
	}
	return pgtype.Bool{Bool: *b, Valid: true}
}

func textOrNil[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	text := string(s)
	return &text
}

func smallOrNil(n *int) *int32 {
	if n == nil {
		return nil
	}
	small := int32(*n)
	return &small
}

func codeOrNil(n int) *int32 {
	if n == 0 {
		return nil
	}
	return smallOrNil(&n)
}

func moment(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

func momentOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// numeric writes an amount without trailing zeros, so that a row does not show
// by which way its amounts came (0.450000 from a body, 0.45 from stored facts).
func numeric(a cdr.Amount) pgtype.Numeric {
	if !a.Valid {
		return pgtype.Numeric{}
	}
	n, exp := a.Decimal.Coefficient(), a.Decimal.Exponent()
	ten, quotient, rest := big.NewInt(10), new(big.Int), new(big.Int)
	for exp < 0 {
		if quotient.QuoRem(n, ten, rest); rest.Sign() != 0 {
			break
		}
		n, quotient, exp = quotient, n, exp+1
	}
	return pgtype.Numeric{Int: n, Exp: exp, Valid: true}
}

func amountOf(n pgtype.Numeric) cdr.Amount {
	if !n.Valid || n.Int == nil {
		return cdr.Amount{}
	}
	return decimal.NewNullDecimal(decimal.NewFromBigInt(n.Int, n.Exp))
}

func intOf(n pgtype.Int4) *int {
	if !n.Valid {
		return nil
	}
	i := int(n.Int32)
	return &i
}

func settings(currency, country pgtype.Text, answerEvents pgtype.Bool, costIncludesTax pgtype.Text) cdr.Settings {
	s := cdr.Settings{Currency: currency.String, Country: country.String, CostIncludesTax: costIncludesTax.String}
	if answerEvents.Valid {
		s.AnswerEvents = &answerEvents.Bool
	}
	return s
}

// eventOf returns an event as far as folding needs it, but for its facts.
func eventOf(r *db.ReadCallsRow) cdr.Event {
	e := cdr.Event{
		Source: r.Source, CallID: r.CallID, ID: r.EventID.Bytes,
		Kind: cdr.Kind(r.Kind), Leg: r.Leg, RecordKey: r.RecordKey.String,
		Clock: cdr.Clock(r.Clock), ReceivedAt: momentOf(r.ReceivedAt),
	}
	if e.Clock == cdr.ClockProvider {
		e.OccurredAt = momentOf(r.OccurredAt)
	}
	return e
}

// wholeEvent returns an event with all that is stored of it.
func wholeEvent(r *db.Event) (cdr.Event, error) {
	e := cdr.Event{
		Source: r.Source, CallID: r.CallID, ID: r.EventID.Bytes,
		Kind: cdr.Kind(r.Kind), ProviderKind: r.ProviderKind, Leg: r.Leg, RecordKey: r.RecordKey.String,
		Clock: cdr.Clock(r.Clock), ReceivedAt: momentOf(r.ReceivedAt), LastReceivedAt: momentOf(r.LastReceivedAt),
		Deliveries: int(r.Deliveries), Problems: r.Problems, Payload: r.Payload,
	}
	if e.Clock == cdr.ClockProvider {
		e.OccurredAt = momentOf(r.OccurredAt)
	}
	return e, readFacts(&e, r.Facts)
}

func readFacts(e *cdr.Event, facts []byte) error {
	if facts == nil {
		return nil
	}
	e.Facts = &cdr.Facts{}
	if err := json.Unmarshal(facts, e.Facts); err != nil {
		return fmt.Errorf("%w: event %x: %w", errFacts, e.ID, err)
	}
	return nil
}

func writeFacts(f *cdr.Facts) *string {
	if f == nil {
		return nil
	}
	text := string(appendFacts(make([]byte, 0, 512), f))
	return &text
}

// occurred is the provider's time, else the first receipt.
func occurred(e *cdr.Event) time.Time {
	if e.Clock == cdr.ClockReceiver || e.OccurredAt.IsZero() {
		return e.ReceivedAt
	}
	return e.OccurredAt
}

func problems(e *cdr.Event) string { return strings.Join(e.Problems, "\n") }

func (w *changes) appendEvents(events []*cdr.Event) {
	payloads := 0
	for _, e := range events {
		payloads += len(e.Payload)
	}
	if len(events) > 0 {
		w.events.Payload.Grow(len(events), payloads)
	}
	for _, e := range events {
		w.appendEvent(e)
	}
}

func (w *changes) appendEvent(e *cdr.Event) {
	p := &w.events
	p.Source.Append(e.Source)
	p.CallID.Append(e.CallID)
	p.EventID.Append(e.ID)
	p.Kind.Append(string(e.Kind))
	p.ProviderKind.Append(e.ProviderKind)
	p.Leg.Append(e.Leg)
	p.RecordKey.AppendOrNull(e.RecordKey)
	p.OccurredAt.Append(occurred(e))
	p.Clock.Append(string(e.Clock))
	p.ReceivedAt.Append(e.ReceivedAt)
	p.LastReceivedAt.Append(e.LastReceivedAt)
	p.Deliveries.Append(e.Deliveries)
	if e.Facts == nil {
		p.Facts.AppendNull()
	} else {
		w.facts = appendFacts(w.facts[:0], e.Facts)
		p.Facts.AppendBytes(w.facts)
	}
	p.Problems.Append(problems(e))
	p.Payload.AppendBytes(e.Payload)
}

// appendRepeat adds what is counted of an event that is known.
func appendRepeat(p *db.CountRepeatsParams, e *cdr.Event) {
	p.Source.Append(e.Source)
	p.CallID.Append(e.CallID)
	p.EventID.Append(e.ID)
	p.ReceivedAt.Append(e.ReceivedAt)
	p.LastReceivedAt.Append(e.LastReceivedAt)
	p.Deliveries.Append(e.Deliveries)
}

func recordingParams(rows []cdr.Recording) db.SaveRecordingsParams {
	var p db.SaveRecordingsParams
	for i := range rows {
		r := &rows[i]
		p.Source = append(p.Source, r.Source)
		p.CallID = append(p.CallID, r.CallID)
		p.RecordingID = append(p.RecordingID, r.RecordingID)
		p.Url = append(p.Url, r.URL)
		p.ExpiresAt = append(p.ExpiresAt, moment(r.ExpiresAt))
		p.ReceivedAt = append(p.ReceivedAt, moment(r.ReceivedAt))
		p.Deliveries = append(p.Deliveries, int32(r.Deliveries))
		p.Payload = append(p.Payload, string(r.Payload))
	}
	return p
}

func messageParams(rows []cdr.Message) db.SaveMessagesParams {
	var p db.SaveMessagesParams
	for i := range rows {
		m := &rows[i]
		p.Source = append(p.Source, m.Source)
		p.MessageID = append(p.MessageID, m.MessageID)
		p.Src = append(p.Src, textOrNil(m.Src))
		p.Dst = append(p.Dst, textOrNil(m.Dst))
		p.Body = append(p.Body, textOrNil(m.Body))
		p.Direction = append(p.Direction, textOrNil(m.Direction))
		p.Status = append(p.Status, textOrNil(m.Status))
		p.OccurredAt = append(p.OccurredAt, moment(m.OccurredAt))
		p.Cost = append(p.Cost, numeric(m.Cost))
		p.Currency = append(p.Currency, textOrNil(m.Currency))
		p.Segments = append(p.Segments, codeOrNil(m.Segments))
		p.ReceivedAt = append(p.ReceivedAt, moment(m.ReceivedAt))
		p.Deliveries = append(p.Deliveries, int32(m.Deliveries))
		p.Payload = append(p.Payload, string(m.Payload))
	}
	return p
}

func quarantineParams(rows []cdr.Reject, without map[[16]byte]bool) db.SaveQuarantineParams {
	var p db.SaveQuarantineParams
	for i := range rows {
		r := &rows[i]
		id := rejectID(r)
		if without[id] {
			continue
		}
		body := r.Body
		if body == nil {
			body = []byte{}
		}
		p.Source = append(p.Source, r.Source)
		p.QuarantineID = append(p.QuarantineID, uuid(id))
		p.Hint = append(p.Hint, r.Hint)
		p.Method = append(p.Method, r.Method)
		p.Query = append(p.Query, r.Query)
		p.ContentType = append(p.ContentType, r.ContentType)
		p.ContentEncoding = append(p.ContentEncoding, r.ContentEncoding)
		p.Body = append(p.Body, body)
		p.Reason = append(p.Reason, r.Reason)
		p.ReceivedAt = append(p.ReceivedAt, moment(r.ReceivedAt))
		p.Deliveries = append(p.Deliveries, int32(r.Deliveries))
	}
	return p
}
