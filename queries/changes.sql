-- What `cdrstore changes` reads.

-- name: Changes :many
-- A page of changes, each with the call as it is now, as JSON; null where it is
-- gone.
SELECT n.source::text AS source, n.call_id::text AS call_id, n.cursor::text AS cursor, to_jsonb(c) AS call
FROM changes(@since::text, @at_most::integer) n
LEFT JOIN call c ON c.source = n.source AND c.call_id = n.call_id
ORDER BY split_part(n.cursor, '.', 2)::numeric, n.source COLLATE "C", n.call_id COLLATE "C";

-- name: ChangesNow :one
SELECT changes_now()::text AS cursor;

-- name: ChangesStart :one
SELECT feed_cursor('0')::text AS cursor;
