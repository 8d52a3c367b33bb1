package export

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// relation is a table or view that can be exported.
type relation struct {
	name  string
	time  string   // its column that is bounded by from and to
	order []string // columns that tell any two rows apart, the time first
}

// relations are those whose rows are about calls and messages. What is by
// call_time comes in the order of its index.
func relations() []relation {
	return []relation{
		{"cdr", "call_time", []string{"call_time", "source", "call_id"}},
		{"call", "call_time", []string{"call_time", "source", "call_id"}},
		{"event", "received_at", []string{"received_at", "source", "call_id", "event_id"}},
		{"leg", "received_at", []string{"received_at", "source", "call_id", "record_key"}},
		{"rated_cdr", "call_time", []string{"call_time", "source", "call_id"}},
		{"recording", "received_at", []string{"received_at", "source", "call_id", "recording_id"}},
		{"message", "received_at", []string{"received_at", "source", "message_id"}},
	}
}

// Relations are the names of what can be exported.
func Relations() []string {
	var names []string
	for _, r := range relations() {
		names = append(names, r.name)
	}
	return names
}

func (o Options) relation() (relation, error) {
	for _, r := range relations() {
		if r.name == o.What {
			return r, nil
		}
	}
	return relation{}, fmt.Errorf("--what: %q cannot be exported, only %s", o.What, strings.Join(Relations(), ", "))
}

// query is a statement and its parameters, in text form.
type query struct {
	sql    string
	params [][]byte
}

// statement selects the columns of what the options ask for, in order.
func statement(r relation, columns []column, o Options) query {
	var s query
	var conditions []string
	bound := func(condition, value string) {
		s.params = append(s.params, []byte(value))
		conditions = append(conditions, condition+strconv.Itoa(len(s.params)))
	}
	if !o.From.IsZero() {
		bound(r.time+" >= $", o.From.UTC().Format(time.RFC3339Nano))
	}
	if !o.To.IsZero() {
		bound(r.time+" < $", o.To.UTC().Format(time.RFC3339Nano))
	}
	if o.Source != "" {
		bound("source = $", o.Source)
	}
	selected := make([]string, len(columns))
	for i, c := range columns {
		selected[i] = c.sql
	}
	s.sql = "SELECT " + strings.Join(selected, ", ") + " FROM " + r.name
	if len(conditions) > 0 {
		s.sql += " WHERE " + strings.Join(conditions, " AND ")
	}
	// Qualified, because a column of the result may have a name of the table's.
	s.sql += " ORDER BY " + r.name + "." + strings.Join(r.order, ", "+r.name+".")
	return s
}

// open declares the query's cursor, of the name export, and returns how many rows
// Postgres expects, which it has not counted.
func (s query) open(ctx context.Context, tx pgx.Tx) (about int64, err error) {
	declare := "DECLARE export NO SCROLL CURSOR FOR " + s.sql
	run := tx.Conn().PgConn().ExecParams
	if result := run(ctx, declare, s.params, nil, nil, nil).Read(); result.Err != nil {
		return 0, fmt.Errorf("begin to read: %w", result.Err)
	}
	result := run(ctx, "EXPLAIN (FORMAT json) "+declare, s.params, nil, nil, nil).Read()
	if result.Err != nil {
		return 0, fmt.Errorf("estimate the rows: %w", result.Err)
	}
	var plans []struct {
		Plan struct {
			Rows int64 `json:"Plan Rows"`
		}
	}
	if len(result.Rows) != 1 || json.Unmarshal(result.Rows[0][0], &plans) != nil || len(plans) != 1 {
		return 0, nil // it is for a display only
	}
	return plans[0].Plan.Rows, nil
}
