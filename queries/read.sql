-- What the receiver reads before it writes, and what rebuild and verify read.

-- name: ReadCalls :many
-- The versions and the events of some calls, in one snapshot: rows of call come
-- without event_id, rows of event without version.
SELECT c.source, c.call_id, c.version::bigint AS version, (c.pruned_at IS NOT NULL)::boolean AS pruned, c.call_time::timestamptz AS call_time,
       NULL::uuid AS event_id, ''::text AS kind, ''::text AS leg, NULL::varchar AS record_key, NULL::timestamptz AS occurred_at,
       ''::text AS clock, NULL::timestamptz AS received_at, NULL::jsonb AS facts
FROM (SELECT unnest(@sources::text[]) AS source, unnest(@call_ids::text[]) AS call_id) k
JOIN call c ON c.source = k.source AND c.call_id = k.call_id
UNION ALL
SELECT e.source, e.call_id, 0, false, NULL::timestamptz, e.event_id, e.kind, e.leg, e.record_key, e.occurred_at, e.clock, e.received_at, e.facts
FROM (SELECT unnest(@sources::text[]) AS source, unnest(@call_ids::text[]) AS call_id) k
JOIN event e ON e.source = k.source AND e.call_id = k.call_id;

-- name: KnownRecordings :many
SELECT r.source, r.call_id, r.recording_id
FROM (SELECT unnest(@sources::text[]) AS source, unnest(@call_ids::text[]) AS call_id, unnest(@recording_ids::text[]) AS recording_id) k
JOIN recording r ON r.source = k.source AND r.call_id = k.call_id AND r.recording_id = k.recording_id;

-- name: KnownMessages :many
SELECT m.source, m.message_id, m.status
FROM (SELECT unnest(@sources::text[]) AS source, unnest(@message_ids::text[]) AS message_id) k
JOIN message m ON m.source = k.source AND m.message_id = k.message_id;

-- name: KnownQuarantine :many
SELECT q.source, q.quarantine_id
FROM (SELECT unnest(@sources::text[]) AS source, unnest(@quarantine_ids::uuid[]) AS quarantine_id) k
JOIN quarantine q ON q.source = k.source AND q.quarantine_id = k.quarantine_id;

-- name: QuarantineSize :one
-- How much of a source is unread. It stops counting where the source is full
-- anyway.
SELECT count(*)::bigint AS pieces, coalesce(sum(size), 0)::bigint AS bytes
FROM (SELECT octet_length(body) AS size FROM quarantine WHERE source = @source AND replayed_at IS NULL LIMIT @at_most) unread;
