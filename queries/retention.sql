-- What prune and erase use. Both walk through tables in the order of an index, a
-- page of rows at a time, and then change what they are about in that page: no
-- statement reads a table whole, and a key that was passed never comes again.
-- Each change checks anew what the page said.

-- name: PruneCallPage :many
-- The next calls of a span of time. (The first comparison only helps the planner:
-- the index is on call_time alone.)
SELECT c.source, c.call_id, c.call_time, c.version,
       (c.pruned_at IS NULL AND c.last_received_at < @before AND (@one_source::text = '' OR c.source = @one_source))::bool AS due
FROM call c
WHERE c.call_time >= @after_time AND (c.call_time, c.source, c.call_id) > (@after_time, @after_source::text, @after_call_id::text)
  AND c.call_time < @until
ORDER BY c.call_time, c.source, c.call_id
LIMIT @at_most;

-- name: PruneSizes :many
-- What the events of some calls hold. (A page and what belongs to it are two
-- statements, because Citus refuses the lateral join of one.)
SELECT e.source, e.call_id, count(*) AS events,
       sum(coalesce(pg_column_size(e.payload), 0) + coalesce(pg_column_size(e.facts), 0))::bigint AS bytes
FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id) k
JOIN event e ON e.source = k.source AND e.call_id = k.call_id
WHERE e.payload IS NOT NULL OR e.facts IS NOT NULL
GROUP BY e.source, e.call_id;

-- name: PruneCalls :many
-- Empties calls that nobody has changed since they were read, and returns them.
-- The new version makes a writer fail that has folded the old events; a writer
-- that was faster has left another version, and its call is not pruned.
WITH pruned AS (
    UPDATE call c SET pruned_at = now(), changed_at = now(), version = c.version + 1
    FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@version::bigint[]) AS version) k
    WHERE c.source = k.source AND c.call_id = k.call_id AND c.version = k.version AND c.pruned_at IS NULL
    RETURNING c.source, c.call_id
), noted AS (
    INSERT INTO call_change (source, call_id) SELECT source, call_id FROM pruned
), emptied AS (
    UPDATE event e SET facts = NULL, payload = NULL
    FROM pruned p
    WHERE e.source = p.source AND e.call_id = p.call_id AND (e.payload IS NOT NULL OR e.facts IS NOT NULL)
)
SELECT source, call_id FROM pruned;

-- name: PruneEventPage :many
-- The next events: whether they are old, hold nothing any more, hold no facts.
SELECT e.source, e.call_id, e.event_id, e.received_at,
       (e.last_received_at < @before)::bool AS old, (e.last_received_at < @forget)::bool AS older,
       (@one_source::text = '' OR e.source = @one_source)::bool AS wanted,
       (e.facts IS NULL)::bool AS no_facts, (e.facts IS NULL AND e.payload IS NULL)::bool AS empty,
       (coalesce(pg_column_size(e.payload), 0) + coalesce(pg_column_size(e.facts), 0))::bigint AS bytes
FROM event e
WHERE (e.source, e.call_id, e.event_id) > (@after_source::text, @after_call_id::text, @after_event_id::uuid)
ORDER BY e.source, e.call_id, e.event_id
LIMIT @at_most;

-- name: PrunedAt :many
-- Which of some calls there are, and when they were pruned.
SELECT c.source, c.call_id, c.pruned_at
FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id) k
JOIN call c ON c.source = k.source AND c.call_id = k.call_id;

-- name: EmptyEvents :execrows
UPDATE event e SET facts = NULL, payload = NULL
FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@event_id::uuid[]) AS event_id) k
WHERE e.source = k.source AND e.call_id = k.call_id AND e.event_id = k.event_id
  AND (e.payload IS NOT NULL OR e.facts IS NOT NULL) AND e.last_received_at < @before;

-- name: ForgetEvents :execrows
DELETE FROM event e
USING (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@event_id::uuid[]) AS event_id) k
WHERE e.source = k.source AND e.call_id = k.call_id AND e.event_id = k.event_id
  AND e.payload IS NULL AND e.facts IS NULL AND e.last_received_at < @forget;

-- name: PruneRecordingPage :many
SELECT r.source, r.call_id, r.recording_id, coalesce(pg_column_size(r.payload), 0)::bigint AS bytes,
       (r.payload IS NOT NULL AND r.received_at < @before AND (@one_source::text = '' OR r.source = @one_source))::bool AS due
FROM recording r
WHERE (r.source, r.call_id, r.recording_id) > (@after_source::text, @after_call_id::text, @after_recording_id::text)
ORDER BY r.source, r.call_id, r.recording_id
LIMIT @at_most;

-- name: EmptyRecordings :execrows
UPDATE recording r SET payload = NULL
FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@recording_id::text[]) AS recording_id) k
WHERE r.source = k.source AND r.call_id = k.call_id AND r.recording_id = k.recording_id AND r.payload IS NOT NULL;

-- name: PruneMessagePage :many
SELECT m.source, m.message_id,
       (coalesce(pg_column_size(m.payload), 0) + coalesce(pg_column_size(m.body), 0))::bigint AS bytes,
       ((m.payload IS NOT NULL OR m.body IS NOT NULL) AND m.received_at < @before AND (@one_source::text = '' OR m.source = @one_source))::bool AS due
FROM message m
WHERE (m.source, m.message_id) > (@after_source::text, @after_message_id::text)
ORDER BY m.source, m.message_id
LIMIT @at_most;

-- name: EmptyMessages :execrows
UPDATE message m SET payload = NULL, body = NULL
FROM (SELECT unnest(@source::text[]) AS source, unnest(@message_id::text[]) AS message_id) k
WHERE m.source = k.source AND m.message_id = k.message_id AND (m.payload IS NOT NULL OR m.body IS NOT NULL);

-- name: PruneQuarantinePage :many
SELECT q.source, q.quarantine_id, pg_column_size(q.body)::bigint AS bytes, (q.replayed_at IS NULL)::bool AS unread,
       (q.received_at < @before AND (@one_source::text = '' OR q.source = @one_source))::bool AS due
FROM quarantine q
WHERE (q.source, q.quarantine_id) > (@after_source::text, @after_quarantine_id::uuid)
ORDER BY q.source, q.quarantine_id
LIMIT @at_most;

-- name: DeleteQuarantine :execrows
DELETE FROM quarantine q
USING (SELECT unnest(@source::text[]) AS source, unnest(@quarantine_id::uuid[]) AS quarantine_id) k
WHERE q.source = k.source AND q.quarantine_id = k.quarantine_id AND (q.replayed_at IS NOT NULL OR @unread_too::bool);

-- name: EraseQuarantinePage :many
SELECT q.source, q.quarantine_id, q.hint, q.query, q.content_type, q.content_encoding, q.body, q.reason,
       (q.replayed_at IS NULL)::bool AS unread
FROM quarantine q
WHERE (q.source, q.quarantine_id) > (@after_source::text, @after_quarantine_id::uuid)
ORDER BY q.source, q.quarantine_id
LIMIT @at_most;

-- name: EraseEventPage :many
-- The next events, whether one holds a number anywhere, and whether in what
-- identifies it.
SELECT p.source, p.call_id, p.event_id,
       (coalesce(p.payload::text ~ @number::text, false) OR coalesce(p.facts::text ~ @number, false)
        OR p.leg ~ @number OR array_to_string(p.problems, E'\n') ~ @number)::bool AS found,
       (p.call_id ~ @number OR coalesce(p.record_key ~ @number, false) OR p.provider_kind ~ @number)::bool AS in_key
FROM (
    SELECT * FROM event e
    WHERE (e.source, e.call_id, e.event_id) > (@after_source::text, @after_call_id::text, @after_event_id::uuid)
    ORDER BY e.source, e.call_id, e.event_id
    LIMIT @at_most
) p
ORDER BY p.source, p.call_id, p.event_id;

-- name: EraseEvents :execrows
-- Facts that somebody has emptied meanwhile stay empty.
UPDATE event e SET
    leg = n.leg, facts = CASE WHEN e.facts IS NULL THEN NULL ELSE n.facts::jsonb END,
    problems = string_to_array(n.problems, E'\n'), payload = NULL
FROM (
    SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@event_id::uuid[]) AS event_id,
           unnest(@leg::text[]) AS leg, unnest(@facts::varchar[]) AS facts, unnest(@problems::text[]) AS problems
) n
WHERE e.source = n.source AND e.call_id = n.call_id AND e.event_id = n.event_id;

-- name: EraseCallPage :many
SELECT c.source, c.call_id,
       (concat_ws('|', c.parent_call_id, c.account, c.src, c.dst, c.did, c.src_name, c.src_e164, c.dst_e164, c.trunk, c.tag, c.sip_call_id, c.hangup_cause)
        ~ @number::text)::bool AS found,
       (c.call_id ~ @number)::bool AS in_key
FROM call c
WHERE (c.source, c.call_id) > (@after_source::text, @after_call_id::text)
ORDER BY c.source, c.call_id
LIMIT @at_most;

-- name: ErasePrunedCalls :execrows
-- Other calls are folded again instead.
UPDATE call c SET
    src_name = CASE WHEN c.src_name ~ @number::text OR c.src ~ @number OR c.src_e164 ~ @number THEN NULL ELSE c.src_name END,
    src = CASE WHEN c.src ~ @number THEN NULL ELSE c.src END,
    dst = CASE WHEN c.dst ~ @number THEN NULL ELSE c.dst END,
    did = CASE WHEN c.did ~ @number THEN NULL ELSE c.did END,
    src_e164 = CASE WHEN c.src_e164 ~ @number THEN NULL ELSE c.src_e164 END,
    dst_e164 = CASE WHEN c.dst_e164 ~ @number THEN NULL ELSE c.dst_e164 END,
    parent_call_id = CASE WHEN c.parent_call_id ~ @number THEN NULL ELSE c.parent_call_id END,
    account = CASE WHEN c.account ~ @number THEN NULL ELSE c.account END,
    trunk = CASE WHEN c.trunk ~ @number THEN NULL ELSE c.trunk END,
    tag = CASE WHEN c.tag ~ @number THEN NULL ELSE c.tag END,
    sip_call_id = CASE WHEN c.sip_call_id ~ @number THEN NULL ELSE c.sip_call_id END,
    hangup_cause = CASE WHEN c.hangup_cause ~ @number THEN NULL ELSE c.hangup_cause END,
    version = c.version + 1, changed_at = now()
FROM (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id) k
WHERE c.source = k.source AND c.call_id = k.call_id AND c.pruned_at IS NOT NULL
  AND (c.parent_call_id ~ @number OR c.account ~ @number OR c.src ~ @number OR c.dst ~ @number OR c.did ~ @number OR c.src_name ~ @number
       OR c.src_e164 ~ @number OR c.dst_e164 ~ @number OR c.trunk ~ @number OR c.tag ~ @number OR c.sip_call_id ~ @number OR c.hangup_cause ~ @number);

-- name: EraseBillLinePage :many
-- Lines of closed periods never change: erase only says which hold a number.
SELECT b.side, b.source, b.call_id, b.line,
       (b.call_id ~ @number::text OR coalesce(b.account ~ @number, false) OR coalesce(b.trunk ~ @number, false))::bool AS found
FROM bill_line b
WHERE (b.side, b.source, b.call_id, b.line) > (@after_side::text, @after_source::text, @after_call_id::text, @after_line::integer)
ORDER BY b.side, b.source, b.call_id, b.line
LIMIT @at_most;

-- name: EraseRecordingPage :many
SELECT r.source, r.call_id, r.recording_id,
       coalesce(r.payload::text ~ @number::text, false)::bool AS found,
       (r.recording_id ~ @number OR r.url ~ @number)::bool AS in_address, (r.call_id ~ @number)::bool AS in_key
FROM recording r
WHERE (r.source, r.call_id, r.recording_id) > (@after_source::text, @after_call_id::text, @after_recording_id::text)
ORDER BY r.source, r.call_id, r.recording_id
LIMIT @at_most;

-- name: DeleteRecordings :execrows
DELETE FROM recording r
USING (SELECT unnest(@source::text[]) AS source, unnest(@call_id::text[]) AS call_id, unnest(@recording_id::text[]) AS recording_id) k
WHERE r.source = k.source AND r.call_id = k.call_id AND r.recording_id = k.recording_id;

-- name: EraseMessagePage :many
SELECT m.source, m.message_id,
       (concat_ws('|', m.src, m.dst, m.body, m.status, m.payload::text) ~ @number::text)::bool AS found,
       (m.message_id ~ @number)::bool AS in_key
FROM message m
WHERE (m.source, m.message_id) > (@after_source::text, @after_message_id::text)
ORDER BY m.source, m.message_id
LIMIT @at_most;

-- name: EraseMessages :execrows
-- The other party stays, but not what was written.
UPDATE message m SET
    src = CASE WHEN m.src ~ @number::text THEN NULL ELSE m.src END,
    dst = CASE WHEN m.dst ~ @number THEN NULL ELSE m.dst END,
    status = CASE WHEN m.status ~ @number THEN NULL ELSE m.status END,
    body = NULL, payload = NULL
FROM (SELECT unnest(@source::text[]) AS source, unnest(@message_id::text[]) AS message_id) k
WHERE m.source = k.source AND m.message_id = k.message_id;
