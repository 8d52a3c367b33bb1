-- The console's page of the quarantine.

-- name: QuarantineReasons :many
-- Why pieces are unread, the most frequent reasons first.
SELECT q.source, q.reason, count(*) AS pieces, sum(q.deliveries)::bigint AS deliveries,
       min(q.received_at)::timestamptz AS first_received_at, max(q.received_at)::timestamptz AS last_received_at
FROM quarantine q
WHERE q.replayed_at IS NULL
GROUP BY q.source, q.reason
ORDER BY count(*) DESC, q.source, q.reason
LIMIT @at_most;

-- name: QuarantinePage :many
-- The next pieces before one, newest first, with the beginnings of their bodies.
-- The keys are chosen before any body is read.
SELECT q.source, q.quarantine_id, q.hint, q.method, q.query, q.content_type, q.content_encoding,
       substring(q.body FROM 1 FOR @body_bytes::integer)::bytea AS body, octet_length(q.body)::bigint AS size,
       q.reason, q.received_at, q.deliveries, q.replayed_at
FROM (
    SELECT p.source, p.quarantine_id
    FROM quarantine p
    WHERE (p.source = @source::text OR @source::text = '') AND (p.reason = @reason::text OR @reason::text = '')
      AND (p.replayed_at IS NOT NULL) = @replayed::bool
      AND (p.received_at, p.source, p.quarantine_id) < (@before_time::timestamptz, @before_source::text, @before_id::uuid)
    ORDER BY p.received_at DESC, p.source DESC, p.quarantine_id DESC
    LIMIT @at_most
) k
JOIN quarantine q ON q.source = k.source AND q.quarantine_id = k.quarantine_id
ORDER BY q.received_at DESC, q.source DESC, q.quarantine_id DESC;
