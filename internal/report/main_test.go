package report

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// aCall is a row of call, as far as reports read it; empty and nil are null.
type aCall struct {
	Source, CallID, Provider, Account, Trunk, Direction, Country string
	State, Disposition, Currency                                 string
	At                                                           time.Time
	Started, Ringing, Answered, Ended                            *time.Time
	Duration, Billsec, Charged, Cost                             decimal.NullDecimal
	First, Next, SIP, Q850                                       *int
	Hangup, Clock                                                string
	CDRs                                                         int
}

func null(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func known(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// insert writes calls past the store, in a transaction that leaves no event.
func insert(t testing.TB, pool *pgxpool.Pool, calls ...aCall) {
	t.Helper()
	columns := []string{
		"source", "call_id", "provider", "account", "trunk", "direction", "dst_country", "state", "disposition", "currency",
		"call_time", "started_at", "ringing_at", "answered_at", "ended_at", "duration", "billsec", "charged_sec", "cost",
		"first_increment", "next_increment", "sip_code", "q850_cause", "hangup_cause", "clock", "cdrs",
		"legs", "events", "version", "first_received_at", "last_received_at", "changed_at",
	}
	_, err := pool.CopyFrom(t.Context(), pgx.Identifier{"call"}, columns, pgx.CopyFromSlice(len(calls), func(i int) ([]any, error) {
		c := calls[i]
		state := orElse(c.State, "ended")
		disposition := null(c.Disposition)
		if state == "ended" && disposition == nil {
			disposition = null("answered")
		}
		return []any{
			c.Source, c.CallID, orElse(c.Provider, c.Source), null(c.Account), null(c.Trunk), null(c.Direction), null(c.Country),
			state, disposition, null(c.Currency), c.At, c.Started, c.Ringing, c.Answered, c.Ended, numeric(c.Duration), numeric(c.Billsec),
			numeric(c.Charged), numeric(c.Cost), c.First, c.Next, c.SIP, c.Q850, null(c.Hangup), orElse(c.Clock, "provider"), c.CDRs,
			0, 1, 1, c.At, c.At, c.At,
		}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

func numeric(d decimal.NullDecimal) any {
	if !d.Valid {
		return nil
	}
	return d.Decimal.String()
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// lines runs a query whose columns are texts and returns a line per row, null
// as a dash.
func lines(t testing.TB, q querier, sql string, args ...any) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		cells, err := texts(rows, len(rows.FieldDescriptions()))
		if err != nil {
			t.Fatal(err)
		}
		line := ""
		for i, c := range cells {
			if i > 0 {
				line += " | "
			}
			if c == nil {
				line += "-"
			} else {
				line += *c
			}
		}
		all = append(all, line)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}
