package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
)

// round is one measurement. Several of one kind are added up.
type round struct {
	Target      string  `json:"target"`
	Kind        string  `json:"kind"`
	Connections int     `json:"connections"`
	Requests    int     `json:"requests"`
	Records     int     `json:"records"`
	Seconds     float64 `json:"seconds"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	ServerCPU   float64 `json:"server_cpu_seconds"`
	PostgresCPU float64 `json:"postgres_cpu_seconds"`
	WAL         float64 `json:"wal_bytes"`
	Stolen      float64 `json:"stolen_cpu_seconds"` // by others on the machine's host
}

func (r round) perSecond() float64        { return float64(r.Requests) / r.Seconds }
func (r round) recordsPerSecond() float64 { return float64(r.Records) / r.Seconds }

// micros of processor time per request, server and Postgres together.
func (r round) micros() float64 {
	return (r.ServerCPU + r.PostgresCPU) * 1e6 / float64(r.Requests)
}

// stolen is the share of all processors that others had, in percent.
func (r round) stolen() float64 { return 100 * r.Stolen / r.Seconds / float64(runtime.NumCPU()) }

// run sends traffic to a target, measures it, and sends afterwards what is left
// of the calls that have begun.
func (b *bench) run(ctx context.Context, kind string, to *target, t traffic, p plan) (round, error) {
	r := round{Target: to.name, Kind: kind, Connections: p.connections}
	fail := func(err error) (round, error) {
		return r, fmt.Errorf("%s, %s, %d connections: %w", kind, to.name, p.connections, err)
	}
	if !p.goOn {
		// The round pays for the whole pages that follow a checkpoint.
		if err := b.checkpoint(ctx); err != nil {
			return fail(err)
		}
	}
	before, err := b.meter.read(ctx, to.pid())
	if err != nil {
		return fail(err)
	}
	l, begun, err := send(ctx, to.address, t, p)
	if err != nil {
		return fail(err)
	}
	after, err := b.meter.read(ctx, to.pid())
	if err != nil {
		return fail(err)
	}
	r.Requests, r.Records, r.Seconds = l.requests, l.records, l.took.Seconds()
	r.P50, r.P99, r.Max = ms(l.percentile(0.5)), ms(l.percentile(0.99)), ms(l.percentile(1))
	if err := b.meter.note(ctx, &r, before, after); err != nil {
		return fail(err)
	}
	rest, stories := t.rest(begun)
	finished, _, err := send(ctx, to.address, rest, plan{connections: 16})
	if err != nil {
		return fail(err)
	}
	if err := readQuarantine(ctx, to.database); err != nil {
		return fail(err)
	}
	b.expect(to, t, stories, l.records+finished.records)
	b.say("%-9s %-9s %4d connections %9.0f requests/s  p99 %7.1f ms", kind, to.name, p.connections, r.perSecond(), r.P99)
	return r, nil
}

// readQuarantine marks what is in quarantine as read, so that it does not fill up
// over many rounds.
func readQuarantine(ctx context.Context, database string) error {
	if database == "" {
		return nil
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // everything is committed
	return execute(ctx, conn, "UPDATE quarantine SET replayed_at = now() WHERE replayed_at IS NULL")
}

func (b *bench) checkpoint(ctx context.Context) error {
	_, err := b.meter.admin.Exec(ctx, "CHECKPOINT")
	return err
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// add puts two rounds of one kind together. Percentiles are the mean of those of
// the rounds.
func add(a, b round, n int) round {
	a.Requests += b.Requests
	a.Records += b.Records
	a.Seconds += b.Seconds
	a.ServerCPU += b.ServerCPU
	a.PostgresCPU += b.PostgresCPU
	a.WAL += b.WAL
	a.Stolen += b.Stolen
	a.P50 += (b.P50 - a.P50) / float64(n)
	a.P99 += (b.P99 - a.P99) / float64(n)
	a.Max = max(a.Max, b.Max)
	return a
}
