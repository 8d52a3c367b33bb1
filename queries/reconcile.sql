-- What import asks besides what Save does. (What reconcile compares in bulk goes
-- through temporary tables, which are not part of the schema: see package
-- reconcile.)

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
