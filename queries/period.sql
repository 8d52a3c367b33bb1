-- What `cdrstore period` uses. Lines are written by one statement, so from one
-- snapshot; nothing changes or deletes them. Amounts are text in the form in
-- which they are stored, and no result depends on the session's settings.

-- name: LockPeriods :exec
-- One close at a time: the next statement of who waited here sees what the other
-- has closed. Readers do not wait.
LOCK TABLE period IN SHARE ROW EXCLUSIVE MODE;

-- name: KeepPeriodDurable :exec
-- A period that was said to be closed must be closed after a crash too.
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';

-- name: Period :one
SELECT * FROM period WHERE side = @side AND name = @name;

-- name: LastPeriod :one
SELECT * FROM period WHERE side = @side ORDER BY to_at DESC LIMIT 1;

-- name: Periods :many
SELECT * FROM period ORDER BY side COLLATE "C", from_at;

-- name: PeriodIsOver :one
SELECT (clock_timestamp() >= @to_at::timestamptz)::text::boolean AS over;

-- name: WriteLines :execrows
INSERT INTO bill_line
SELECT * FROM bill_pending(@side::text, @period::text, @from_at::timestamptz, @to_at::timestamptz, sqlc.narg(not_before)::timestamptz);

-- name: AnalyzeLines :exec
-- Until it knows how many lines there are, Postgres plans for eight of them.
ANALYZE bill_line;

-- name: WritePeriod :one
INSERT INTO period (side, name, tz, from_at, to_at, not_before, closed_at, lines, lines_digest, previous_digest, digest)
SELECT @side, @name, @tz, @from_at, @to_at, sqlc.narg(not_before), n.closed_at, d.lines, d.digest, n.previous,
       period_digest(@side, @name, @tz, @from_at, @to_at, sqlc.narg(not_before), n.closed_at, d.lines, d.digest, n.previous)
FROM (SELECT clock_timestamp() AS closed_at, (SELECT digest FROM period WHERE side = @side ORDER BY to_at DESC LIMIT 1) AS previous) n
CROSS JOIN bill_digest(@side, @name) d
RETURNING *;

-- name: CheckPeriods :many
-- All periods of a side, or one, and what is not as closing it left it: lines, its
-- row, or the period before it.
SELECT p.name, p.lines, d.lines::bigint AS lines_now,
       (CASE WHEN d.lines <> p.lines OR d.digest <> p.lines_digest THEN 'lines'
             WHEN p.digest <> period_digest(p.side, p.name, p.tz, p.from_at, p.to_at, p.not_before, p.closed_at, p.lines, p.lines_digest, p.previous_digest) THEN 'row'
             WHEN p.previous_digest IS DISTINCT FROM p.before THEN 'before'
             ELSE '' END)::text AS fault
FROM (SELECT *, lag(digest) OVER (ORDER BY to_at) AS before FROM period WHERE side = @side) p
CROSS JOIN LATERAL bill_digest(p.side, p.name) d
WHERE @name::text IN ('', p.name)
ORDER BY p.to_at;

-- name: BillTotals :many
SELECT source, account, trunk, currency, calls, without_amount, adjustments,
       calls_amount::varchar AS calls_amount, adjustments_amount::varchar AS adjustments_amount, amount::varchar AS amount
FROM bill_total
WHERE side = @side AND period = @period
ORDER BY source COLLATE "C", account COLLATE "C" NULLS FIRST, trunk COLLATE "C" NULLS FIRST, currency COLLATE "C" NULLS FIRST;

-- name: PendingTotals :many
-- What BillTotals would be if the period were closed now.
SELECT source, account, trunk, currency,
       count(*) FILTER (WHERE kind = 'call') AS calls,
       count(*) FILTER (WHERE stands AND after IS NULL) AS without_amount,
       count(*) FILTER (WHERE kind = 'adjustment') AS adjustments,
       (sum(delta) FILTER (WHERE kind = 'call'))::varchar AS calls_amount,
       (sum(delta) FILTER (WHERE kind = 'adjustment'))::varchar AS adjustments_amount,
       sum(delta)::varchar AS amount,
       count(*) AS lines
FROM bill_pending(@side::text, @period::text, @from_at::timestamptz, @to_at::timestamptz, sqlc.narg(not_before)::timestamptz)
GROUP BY source, account, trunk, currency
ORDER BY source COLLATE "C", account COLLATE "C" NULLS FIRST, trunk COLLATE "C" NULLS FIRST, currency COLLATE "C" NULLS FIRST;

-- name: BillLines :many
-- The next lines of a report, in the order of the index.
SELECT source, call_id, line, kind, account, trunk, currency,
       before::varchar AS before, after::varchar AS after, delta::varchar AS delta, stands, call_time,
       direction, dst_country, disposition, billsec::varchar AS billsec, billed_sec::varchar AS billed_sec, rate::varchar AS rate, deck
FROM bill_line
WHERE side = @side AND period = @period
  AND (call_time, source COLLATE "C", call_id COLLATE "C", line) > (@after_time::timestamptz, @after_source::text, @after_call_id::text, @after_line::integer)
ORDER BY call_time, source COLLATE "C", call_id COLLATE "C", line
LIMIT @at_most;

-- name: PendingLines :many
-- The first of what the next close will adjust.
SELECT source, call_id, line, account, trunk, currency,
       before::varchar AS before, after::varchar AS after, delta::varchar AS delta, stands, call_time
FROM bill_pending(@side::text, ''::text, @to_at::timestamptz, @to_at::timestamptz, sqlc.narg(not_before)::timestamptz)
ORDER BY source COLLATE "C", call_id COLLATE "C", line
LIMIT @at_most;

-- name: BrokenLines :many
-- Lines that do not go on from the line before them: the first adds the call;
-- one after a line where the call stands begins with the amount that the other left
-- and, where that is not 0, at its account, trunk and currency; one after a line
-- that took it back adds it anew. Each is in a closed period that is not before that
-- of the line before it.
SELECT l.source, l.call_id, l.line
FROM (
    SELECT b.*, p.to_at,
           lag(b.line) OVER w AS last_line, lag(b.stands) OVER w AS last_stands, lag(b.account) OVER w AS last_account,
           lag(b.trunk) OVER w AS last_trunk, lag(b.currency) OVER w AS last_currency, lag(b.after) OVER w AS last_after,
           lag(p.to_at) OVER w AS last_to_at
    FROM bill_line b
    LEFT JOIN period p ON p.side = b.side AND p.name = b.period
    WHERE b.side = @side
    WINDOW w AS (PARTITION BY b.source, b.call_id ORDER BY b.line)
) l
WHERE l.to_at IS NULL
   OR l.line <> coalesce(l.last_line, 0) + 1
   OR l.last_to_at > l.to_at
   OR CASE
        WHEN l.last_stands THEN
            l.before IS DISTINCT FROM l.last_after
            OR l.before <> 0 AND (l.account, l.trunk, l.currency) IS DISTINCT FROM (l.last_account, l.last_trunk, l.last_currency)
        ELSE l.before IS NOT NULL OR NOT l.stands
      END
ORDER BY l.source COLLATE "C", l.call_id COLLATE "C", l.line
LIMIT @at_most;

-- name: BillSums :many
-- What all lines of a side add up to, and what the calls say that were ever billed
-- or are of the time that is closed. Calls are found another way than bill_pending
-- finds them, so that each proves the other. A call whose number was erased is what
-- was billed of it. The last line of each call is looked up by its key, however few
-- lines the planner believes in: LIMIT leaves it no join to choose.
SELECT s.source, s.account, s.trunk, s.currency, sum(s.billed)::text AS billed, sum(s.calls)::text AS calls
FROM (
    SELECT source, account, trunk, currency, coalesce(delta, 0) AS billed, 0::numeric AS calls
    FROM bill_line WHERE side = @side::text
    UNION ALL
    SELECT c.source, CASE WHEN k.kept THEN l.account ELSE c.account END, CASE WHEN k.kept THEN l.trunk ELSE c.trunk END,
           CASE WHEN k.kept THEN l.currency ELSE c.currency END, 0, coalesce(CASE WHEN k.kept THEN l.after ELSE c.amount END, 0)
    FROM bill_call c
    LEFT JOIN LATERAL (
        SELECT * FROM bill_line b
        WHERE b.side = @side AND b.source = c.source AND b.call_id = c.call_id
        ORDER BY b.line DESC LIMIT 1
    ) l ON true
    CROSS JOIN LATERAL (SELECT c.no_number AND l.currency IS NOT NULL AND l.after IS NOT NULL AS kept) k
    WHERE c.side = @side
      AND (l.line IS NOT NULL OR c.call_time < @to_at::timestamptz AND (sqlc.narg(not_before)::timestamptz IS NULL OR c.call_time >= sqlc.narg(not_before)))
) s
GROUP BY s.source, s.account, s.trunk, s.currency
ORDER BY s.source COLLATE "C", s.account COLLATE "C" NULLS FIRST, s.trunk COLLATE "C" NULLS FIRST, s.currency COLLATE "C" NULLS FIRST;
