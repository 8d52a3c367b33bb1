-- What the receiver writes. The statements of one batch go in one round trip and
-- one transaction, those first that add rows; each only where it has something
-- to do. Rows come sorted by key, so that two receivers lock them in one order.
-- Arrays of events and calls are called _text and so on, which is text[], because
-- sqlc.yaml makes those the types of package pgarray. In the other statements
-- nullable elements are varchar or smallint, because sqlc has no nullable elements
-- of text and integer.

-- name: AddEvents :exec
-- Adds events that are new. Where another writer was faster the primary key
-- refuses all of them, and the batch is read and folded again.
INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at,
                   last_received_at, deliveries, facts, problems, payload)
SELECT source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock,
       received_at, last_received_at, deliveries, facts::jsonb, string_to_array(problems, E'\n'), payload::json
FROM (
    SELECT
           unnest(@source::_text) AS source,
           unnest(@call_id::_text) AS call_id,
           unnest(@event_id::_uuid) AS event_id,
           unnest(@kind::_text) AS kind,
           unnest(@provider_kind::_text) AS provider_kind,
           unnest(@leg::_text) AS leg,
           unnest(@record_key::_text) AS record_key,
           unnest(@occurred_at::_timestamptz) AS occurred_at,
           unnest(@clock::_text) AS clock,
           unnest(@received_at::_timestamptz) AS received_at,
           unnest(@last_received_at::_timestamptz) AS last_received_at,
           unnest(@deliveries::_int4) AS deliveries,
           unnest(@facts::_text) AS facts,
           unnest(@problems::_text) AS problems,
           unnest(@payload::_text) AS payload
) event_in;

-- name: CountRepeats :exec
-- Counts events that came again, or raises CDR01 unless all of them are there.
WITH repeat_in AS (
    SELECT
           unnest(@source::_text) AS source,
           unnest(@call_id::_text) AS call_id,
           unnest(@event_id::_uuid) AS event_id,
           unnest(@received_at::_timestamptz) AS received_at,
           unnest(@last_received_at::_timestamptz) AS last_received_at,
           unnest(@deliveries::_int4) AS deliveries
), counted AS (
    UPDATE event e SET
        deliveries = e.deliveries + r.deliveries,
        received_at = LEAST(e.received_at, r.received_at),
        last_received_at = GREATEST(e.last_received_at, r.last_received_at),
        occurred_at = CASE WHEN e.clock = 'receiver' THEN LEAST(e.occurred_at, r.received_at) ELSE e.occurred_at END
    FROM repeat_in r
    WHERE e.source = r.source AND e.call_id = r.call_id AND e.event_id = r.event_id
    RETURNING 1
)
SELECT ingest_guard(cardinality(@deliveries::_int4)::bigint, (SELECT count(*) FROM counted), 0, 0)::boolean AS ok;

-- name: CountRepeat :execrows
-- CountRepeats for one event where nothing else is written, as half of all
-- deliveries are when few come: plain parameters are read faster than arrays.
-- Where it counts nothing, the event is gone.
UPDATE event SET
    deliveries = deliveries + @deliveries,
    received_at = LEAST(received_at, @received_at::timestamptz),
    last_received_at = GREATEST(last_received_at, @last_received_at::timestamptz),
    occurred_at = CASE WHEN clock = 'receiver' THEN LEAST(occurred_at, @received_at::timestamptz) ELSE occurred_at END
WHERE source = @source AND call_id = @call_id AND event_id = @event_id;

-- name: AddCalls :exec
-- Adds calls that are new, like AddEvents.
WITH call_in AS (
    SELECT
           unnest(@version::_int8) AS version,
           unnest(@source::_text) AS source,
           unnest(@call_id::_text) AS call_id,
           unnest(@provider::_text) AS provider,
           unnest(@parent_call_id::_text) AS parent_call_id,
           unnest(@account::_text) AS account,
           unnest(@direction::_text) AS direction,
           unnest(@src::_text) AS src,
           unnest(@dst::_text) AS dst,
           unnest(@did::_text) AS did,
           unnest(@src_name::_text) AS src_name,
           unnest(@src_e164::_text) AS src_e164,
           unnest(@dst_e164::_text) AS dst_e164,
           unnest(@src_country::_text) AS src_country,
           unnest(@dst_country::_text) AS dst_country,
           unnest(@trunk::_text) AS trunk,
           unnest(@tag::_text) AS tag,
           unnest(@sip_call_id::_text) AS sip_call_id,
           unnest(@state::_text) AS state,
           unnest(@disposition::_text) AS disposition,
           unnest(@call_time::_timestamptz) AS call_time,
           unnest(@started_at::_timestamptz) AS started_at,
           unnest(@ringing_at::_timestamptz) AS ringing_at,
           unnest(@answered_at::_timestamptz) AS answered_at,
           unnest(@ended_at::_timestamptz) AS ended_at,
           unnest(@clock::_text) AS clock,
           unnest(@duration::_numeric) AS duration,
           unnest(@billsec::_numeric) AS billsec,
           unnest(@charged_sec::_numeric) AS charged_sec,
           unnest(@first_increment::_int4) AS first_increment,
           unnest(@next_increment::_int4) AS next_increment,
           unnest(@rate::_numeric) AS rate,
           unnest(@cost::_numeric) AS cost,
           unnest(@tax::_numeric) AS tax,
           unnest(@cost_includes_tax::_bool) AS cost_includes_tax,
           unnest(@currency::_text) AS currency,
           unnest(@sip_code::_int4) AS sip_code,
           unnest(@q850_cause::_int4) AS q850_cause,
           unnest(@hangup_cause::_text) AS hangup_cause,
           unnest(@hangup_by::_text) AS hangup_by,
           unnest(@machine_detected::_bool) AS machine_detected,
           unnest(@legs::_int4) AS legs,
           unnest(@events::_int4) AS events,
           unnest(@cdrs::_int4) AS cdrs,
           unnest(@first_received_at::_timestamptz) AS first_received_at,
           unnest(@last_received_at::_timestamptz) AS last_received_at
)
INSERT INTO call (source, call_id, provider, parent_call_id, account, direction, src, dst, did, src_name, src_e164, dst_e164,
                  src_country, dst_country, trunk, tag, sip_call_id, state, disposition, call_time, started_at, ringing_at, answered_at,
                  ended_at, clock, duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, cost_includes_tax, currency,
                  sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, legs, events, cdrs, version,
                  first_received_at, last_received_at, changed_at)
SELECT source, call_id, provider, parent_call_id, account, direction, src, dst, did, src_name, src_e164, dst_e164,
       src_country, dst_country, trunk, tag, sip_call_id, state, disposition, call_time, started_at, ringing_at, answered_at,
       ended_at, clock, duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, cost_includes_tax, currency,
       sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, legs, events, cdrs, version,
       first_received_at, last_received_at, now()
FROM call_in;

-- name: ChangeCalls :exec
-- Writes calls that were folded anew, or raises CDR01 unless each still has the
-- version that it was folded from: one less than the new one.
WITH call_in AS (
    SELECT
           unnest(@version::_int8) AS version,
           unnest(@source::_text) AS source,
           unnest(@call_id::_text) AS call_id,
           unnest(@provider::_text) AS provider,
           unnest(@parent_call_id::_text) AS parent_call_id,
           unnest(@account::_text) AS account,
           unnest(@direction::_text) AS direction,
           unnest(@src::_text) AS src,
           unnest(@dst::_text) AS dst,
           unnest(@did::_text) AS did,
           unnest(@src_name::_text) AS src_name,
           unnest(@src_e164::_text) AS src_e164,
           unnest(@dst_e164::_text) AS dst_e164,
           unnest(@src_country::_text) AS src_country,
           unnest(@dst_country::_text) AS dst_country,
           unnest(@trunk::_text) AS trunk,
           unnest(@tag::_text) AS tag,
           unnest(@sip_call_id::_text) AS sip_call_id,
           unnest(@state::_text) AS state,
           unnest(@disposition::_text) AS disposition,
           unnest(@call_time::_timestamptz) AS call_time,
           unnest(@started_at::_timestamptz) AS started_at,
           unnest(@ringing_at::_timestamptz) AS ringing_at,
           unnest(@answered_at::_timestamptz) AS answered_at,
           unnest(@ended_at::_timestamptz) AS ended_at,
           unnest(@clock::_text) AS clock,
           unnest(@duration::_numeric) AS duration,
           unnest(@billsec::_numeric) AS billsec,
           unnest(@charged_sec::_numeric) AS charged_sec,
           unnest(@first_increment::_int4) AS first_increment,
           unnest(@next_increment::_int4) AS next_increment,
           unnest(@rate::_numeric) AS rate,
           unnest(@cost::_numeric) AS cost,
           unnest(@tax::_numeric) AS tax,
           unnest(@cost_includes_tax::_bool) AS cost_includes_tax,
           unnest(@currency::_text) AS currency,
           unnest(@sip_code::_int4) AS sip_code,
           unnest(@q850_cause::_int4) AS q850_cause,
           unnest(@hangup_cause::_text) AS hangup_cause,
           unnest(@hangup_by::_text) AS hangup_by,
           unnest(@machine_detected::_bool) AS machine_detected,
           unnest(@legs::_int4) AS legs,
           unnest(@events::_int4) AS events,
           unnest(@cdrs::_int4) AS cdrs,
           unnest(@first_received_at::_timestamptz) AS first_received_at,
           unnest(@last_received_at::_timestamptz) AS last_received_at
), changed AS (
    UPDATE call SET
        provider = n.provider,
        parent_call_id = n.parent_call_id,
        account = n.account,
        direction = n.direction,
        src = n.src,
        dst = n.dst,
        did = n.did,
        src_name = n.src_name,
        src_e164 = n.src_e164,
        dst_e164 = n.dst_e164,
        src_country = n.src_country,
        dst_country = n.dst_country,
        trunk = n.trunk,
        tag = n.tag,
        sip_call_id = n.sip_call_id,
        state = n.state,
        disposition = n.disposition,
        call_time = n.call_time,
        started_at = n.started_at,
        ringing_at = n.ringing_at,
        answered_at = n.answered_at,
        ended_at = n.ended_at,
        clock = n.clock,
        duration = n.duration,
        billsec = n.billsec,
        charged_sec = n.charged_sec,
        first_increment = n.first_increment,
        next_increment = n.next_increment,
        rate = n.rate,
        cost = n.cost,
        tax = n.tax,
        cost_includes_tax = n.cost_includes_tax,
        currency = n.currency,
        sip_code = n.sip_code,
        q850_cause = n.q850_cause,
        hangup_cause = n.hangup_cause,
        hangup_by = n.hangup_by,
        machine_detected = n.machine_detected,
        legs = n.legs,
        events = n.events,
        cdrs = n.cdrs,
        version = n.version,
        first_received_at = n.first_received_at,
        last_received_at = n.last_received_at,
        changed_at = now()
    FROM call_in n
    WHERE call.source = n.source AND call.call_id = n.call_id AND call.version = n.version - 1 AND call.pruned_at IS NULL
    RETURNING 1
)
SELECT ingest_guard(0, 0, cardinality(@version::_int8)::bigint, (SELECT count(*) FROM changed))::boolean AS ok;

-- name: NoteChanges :exec
-- Notes calls that changed without a new event, or whose call_time has moved,
-- for those who read changes.
INSERT INTO call_change (source, call_id, old_call_time)
SELECT
       unnest(@source::_text) AS source,
       unnest(@call_id::_text) AS call_id,
       unnest(@old_call_time::_timestamptz) AS old_call_time;

-- name: SaveRecordings :exec
-- Keeps of several notices of one recording the URL that lasts longest. Like
-- cdr.MergeRecording. (One column at a time: several at once, set from a
-- subquery, are what Citus gets wrong.)
INSERT INTO recording AS r (source, call_id, recording_id, url, expires_at, received_at, deliveries, payload)
SELECT source, call_id, recording_id, url, expires_at, received_at, deliveries, payload::json
FROM (
    SELECT
           unnest(@source::text[]) AS source,
           unnest(@call_id::text[]) AS call_id,
           unnest(@recording_id::text[]) AS recording_id,
           unnest(@url::text[]) AS url,
           unnest(@expires_at::timestamptz[]) AS expires_at,
           unnest(@received_at::timestamptz[]) AS received_at,
           unnest(@deliveries::integer[]) AS deliveries,
           unnest(@payload::text[]) AS payload
) recording_in
ON CONFLICT (source, call_id, recording_id) DO UPDATE SET
    url = CASE WHEN (coalesce(EXCLUDED.expires_at, '-infinity'), EXCLUDED.url COLLATE "C", EXCLUDED.payload::text COLLATE "C")
                > (coalesce(r.expires_at, '-infinity'), r.url COLLATE "C", r.payload::text COLLATE "C") THEN EXCLUDED.url ELSE r.url END,
    expires_at = CASE WHEN (coalesce(EXCLUDED.expires_at, '-infinity'), EXCLUDED.url COLLATE "C", EXCLUDED.payload::text COLLATE "C")
                > (coalesce(r.expires_at, '-infinity'), r.url COLLATE "C", r.payload::text COLLATE "C") THEN EXCLUDED.expires_at ELSE r.expires_at END,
    payload = CASE WHEN (coalesce(EXCLUDED.expires_at, '-infinity'), EXCLUDED.url COLLATE "C", EXCLUDED.payload::text COLLATE "C")
                > (coalesce(r.expires_at, '-infinity'), r.url COLLATE "C", r.payload::text COLLATE "C") THEN EXCLUDED.payload ELSE r.payload END,
    received_at = LEAST(r.received_at, EXCLUDED.received_at),
    deliveries = r.deliveries + EXCLUDED.deliveries;

-- name: SaveMessages :exec
-- Keeps of several reports of one message the one whose status settles most, as
-- a whole. Like cdr.MergeMessage. (Column by column, as above.)
INSERT INTO message AS m (source, message_id, src, dst, body, direction, status, occurred_at, cost, currency, segments, received_at, deliveries, payload)
SELECT source, message_id, src, dst, body, direction, status, occurred_at, cost, currency, segments, received_at, deliveries, payload::json
FROM (
    SELECT
           unnest(@source::text[]) AS source,
           unnest(@message_id::text[]) AS message_id,
           unnest(@src::varchar[]) AS src,
           unnest(@dst::varchar[]) AS dst,
           unnest(@body::varchar[]) AS body,
           unnest(@direction::varchar[]) AS direction,
           unnest(@status::varchar[]) AS status,
           unnest(@occurred_at::timestamptz[]) AS occurred_at,
           unnest(@cost::numeric[]) AS cost,
           unnest(@currency::varchar[]) AS currency,
           unnest(@segments::smallint[]) AS segments,
           unnest(@received_at::timestamptz[]) AS received_at,
           unnest(@deliveries::integer[]) AS deliveries,
           unnest(@payload::text[]) AS payload
) message_in
ON CONFLICT (source, message_id) DO UPDATE SET
    src = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.src ELSE m.src END,
    dst = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.dst ELSE m.dst END,
    body = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.body ELSE m.body END,
    direction = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.direction ELSE m.direction END,
    status = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.status ELSE m.status END,
    occurred_at = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.occurred_at ELSE m.occurred_at END,
    cost = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.cost ELSE m.cost END,
    currency = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.currency ELSE m.currency END,
    segments = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.segments ELSE m.segments END,
    payload = CASE WHEN (message_status_rank(EXCLUDED.status), EXCLUDED.payload::text COLLATE "C")
                > (message_status_rank(m.status), m.payload::text COLLATE "C") THEN EXCLUDED.payload ELSE m.payload END,
    received_at = LEAST(m.received_at, EXCLUDED.received_at),
    deliveries = m.deliveries + EXCLUDED.deliveries;

-- name: SaveQuarantine :exec
-- A piece that is back after it was replayed is still read: it stays replayed.
INSERT INTO quarantine AS q (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
SELECT
           unnest(@source::text[]) AS source,
           unnest(@quarantine_id::uuid[]) AS quarantine_id,
           unnest(@hint::text[]) AS hint,
           unnest(@method::text[]) AS method,
           unnest(@query::text[]) AS query,
           unnest(@content_type::text[]) AS content_type,
           unnest(@content_encoding::text[]) AS content_encoding,
           unnest(@body::bytea[]) AS body,
           unnest(@reason::text[]) AS reason,
           unnest(@received_at::timestamptz[]) AS received_at,
           unnest(@deliveries::integer[]) AS deliveries
ON CONFLICT (source, quarantine_id) DO UPDATE SET
    deliveries = q.deliveries + EXCLUDED.deliveries,
    received_at = LEAST(q.received_at, EXCLUDED.received_at);
