// Package storetest reads what the tables hold, in the form in which the cases
// of testdata expect it. Tests only.
package storetest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// Rows returns all rows of a source in a fixed order, under the name that the
// case's expectation has.
func Rows(t testing.TB, pool *pgxpool.Pool, source, as string) testcase.Rows {
	t.Helper()
	ctx := t.Context()
	var rows testcase.Rows
	ids := query(t, pool, `SELECT call_id FROM call WHERE source = $1`, source, pgx.RowTo[string])
	calls, err := store.New(pool, slog.New(slog.DiscardHandler)).Calls(ctx, source, ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		c.Source = as
		rows.Calls = append(rows.Calls, c)
	}
	for _, e := range query(t, pool, `
		SELECT call_id, kind, provider_kind, leg, coalesce(record_key, '') AS record_key, clock, deliveries, problems,
		       CASE WHEN clock = 'provider' THEN occurred_at END AS occurred_at
		FROM event WHERE source = $1`, source, pgx.RowToStructByNameLax[eventRow]) {
		rows.Events = append(rows.Events, e.event())
	}
	for _, r := range query(t, pool, `
		SELECT call_id, recording_id, url, expires_at, deliveries
		FROM recording WHERE source = $1`, source, pgx.RowToStructByName[recordingRow]) {
		rows.Recordings = append(rows.Recordings, testcase.Recording{
			CallID: r.CallID, RecordingID: r.RecordingID, URL: r.URL, ExpiresAt: value(r.ExpiresAt).UTC(), Deliveries: r.Deliveries,
		})
	}
	for _, m := range query(t, pool, `
		SELECT message_id, src, dst, body, direction, status, occurred_at, cost, currency, segments, deliveries
		FROM message WHERE source = $1`, source, pgx.RowToStructByName[messageRow]) {
		rows.Messages = append(rows.Messages, m.message())
	}
	for _, q := range query(t, pool, `SELECT reason, body, deliveries FROM quarantine WHERE source = $1`, source, pgx.RowToStructByName[rejectRow]) {
		rows.Quarantine = append(rows.Quarantine, testcase.Reject{Reason: q.Reason, Body: string(q.Body), Deliveries: q.Deliveries})
	}
	rows.Sort()
	return rows
}

func query[T any](t testing.TB, pool *pgxpool.Pool, sql, source string, row pgx.RowToFunc[T]) []T {
	t.Helper()
	rows, err := pool.Query(context.WithoutCancel(t.Context()), sql, source)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, row)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

type eventRow struct {
	CallID       string
	Kind         string
	ProviderKind string
	Leg          string
	RecordKey    string
	Clock        string
	Deliveries   int
	Problems     []string
	OccurredAt   *time.Time
}

func (r eventRow) event() testcase.Event {
	e := testcase.Event{
		CallID: r.CallID, Kind: cdr.Kind(r.Kind), ProviderKind: r.ProviderKind, Leg: r.Leg, RecordKey: r.RecordKey,
		Clock: cdr.Clock(r.Clock), Deliveries: r.Deliveries,
	}
	if len(r.Problems) > 0 {
		e.Problems = r.Problems
	}
	if r.OccurredAt != nil {
		e.OccurredAt = r.OccurredAt.UTC()
	}
	return e
}

type rejectRow struct {
	Reason     string
	Body       []byte
	Deliveries int
}

type recordingRow struct {
	CallID, RecordingID, URL string
	ExpiresAt                *time.Time
	Deliveries               int
}

type messageRow struct {
	MessageID                         string
	Src, Dst, Body, Direction, Status *string
	OccurredAt                        *time.Time
	Cost                              decimal.NullDecimal
	Currency                          *string
	Segments                          *int
	Deliveries                        int
}

func (r messageRow) message() testcase.Message {
	m := testcase.Message{
		MessageID: r.MessageID, Src: value(r.Src), Dst: value(r.Dst), Body: value(r.Body),
		Direction: cdr.Direction(value(r.Direction)), Status: value(r.Status), Currency: value(r.Currency),
		Cost: r.Cost, Segments: value(r.Segments), Deliveries: r.Deliveries,
	}
	if r.OccurredAt != nil {
		m.OccurredAt = r.OccurredAt.UTC()
	}
	return m
}

func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
