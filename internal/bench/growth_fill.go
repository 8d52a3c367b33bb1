package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/report"
)

const (
	// fillChunk is how many calls one transaction makes up.
	fillChunk = 1_000_000
	// maxCalls is as many as there are numbers for.
	maxCalls = 100_000_000
)

// numbers is how many different telephone numbers there are among so many calls:
// each has 30 on average, as caller or called.
func numbers(calls int) int { return max(1000, calls/15) }

// fill makes up calls until there are so many. Indexes are made anew afterwards,
// which is faster.
func (g *growth) fill(ctx context.Context, calls int) error {
	conn, err := pgx.Connect(ctx, g.grown)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // everything is committed
	if err := execute(ctx, conn, "SET maintenance_work_mem = '1GB'", "SET synchronous_commit = off"); err != nil {
		return err
	}
	indexes, err := indexesOf(ctx, conn)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if err := execute(ctx, conn, i.Drop); err != nil {
			return err
		}
	}
	if err := g.makeUp(ctx, conn, calls); err != nil {
		return err
	}
	for _, i := range indexes {
		g.say("%d calls: %s", calls, i.Create)
		if err := execute(ctx, conn, i.Create, i.Attach); err != nil {
			return err
		}
	}
	if err := execute(ctx, conn, "VACUUM (ANALYZE) call, event"); err != nil {
		return err
	}
	// A receiver would begin with the sums of all these calls, and read them all for
	// it, in the place of the indexes.
	if err := report.Refresh(ctx, g.grown); err != nil {
		return err
	}
	g.say("%d calls: computed the sums", calls)
	if err := g.checkpoint(ctx); err != nil {
		return err
	}
	// All memory is full of heap now that nobody reads.
	var files string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&files); err != nil {
		return err
	}
	return forget(filepath.Join(files, "base"))
}

func execute(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// index is how an index, or the constraint that it belongs to, goes and comes.
type index struct{ Drop, Create, Attach string }

// Pages into which keys are put in any order are on average 69 % full. Made anew
// they would be 90 % full, and the log would get each of them with that much.
const looseSQL = `
SELECT format('ALTER INDEX %s SET (fillfactor = 70)', indexrelid::regclass)
FROM pg_index
WHERE indrelid IN ('call'::regclass, 'event'::regclass)
  AND pg_get_indexdef(indexrelid, 1, true) NOT IN ('call_time', 'xid', 'received_at')`

const indexesSQL = `
SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, c.conname) END,
       pg_get_indexdef(i.indexrelid),
       CASE WHEN c.oid IS NULL THEN ''
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY USING INDEX %2$I', i.indrelid::regclass, c.conname) END
FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid AND c.contype = 'p'
WHERE i.indrelid IN ('call'::regclass, 'event'::regclass)
ORDER BY i.indexrelid`

// indexesOf returns the indexes of calls and events, to be made anew as traffic
// leaves them.
func indexesOf(ctx context.Context, conn *pgx.Conn) ([]index, error) {
	rows, err := conn.Query(ctx, looseSQL)
	if err != nil {
		return nil, err
	}
	loose, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the indexes: %w", err)
	}
	if err := execute(ctx, conn, loose...); err != nil {
		return nil, err
	}
	if rows, err = conn.Query(ctx, indexesSQL); err != nil {
		return nil, err
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	if err != nil {
		return nil, fmt.Errorf("list the indexes: %w", err)
	}
	return indexes, nil
}

// makeUp adds the calls that are missing, with their events.
func (g *growth) makeUp(ctx context.Context, conn *pgx.Conn, calls int) error {
	var there int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM call").Scan(&there); err != nil {
		return err
	}
	first, missing := g.filled+1, calls-there
	for done := 0; done < missing; done += fillChunk {
		from, to := first+done, first+min(done+fillChunk, missing)-1
		for _, sql := range []string{fillCallsSQL, fillEventsSQL} {
			if _, err := conn.Exec(ctx, sql, from, to, first, missing, numbers(calls)); err != nil {
				return fmt.Errorf("make up calls %d to %d: %w", from, to, err)
			}
		}
		g.filled = to
		g.say("%d calls: made up %d of %d", calls, to-first+1, missing)
	}
	return nil
}

// madeUpSQL is calls number $1 to $2, of $4 from $3 on that spread over a year,
// with $5 telephone numbers. Their ids have the shapes of the five providers'.
const madeUpSQL = `(
SELECT source, answered, ring, talk, price, inbound, call_time,
       CASE
           WHEN source = 'didww' AND inbound THEN upper('10-' || substr(id, 1, 8) || '-' || substr(id, 9, 16) || '-' || substr(id, 25))
           WHEN source = 'didww' THEN upper(substr(id, 1, 8) || '-' || substr(id, 9, 16)) || '-' || price || '@pbx.example.com'
           WHEN source = 'didlogic' THEN substr(id, 1, 20)
           WHEN source = 'voipnow' THEN id
           ELSE id::uuid::text
       END AS call_id,
       CASE WHEN a % 2 = 0 THEN '4420' || 30000000 + a ELSE '1202' || 2000000 + a END AS src,
       CASE WHEN b % 2 = 0 THEN '4420' || 30000000 + b ELSE '1202' || 2000000 + b END AS dst,
       CASE WHEN a % 2 = 0 THEN 'GB' ELSE 'US' END AS src_country,
       CASE WHEN b % 2 = 0 THEN 'GB' ELSE 'US' END AS dst_country
FROM (
    SELECT md5('call ' || n) AS id,
           (ARRAY['didww', 'didlogic', 'voipnow', 'piopiy', 'wavix'])[1 + n % 5] AS source,
           abs(hashint8extended(n, 1) % $5) AS a, abs(hashint8extended(n, 2) % $5) AS b,
           abs(hashint8extended(n, 3) % 10) < 6 AS answered, hashint8extended(n, 4) % 2 = 0 AS inbound,
           4 + abs(hashint8extended(n, 5) % 26)::int AS ring, 5 + abs(hashint8extended(n, 6) % 400)::int AS talk,
           abs(hashint8extended(n, 7) % 500) AS price,
           date_trunc('second', timestamptz '2024-01-02 00:00Z' + interval '365 days' * ((n - $3)::float8 / $4)) AS call_time
    FROM generate_series($1::bigint, $2::bigint) n
    OFFSET 0 -- each hash is computed once
) drawn
) made`

const fillCallsSQL = `
INSERT INTO call (source, call_id, provider, direction, src, dst, did, src_e164, dst_e164, src_country, dst_country,
    state, disposition, call_time, started_at, ringing_at, answered_at, ended_at, clock,
    duration, billsec, charged_sec, rate, cost, currency, sip_code, hangup_cause, hangup_by,
    legs, events, cdrs, version, first_received_at, last_received_at, changed_at, pruned_at)
SELECT source, call_id, source, CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END,
    src, dst, CASE WHEN inbound THEN dst ELSE src END, '+' || src, '+' || dst, src_country, dst_country,
    'ended', CASE WHEN answered THEN 'answered' ELSE (ARRAY['no_answer', 'busy', 'cancelled', 'failed'])[1 + talk % 4] END,
    call_time, call_time, call_time + interval '1 second',
    CASE WHEN answered THEN call_time + interval '1 second' * ring END,
    call_time + interval '1 second' * (ring + CASE WHEN answered THEN talk ELSE 0 END), 'provider',
    ring + CASE WHEN answered THEN talk ELSE 0 END, CASE WHEN answered THEN talk ELSE 0 END,
    CASE WHEN answered THEN (talk + 59) / 60 * 60 END, price / 10000.0,
    CASE WHEN answered THEN round(price * ((talk + 59) / 60) / 10000.0, 4) END, CASE WHEN src_country = 'GB' THEN 'EUR' ELSE 'USD' END,
    CASE WHEN answered THEN 200 ELSE 486 END, CASE WHEN answered THEN 'answered' ELSE 'busy' END, 'caller',
    0, 3, 1, 4, call_time, call_time + interval '7 minutes', call_time + interval '90 days', call_time + interval '90 days'
FROM ` + madeUpSQL

// Events as prune leaves them, without facts and payload: heap that nobody reads
// would only make the fill longer, and indexes are as large without it.
const fillEventsSQL = `
INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key,
    occurred_at, clock, received_at, last_received_at, deliveries, problems)
SELECT source, call_id, gen_random_uuid(), kind, kind, '', CASE WHEN kind = 'cdr' THEN call_id END,
    call_time + after, 'provider', call_time + after, call_time + after, 1, '{}'
FROM ` + madeUpSQL + `,
    (VALUES ('started', interval '0'), ('answered', interval '30 seconds'), ('cdr', interval '7 minutes')) said (kind, after)`

// prewarm reads all indexes into shared_buffers.
func (g *growth) prewarm(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, g.grown)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only read from
	var available bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_prewarm')").Scan(&available); err != nil {
		return err
	}
	if !available {
		g.say("this Postgres has no pg_prewarm: indexes are as warm as their making has left them")
		return nil
	}
	if err := execute(ctx, conn, "CREATE EXTENSION IF NOT EXISTS pg_prewarm"); err != nil {
		return err
	}
	var blocks int64
	err = conn.QueryRow(ctx, "SELECT sum(pg_prewarm(indexrelid::regclass)) FROM pg_index WHERE indrelid IN ('call'::regclass, 'event'::regclass)").Scan(&blocks)
	g.say("read %d MB of indexes into memory", blocks*8>>10)
	return err
}
