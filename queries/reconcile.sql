-- What import asks besides what Save does. (What reconcile compares in bulk goes
-- through temporary tables, which are not part of the schema: see package
-- reconcile.)

-- name: CallsOfSIPCallID :many
-- For each wanted SIP Call-ID and start the call that started nearest to it, within
-- a second.
SELECT w.n::integer AS n, a.call_id::text AS call_id
FROM (
    SELECT unnest(@n::integer[]) AS n, unnest(@sip_call_id::text[]) AS sip_call_id, unnest(@started_at::timestamptz[]) AS started_at
) w
CROSS JOIN LATERAL (
    SELECT c.call_id FROM call c
    WHERE c.sip_call_id = w.sip_call_id AND c.source || '' = @source::text
      AND c.call_time > w.started_at - interval '1 second' AND c.call_time < w.started_at + interval '1 second'
    ORDER BY greatest(c.call_time - w.started_at, w.started_at - c.call_time), c.call_id
    LIMIT 1
) a;

-- name: PushedSince :many
-- Calls that were imported since a time under a start in whole seconds, and that
-- were pushed under the exact start.
SELECT r.source, r.call_id, p.call_id::text AS pushed_call_id
FROM call r
CROSS JOIN LATERAL (
    SELECT c.call_id FROM call c
    WHERE c.sip_call_id = r.sip_call_id AND c.source || '' = r.source AND c.call_id <> r.call_id
      AND c.call_time > r.call_time - interval '1 second' AND c.call_time < r.call_time + interval '1 second'
    ORDER BY greatest(c.call_time - r.call_time, r.call_time - c.call_time), c.call_id
    LIMIT 1
) p
WHERE r.sip_call_id IS NOT NULL AND r.call_id LIKE '%.000000Z' AND r.first_received_at > @imported_since::timestamptz AND r.pruned_at IS NULL
  AND NOT EXISTS (SELECT FROM event e WHERE e.source = r.source AND e.call_id = r.call_id AND e.facts ->> 'imported' IS DISTINCT FROM 'true')
LIMIT @at_most;

-- name: AlikeCalls :many
-- For each wanted call one that started within a second of it, between the same
-- numbers, with the same talk time: it may be the same call under another id.
-- Numbers are compared without +. Goes by call_by_time, a few rows each: source is
-- compared so that no plan reads all of the source's primary key for each, as one
-- does where the table has no statistics yet.
SELECT w.n::integer AS n, a.call_id::text AS call_id
FROM (
    SELECT unnest(@n::integer[]) AS n, unnest(@started_at::timestamptz[]) AS started_at, unnest(@src::text[]) AS src,
           unnest(@dst::text[]) AS dst, unnest(@billsec::numeric[]) AS billsec
) w
CROSS JOIN LATERAL (
    SELECT c.call_id FROM call c
    WHERE c.source || '' = @source::text
      AND c.call_time > w.started_at - interval '1 second' AND c.call_time < w.started_at + interval '1 second'
      AND ltrim(coalesce(c.src, ''), '+') = w.src
      AND w.dst IN (ltrim(coalesce(c.dst, ''), '+'), ltrim(coalesce(c.did, ''), '+'))
      AND coalesce(c.billsec, 0) = w.billsec
    ORDER BY c.call_time, c.call_id -- so that no plan walks the primary key for its order
    LIMIT 1
) a;
