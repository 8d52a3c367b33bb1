-- What simulate looks at, besides calls.

-- name: CountEvents :many
-- How many events and recordings some calls have.
SELECT k.call_id::text AS call_id, coalesce(e.n, 0)::bigint AS events, coalesce(r.n, 0)::bigint AS recordings
FROM (SELECT unnest(@call_ids::text[]) AS call_id) k
LEFT JOIN (SELECT x.call_id, count(*) AS n FROM event x WHERE x.source = @source AND x.call_id = ANY (@call_ids::text[]) GROUP BY x.call_id) e ON e.call_id = k.call_id
LEFT JOIN (SELECT x.call_id, count(*) AS n FROM recording x WHERE x.source = @source AND x.call_id = ANY (@call_ids::text[]) GROUP BY x.call_id) r ON r.call_id = k.call_id;

-- name: CountRows :many
-- The rows of a source whose ids or contents have a mark, and how often what
-- made them came.
SELECT 'call' AS name, count(*)::bigint AS rows, 0::bigint AS deliveries
FROM call c WHERE c.source = @source::text AND strpos(c.call_id, @mark::text) > 0
UNION ALL
SELECT 'event', count(*)::bigint, coalesce(sum(e.deliveries), 0)::bigint
FROM event e WHERE e.source = @source AND strpos(e.call_id, @mark) > 0
UNION ALL
SELECT 'recording', count(*)::bigint, coalesce(sum(r.deliveries), 0)::bigint
FROM recording r WHERE r.source = @source AND strpos(r.call_id, @mark) > 0
UNION ALL
SELECT 'message', count(*)::bigint, coalesce(sum(m.deliveries), 0)::bigint
FROM message m WHERE m.source = @source AND (strpos(m.message_id, @mark) > 0 OR strpos(m.body, @mark) > 0)
UNION ALL
SELECT 'quarantine', count(*)::bigint, coalesce(sum(q.deliveries), 0)::bigint
FROM quarantine q WHERE q.source = @source AND (position(convert_to(@mark, 'UTF8') IN q.body) > 0 OR strpos(q.query, @mark) > 0);

-- name: CallUnlike :many
-- One call whose id does not match a regular expression, if there is one.
SELECT source, call_id FROM call WHERE call_id !~ @pattern::text LIMIT 1;
