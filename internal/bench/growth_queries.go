package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookup is what a query took, each time with another key.
type lookup struct {
	Target  string   `json:"target"`
	Query   string   `json:"query"`
	Keys    int      `json:"keys"`
	Rows    float64  `json:"rows"` // that were read for a key, on average; of a report, the calls that it counts
	P50     float64  `json:"p50_ms"`
	P99     float64  `json:"p99_ms"`
	Indexes []string `json:"indexes"`  // of the plan
	SeqScan bool     `json:"seq_scan"` // whether the plan reads the whole table
}

// question is a query and its keys.
type question struct {
	name, sql string
	counts    bool // the first column says how many calls a row stands for
	keys      [][]any
}

// How many keys a query is asked with.
const (
	someKeys = 200
	someDays = 20
)

const (
	oneCallSQL   = "SELECT * FROM call WHERE source = $1 AND call_id = $2"
	historySQL   = "SELECT * FROM call WHERE src_e164 = $1 ORDER BY call_time DESC LIMIT 50"
	reportSQL    = "SELECT count(*), count(*) FILTER (WHERE disposition = 'answered'), sum(billsec), sum(cost), currency FROM call WHERE "
	dayAllSQL    = reportSQL + "call_time >= $1 AND call_time < $2 GROUP BY currency"
	daySourceSQL = reportSQL + "source = $3 AND call_time >= $1 AND call_time < $2 GROUP BY currency"
)

// sampleSQL draws calls from all over the table. Reading it whole leaves
// shared_buffers as they are, what single pages would not.
const sampleSQL = `
SELECT source, call_id, src_e164, date_trunc('day', call_time)
FROM call TABLESAMPLE BERNOULLI ((SELECT least(100, 4e5 / greatest(reltuples, 1)) FROM pg_class WHERE oid = 'call'::regclass))
WHERE src_e164 IS NOT NULL
ORDER BY random()`

// lookups asks a database for calls.
func (g *growth) lookups(ctx context.Context, to target) ([]lookup, error) {
	conn, err := pgx.Connect(ctx, to.database)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only read from
	if err := execute(ctx, conn, "ANALYZE call"); err != nil {
		return nil, err
	}
	questions, err := draw(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("draw a sample: %w", err)
	}
	var all []lookup
	for _, q := range questions {
		l, err := q.ask(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		l.Target = to.name
		g.say("%-9s %-22s p50 %8.2f ms  p99 %8.2f ms", to.name, q.name, l.P50, l.P99)
		all = append(all, l)
	}
	return all, nil
}

// draw returns the queries with keys of calls that are there.
func draw(ctx context.Context, conn *pgx.Conn) ([]question, error) {
	one := question{name: "one call", sql: oneCallSQL}
	history := question{name: "a number's history", sql: historySQL}
	ofAll := question{name: "a day, all sources", sql: dayAllSQL, counts: true}
	ofOne := question{name: "a day of one source", sql: daySourceSQL, counts: true}
	rows, err := conn.Query(ctx, sampleSQL)
	if err != nil {
		return nil, err
	}
	var source, callID, number string
	var day time.Time
	days := map[time.Time]bool{}
	_, err = pgx.ForEachRow(rows, []any{&source, &callID, &number, &day}, func() error {
		if len(one.keys) < someKeys {
			one.keys = append(one.keys, []any{source, callID})
			history.keys = append(history.keys, []any{number})
		}
		if !days[day] && len(days) < someDays {
			days[day] = true
			ofAll.keys = append(ofAll.keys, []any{day, day.AddDate(0, 0, 1)})
			ofOne.keys = append(ofOne.keys, []any{day, day.AddDate(0, 0, 1), source})
		}
		return nil
	})
	return []question{one, history, ofAll, ofOne}, err
}

// ask runs a query with each of its keys.
func (q question) ask(ctx context.Context, conn *pgx.Conn) (lookup, error) {
	l := lookup{Query: q.name, Keys: len(q.keys)}
	if l.Keys == 0 {
		return l, errors.New("no calls are there")
	}
	if _, err := conn.Prepare(ctx, q.sql, q.sql); err != nil {
		return l, err
	}
	var took load
	for _, key := range q.keys {
		begin := time.Now()
		found, err := q.read(ctx, conn, key)
		if err != nil {
			return l, err
		}
		took.latencies = append(took.latencies, time.Since(begin))
		if found == 0 {
			return l, fmt.Errorf("nothing is found under %v", key)
		}
		l.Rows += float64(found) / float64(len(q.keys))
	}
	slices.Sort(took.latencies)
	l.P50, l.P99 = ms(took.percentile(0.5)), ms(took.percentile(0.99))
	err := q.explain(ctx, conn, &l)
	return l, err
}

// read returns how many calls a query has found.
func (q question) read(ctx context.Context, conn *pgx.Conn, key []any) (calls int64, err error) {
	rows, err := conn.Query(ctx, q.sql, key...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return 0, err
		}
		if n, is := values[0].(int64); is && q.counts {
			calls += n
		} else {
			calls++
		}
	}
	return calls, rows.Err()
}

// explain adds what the plan of a query uses.
func (q question) explain(ctx context.Context, conn *pgx.Conn, l *lookup) error {
	var plan []byte
	if err := conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+q.sql, q.keys[0]...).Scan(&plan); err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	var tree any
	if err := json.Unmarshal(plan, &tree); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	l.walk(tree)
	return nil
}

func (l *lookup) walk(tree any) {
	switch node := tree.(type) {
	case []any:
		for _, one := range node {
			l.walk(one)
		}
	case map[string]any:
		if node["Node Type"] == "Seq Scan" {
			l.SeqScan = true
		}
		if name, is := node["Index Name"].(string); is {
			l.Indexes = append(l.Indexes, name)
		}
		for _, one := range node {
			l.walk(one)
		}
	}
}
