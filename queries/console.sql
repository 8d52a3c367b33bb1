-- What the pages Now and Calls of the console read.

-- name: ConsoleReceipts :many
-- Of each source when it last sent something new about a call, how many calls it
-- has in progress, and how many calls came since when: of 24 hours from call,
-- which is exact, of seven days from the sums by quarters of an hour. A call that
-- has not ended after a day has lost its end.
SELECT s.name AS source, s.provider, greatest(c.last, q.last)::timestamptz AS last_receipt, coalesce(c.living, 0)::bigint AS in_progress,
       coalesce(c.n, 0)::bigint AS day_calls, c.first::timestamptz AS day_first,
       coalesce(q.n, 0)::bigint AS week_calls, q.first::timestamptz AS week_first
FROM source s
LEFT JOIN (SELECT call.source, count(*) AS n, count(*) FILTER (WHERE state <> 'ended') AS living,
                  max(last_received_at) AS last, min(first_received_at) AS first
           FROM call WHERE call_time >= @day_ago::timestamptz GROUP BY call.source) c ON c.source = s.name
LEFT JOIN (SELECT u.source, sum(u.attempts)::bigint AS n, min(u.quarter) AS first, max(coalesce(u.last_end, u.quarter)) AS last
           FROM usage_quarter u WHERE u.quarter >= @week_ago::timestamptz GROUP BY u.source) q ON q.source = s.name
ORDER BY s.name;

-- name: ConsoleSources :many
-- All names of sources that calls have, without reading all calls, and the
-- countries by which their numbers are read. Null: no such country, or the
-- source is no longer known.
WITH RECURSIVE named AS (
    (SELECT c.source FROM call c ORDER BY c.source LIMIT 1)
    UNION ALL
    SELECT (SELECT c.source FROM call c WHERE c.source > n.source ORDER BY c.source LIMIT 1) FROM named n WHERE n.source IS NOT NULL
)
SELECT k.source::text AS source, s.country
FROM (SELECT n.source FROM named n WHERE n.source IS NOT NULL UNION SELECT name FROM source) k
LEFT JOIN source s ON s.name = k.source
ORDER BY k.source;

-- name: ConsoleCallsOlder :many
-- The calls before a key, newest first, by the index on call_time. Empty texts
-- and nulls do not limit. disposition in_progress: calls that have not ended.
SELECT c.source, c.call_id, c.call_time, c.clock, c.direction, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.state, c.disposition,
       c.duration, c.billsec, c.cost, c.currency, c.provider, c.trunk, c.hangup_cause, c.sip_code
FROM call c
WHERE (c.call_time, c.source, c.call_id) < (@key_time::timestamptz, @key_source::text, @key_call_id::text)
  AND c.call_time >= @from_at::timestamptz AND c.call_time < @to_at::timestamptz
  AND (@source::text = '' OR c.source = @source)
  AND (@disposition::text = '' OR c.disposition = @disposition OR @disposition = 'in_progress' AND c.state <> 'ended')
ORDER BY c.call_time DESC, c.source DESC, c.call_id DESC
LIMIT @at_most;

-- name: ConsoleCallsNewer :many
-- As ConsoleCallsOlder, the calls after a key, oldest first.
SELECT c.source, c.call_id, c.call_time, c.clock, c.direction, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.state, c.disposition,
       c.duration, c.billsec, c.cost, c.currency, c.provider, c.trunk, c.hangup_cause, c.sip_code
FROM call c
WHERE (c.call_time, c.source, c.call_id) > (@key_time::timestamptz, @key_source::text, @key_call_id::text)
  AND c.call_time >= @from_at::timestamptz AND c.call_time < @to_at::timestamptz
  AND (@source::text = '' OR c.source = @source)
  AND (@disposition::text = '' OR c.disposition = @disposition OR @disposition = 'in_progress' AND c.state <> 'ended')
ORDER BY c.call_time, c.source, c.call_id
LIMIT @at_most;

-- name: ConsoleNumberOlder :many
-- As ConsoleCallsOlder, of calls from or to a number in any of its spellings.
-- Each spelling is looked for in each of the four indexes, which give its calls
-- in the order of time, so that a number with very many calls costs no more. What
-- is only one of the spellings counts where no other number is known to be meant.
-- A call may come up to four times.
SELECT c.source, c.call_id, c.call_time, c.clock, c.direction, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.state, c.disposition,
       c.duration, c.billsec, c.cost, c.currency, c.provider, c.trunk, c.hangup_cause, c.sip_code
FROM (
    SELECT f.* FROM unnest(@numbers::text[]) n (x), LATERAL (
        (SELECT a.* FROM call a WHERE a.src = n.x AND (a.src_e164 IS NULL OR a.src_e164 = ANY (@numbers) OR n.x = @written::text)
            AND (a.call_time, a.source, a.call_id) < (@key_time::timestamptz, @key_source::text, @key_call_id::text)
            AND a.call_time >= @from_at::timestamptz AND a.call_time < @to_at::timestamptz AND (@source::text = '' OR a.source = @source)
            AND (@disposition::text = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time DESC, a.source DESC, a.call_id DESC LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.dst = n.x AND (a.dst_e164 IS NULL OR a.dst_e164 = ANY (@numbers) OR n.x = @written::text)
            AND (a.call_time, a.source, a.call_id) < (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time DESC, a.source DESC, a.call_id DESC LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.src_e164 = n.x
            AND (a.call_time, a.source, a.call_id) < (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time DESC, a.source DESC, a.call_id DESC LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.dst_e164 = n.x
            AND (a.call_time, a.source, a.call_id) < (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time DESC, a.source DESC, a.call_id DESC LIMIT @at_most)
    ) f
) c
ORDER BY c.call_time DESC, c.source DESC, c.call_id DESC
LIMIT @at_most_rows;

-- name: ConsoleNumberNewer :many
-- As ConsoleNumberOlder, the calls after a key, oldest first.
SELECT c.source, c.call_id, c.call_time, c.clock, c.direction, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.state, c.disposition,
       c.duration, c.billsec, c.cost, c.currency, c.provider, c.trunk, c.hangup_cause, c.sip_code
FROM (
    SELECT f.* FROM unnest(@numbers::text[]) n (x), LATERAL (
        (SELECT a.* FROM call a WHERE a.src = n.x AND (a.src_e164 IS NULL OR a.src_e164 = ANY (@numbers) OR n.x = @written::text)
            AND (a.call_time, a.source, a.call_id) > (@key_time::timestamptz, @key_source::text, @key_call_id::text)
            AND a.call_time >= @from_at::timestamptz AND a.call_time < @to_at::timestamptz AND (@source::text = '' OR a.source = @source)
            AND (@disposition::text = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time, a.source, a.call_id LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.dst = n.x AND (a.dst_e164 IS NULL OR a.dst_e164 = ANY (@numbers) OR n.x = @written::text)
            AND (a.call_time, a.source, a.call_id) > (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time, a.source, a.call_id LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.src_e164 = n.x
            AND (a.call_time, a.source, a.call_id) > (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time, a.source, a.call_id LIMIT @at_most)
        UNION ALL
        (SELECT a.* FROM call a WHERE a.dst_e164 = n.x
            AND (a.call_time, a.source, a.call_id) > (@key_time, @key_source, @key_call_id)
            AND a.call_time >= @from_at AND a.call_time < @to_at AND (@source = '' OR a.source = @source)
            AND (@disposition = '' OR a.disposition = @disposition OR @disposition = 'in_progress' AND a.state <> 'ended')
         ORDER BY a.call_time, a.source, a.call_id LIMIT @at_most)
    ) f
) c
ORDER BY c.call_time, c.source, c.call_id
LIMIT @at_most_rows;

-- name: ConsoleCallsByID :many
-- The calls of that id or SIP Call-ID, of whichever source, by the primary key and
-- by call_by_sip_call_id.
SELECT c.source, c.call_id, c.call_time, c.clock, c.direction, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.state, c.disposition,
       c.duration, c.billsec, c.cost, c.currency, c.provider, c.trunk, c.hangup_cause, c.sip_code
FROM (
    SELECT s.source, @call_id::text AS call_id FROM (SELECT unnest(@sources::text[]) AS source) s
    UNION
    SELECT i.source, i.call_id FROM call i WHERE i.sip_call_id = @call_id
) k
JOIN call c ON c.source = k.source AND c.call_id = k.call_id
WHERE (c.call_time, c.source, c.call_id) < (@key_time::timestamptz, @key_source::text, @key_call_id::text)
  AND c.call_time >= @from_at::timestamptz AND c.call_time < @to_at::timestamptz
  AND (@source::text = '' OR c.source = @source)
  AND (@disposition::text = '' OR c.disposition = @disposition OR @disposition = 'in_progress' AND c.state <> 'ended')
ORDER BY c.call_time DESC, c.source DESC, c.call_id DESC
LIMIT @at_most;
