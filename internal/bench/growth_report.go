package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
)

// size is the space that calls and their events take.
type size struct {
	Target    string     `json:"target"`
	Calls     int        `json:"calls"`
	Events    int        `json:"events"`
	Relations []relation `json:"relations"`
}

// relation is a table, with what is stored beside it (TOAST), or an index.
type relation struct {
	Name  string `json:"name"`
	Index bool   `json:"index"`
	Bytes int64  `json:"bytes"`
}

const relationsSQL = `
SELECT oid::regclass::text, false, pg_table_size(oid) FROM pg_class WHERE oid IN ('call'::regclass, 'event'::regclass)
UNION ALL
SELECT indexrelid::regclass::text, true, pg_relation_size(indexrelid) FROM pg_index WHERE indrelid IN ('call'::regclass, 'event'::regclass)
ORDER BY 2, 1`

// sizeOf measures a database: after traffic it says what a call weighs with its
// payloads, filled up what it weighs when it was pruned.
func sizeOf(ctx context.Context, to target) (size, error) {
	s := size{Target: to.name}
	conn, err := pgx.Connect(ctx, to.database)
	if err != nil {
		return s, err
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only read from
	if err := conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM call), (SELECT count(*) FROM event)").Scan(&s.Calls, &s.Events); err != nil {
		return s, err
	}
	rows, err := conn.Query(ctx, relationsSQL)
	if err != nil {
		return s, err
	}
	s.Relations, err = pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
	return s, err
}

// perMillion is MB per million calls.
func (s size) perMillion(bytes int64) float64 { return float64(bytes) / float64(s.Calls) }

// indexes is how many bytes of memory the indexes want.
func (s size) indexes() (bytes int64) {
	for _, r := range s.Relations {
		if r.Index {
			bytes += r.Bytes
		}
	}
	return bytes
}

func (s growthStep) print(out io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "\nBeside %d calls, filled in %.0f s. They are pruned: their events have neither facts nor payload.\n\n", s.Calls, s.FillSeconds)
	s.printRounds(&text)
	s.printQueries(&text)
	for _, one := range s.Sizes {
		one.print(&text)
	}
	text.WriteString("What traffic has written is as loose as it gets, with payloads; what was filled is packed, without.\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := w.Write(text.Bytes()); err != nil {
		return err
	}
	return w.Flush()
}

func (s growthStep) printRounds(w *bytes.Buffer) {
	fmt.Fprintln(w, "connections\twho\tdeliveries/s\tof empty\tp50 ms\tp99 ms\treceiver µs\tPostgres µs\tWAL bytes\t")
	rates := map[int]float64{}
	for _, r := range s.Rounds {
		n := float64(r.Requests)
		if r.Target == nameEmpty {
			rates[r.Connections] = r.perSecond()
		}
		fmt.Fprintf(w, "%d\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.1f\t%.1f\t%.0f\t\n", r.Connections, r.Target, r.perSecond(),
			r.perSecond()/rates[r.Connections], r.P50, r.P99, r.ServerCPU*1e6/n, r.PostgresCPU*1e6/n, r.WAL/n)
	}
	fmt.Fprintln(w)
}

func (s growthStep) printQueries(w *bytes.Buffer) {
	fmt.Fprintln(w, "query\twho\tkeys\tcalls\tp50 ms\tp99 ms\tindexes\t")
	for _, l := range s.Queries {
		plan := strings.Join(l.Indexes, " ")
		if l.SeqScan {
			plan += " READS THE WHOLE TABLE"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%.0f\t%.2f\t%.2f\t%s\t\n", l.Query, l.Target, l.Keys, l.Rows, l.P50, l.P99, plan)
	}
	fmt.Fprintln(w)
}

func (s size) print(w *bytes.Buffer) {
	fmt.Fprintf(w, "%s: %d calls, %d events\tMB\tMB per million calls\t\n", s.Target, s.Calls, s.Events)
	for _, r := range s.Relations {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t\n", r.Name, float64(r.Bytes)/1e6, s.perMillion(r.Bytes))
	}
	fmt.Fprintf(w, "memory for all indexes\t%.1f\t%.1f\t\n\n", float64(s.indexes())/1e6, s.perMillion(s.indexes()))
}
