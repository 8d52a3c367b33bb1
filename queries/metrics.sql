-- What Prometheus is told that only the database knows. It is read every time
-- that a scrape finds the last reading too old, so nothing here reads a table whole.

-- name: QuarantineUnread :many
-- By the partial index of what is unread, of which ingestion lets each source
-- have only so much.
SELECT source, count(*)::bigint AS pieces FROM quarantine WHERE replayed_at IS NULL GROUP BY source;

-- name: CallsInProgress :many
-- By call_time: an index on state would be written with nearly every event. What
-- has not ended after a day has lost its end.
SELECT source, count(*)::bigint AS calls
FROM call
WHERE call_time >= now() - interval '24 hours' AND state <> 'ended'
GROUP BY source;

-- name: CallsOfTheLastHour :many
-- For the answer seizure ratio of the moment.
SELECT source, count(*)::bigint AS ended, count(*) FILTER (WHERE disposition = 'answered')::bigint AS answered
FROM call
WHERE call_time >= now() - interval '1 hour' AND state = 'ended'
GROUP BY source;

-- name: LastReceipts :many
-- When each source last sent something new about a call: exactly for calls of the
-- last 24 hours, about for the week before, from the sums by quarters of an
-- hour. No row: not within these. Read once, at the start.
SELECT s.name AS source, coalesce(c.last, q.last)::timestamptz AS last_receipt
FROM source s
LEFT JOIN (SELECT call.source, max(call.last_received_at) AS last FROM call
           WHERE call.call_time >= now() - interval '24 hours' GROUP BY call.source) c ON c.source = s.name
LEFT JOIN (SELECT u.source, least(max(coalesce(u.last_end, u.quarter)), now()) AS last FROM usage_quarter u
           WHERE u.quarter >= now() - interval '8 days' GROUP BY u.source) q ON q.source = s.name
WHERE c.last IS NOT NULL OR q.last IS NOT NULL;
