-- What rebuild, verify, replay and simulate use.

-- name: CallKeys :many
-- The next keys after one, of calls and of events whose call is missing.
(SELECT DISTINCT e.source, e.call_id FROM event e WHERE (e.source, e.call_id) > (@source::text, @call_id::text) ORDER BY e.source, e.call_id LIMIT @at_most)
UNION
(SELECT c.source, c.call_id FROM call c WHERE (c.source, c.call_id) > (@source::text, @call_id::text) ORDER BY c.source, c.call_id LIMIT @at_most)
ORDER BY source, call_id
LIMIT @at_most;

-- name: AnalyzeCalls :exec
ANALYZE event, call, call_change, recording, message;

-- name: Calls :many
SELECT c.* FROM call c
JOIN (SELECT unnest(@sources::text[]) AS source, unnest(@call_ids::text[]) AS call_id) k
  ON c.source = k.source AND c.call_id = k.call_id;

-- name: Events :many
SELECT e.* FROM event e
JOIN (SELECT unnest(@sources::text[]) AS source, unnest(@call_ids::text[]) AS call_id) k
  ON e.source = k.source AND e.call_id = k.call_id
ORDER BY e.source, e.call_id, e.event_id;

-- name: RedecodeEvents :exec
-- What an adapter now reads from stored payloads. Identity, receipts and payload
-- stay.
UPDATE event SET
    kind = n.kind, leg = n.leg, record_key = n.record_key, clock = n.clock,
    occurred_at = coalesce(n.occurred_at, event.received_at),
    facts = n.facts::jsonb, problems = string_to_array(n.problems, E'\n')
FROM (
    SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@event_id::uuid[]) AS event_id,
           unnest(@kind::text[]) AS kind, unnest(@leg::text[]) AS leg, unnest(@record_key::varchar[]) AS record_key,
           unnest(@clock::text[]) AS clock, unnest(@occurred_at::timestamptz[]) AS occurred_at,
           unnest(@facts::varchar[]) AS facts, unnest(@problems::text[]) AS problems
) n
WHERE event.source = n.source AND event.call_id = n.call_id AND event.event_id = n.event_id;

-- name: MoveEvents :execrows
-- Events that an adapter now reads as those of another call. One that is there
-- already, received since, is the same record: their receipts count together.
WITH event_in AS (
    SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@event_id::uuid[]) AS event_id,
           unnest(@to_call_id::text[]) AS to_call_id,
           unnest(@kind::text[]) AS kind, unnest(@leg::text[]) AS leg, unnest(@record_key::varchar[]) AS record_key,
           unnest(@clock::text[]) AS clock, unnest(@occurred_at::timestamptz[]) AS occurred_at,
           unnest(@facts::varchar[]) AS facts, unnest(@problems::text[]) AS problems
), moved AS (
    DELETE FROM event e USING event_in n
    WHERE e.source = n.source AND e.call_id = n.call_id AND e.event_id = n.event_id
    RETURNING e.*
)
INSERT INTO event AS e (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at,
                        last_received_at, deliveries, facts, problems, payload)
SELECT m.source, n.to_call_id, m.event_id, n.kind, m.provider_kind, n.leg, n.record_key, coalesce(n.occurred_at, m.received_at), n.clock,
       m.received_at, m.last_received_at, m.deliveries, n.facts::jsonb, string_to_array(n.problems, E'\n'), m.payload
FROM moved m JOIN event_in n ON m.source = n.source AND m.call_id = n.call_id AND m.event_id = n.event_id
ON CONFLICT (source, call_id, event_id) DO UPDATE SET
    deliveries = e.deliveries + EXCLUDED.deliveries,
    received_at = LEAST(e.received_at, EXCLUDED.received_at),
    last_received_at = GREATEST(e.last_received_at, EXCLUDED.last_received_at),
    occurred_at = CASE WHEN e.clock = 'receiver' THEN LEAST(e.occurred_at, EXCLUDED.occurred_at) ELSE e.occurred_at END;

-- name: DeleteCalls :execrows
-- Calls of which no event says anything any more.
DELETE FROM call c
USING (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@version::bigint[]) AS version) k
WHERE c.source = k.source AND c.call_id = k.call_id AND c.version = k.version AND c.pruned_at IS NULL;

-- name: Quarantine :many
-- The next chosen pieces after one; an empty source, reason or id chooses all.
SELECT q.*, s.provider, s.currency, s.country, s.answer_events, s.cost_includes_tax
FROM quarantine q
LEFT JOIN source s ON s.name = q.source
WHERE (q.source, q.quarantine_id) > (@source::text, @quarantine_id::uuid)
  AND (q.replayed_at IS NULL OR @replayed_too::bool)
  AND (q.source = @only_source::text OR @only_source::text = '')
  AND (q.reason = @only_reason::text OR @only_reason::text = '')
  AND (q.quarantine_id::text = @only_id::text OR @only_id::text = '')
ORDER BY q.source, q.quarantine_id
LIMIT @at_most;

-- name: MarkReplayed :exec
UPDATE quarantine SET replayed_at = now() WHERE source = @source AND quarantine_id = @quarantine_id;

-- name: StillUnreadable :exec
UPDATE quarantine SET reason = @reason, replayed_at = NULL WHERE source = @source AND quarantine_id = @quarantine_id;

-- name: RegisterSource :one
-- Returns the provider that the name stands for, which may be another one.
INSERT INTO source AS s (name, provider, currency, country, calling_code, national_pattern, answer_events, cost_includes_tax)
VALUES (@name, @provider, @currency, @country, @calling_code, @national_pattern, @answer_events, @cost_includes_tax)
ON CONFLICT (name) DO UPDATE SET
    currency = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.currency ELSE s.currency END,
    country = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.country ELSE s.country END,
    calling_code = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.calling_code ELSE s.calling_code END,
    national_pattern = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.national_pattern ELSE s.national_pattern END,
    answer_events = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.answer_events ELSE s.answer_events END,
    cost_includes_tax = CASE WHEN s.provider = EXCLUDED.provider THEN EXCLUDED.cost_includes_tax ELSE s.cost_includes_tax END
RETURNING provider;

-- name: Sources :many
SELECT * FROM source ORDER BY name;

-- name: KeepDurable :exec
-- An answer of 200 promises that the commit has reached the disk, whatever the
-- database's default is. Stronger settings stay.
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';

-- name: GoByKey :exec
-- Everything that the store reads and changes is found by a key. A plan that was
-- made and kept while a table was nearly empty would read it whole for as long as
-- the connection lives. Because there is only one good plan of each statement, it
-- is made once: left to itself Postgres plans the longest ones anew each time,
-- which takes as long as running them.
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('plan_cache_mode', 'force_generic_plan', false);

-- name: CompressFast :exec
-- Long rows are compressed by the faster of the methods that the server was built
-- with, unless somebody has chosen one. Rows can be read whatever they were
-- compressed by.
SELECT set_config(name, 'lz4', false) FROM pg_catalog.pg_settings
WHERE name = 'default_toast_compression' AND source = 'default' AND 'lz4' = ANY (enumvals);

-- name: CitusShards :one
-- A setting of Citus; empty where it is not loaded, which a server does when it
-- starts or not at all.
SELECT coalesce(current_setting('citus.shard_count', true), '')::text AS shards;

-- name: IsReadOnly :one
SELECT (current_setting('transaction_read_only') = 'on')::text::boolean AS read_only;
