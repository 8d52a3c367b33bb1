-- What the receiver writes. One statement writes a whole batch, so that one round
-- trip stores what many requests brought. Rows come sorted by key, so that two
-- receivers lock them in one order. Nullable elements are varchar or smallint
-- here because sqlc has no nullable elements of text and integer.

-- name: SaveCalls :exec
-- Adds events and writes the calls that were folded from them, or raises CDR01
-- and writes nothing: exactly new_events of the events must be new, and every
-- call must still have the version that it was folded from (0: none).
WITH event_in AS (
    SELECT
           unnest(@event_source::text[]) AS source,
           unnest(@event_call_id::text[]) AS call_id,
           unnest(@event_event_id::uuid[]) AS event_id,
           unnest(@event_kind::text[]) AS kind,
           unnest(@event_provider_kind::text[]) AS provider_kind,
           unnest(@event_leg::text[]) AS leg,
           unnest(@event_record_key::varchar[]) AS record_key,
           unnest(@event_occurred_at::timestamptz[]) AS occurred_at,
           unnest(@event_clock::text[]) AS clock,
           unnest(@event_received_at::timestamptz[]) AS received_at,
           unnest(@event_last_received_at::timestamptz[]) AS last_received_at,
           unnest(@event_deliveries::integer[]) AS deliveries,
           unnest(@event_facts::varchar[]) AS facts,
           unnest(@event_problems::text[]) AS problems,
           unnest(@event_payload::text[]) AS payload
), event_out AS (
    INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at,
                       last_received_at, deliveries, facts, problems, payload)
    SELECT source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock,
           received_at, last_received_at, deliveries, facts::jsonb, string_to_array(problems, E'\n'), payload::json
    FROM event_in
    ON CONFLICT (source, call_id, event_id) DO UPDATE SET
        deliveries = event.deliveries + EXCLUDED.deliveries,
        received_at = LEAST(event.received_at, EXCLUDED.received_at),
        last_received_at = GREATEST(event.last_received_at, EXCLUDED.last_received_at),
        occurred_at = CASE WHEN event.clock = 'receiver' THEN LEAST(event.occurred_at, EXCLUDED.occurred_at) ELSE event.occurred_at END
    RETURNING xmax = 0 AS is_new
), call_in AS (
    SELECT
           unnest(@call_source::text[]) AS source,
           unnest(@call_call_id::text[]) AS call_id,
           unnest(@call_provider::text[]) AS provider,
           unnest(@call_parent_call_id::varchar[]) AS parent_call_id,
           unnest(@call_account::varchar[]) AS account,
           unnest(@call_direction::varchar[]) AS direction,
           unnest(@call_src::varchar[]) AS src,
           unnest(@call_dst::varchar[]) AS dst,
           unnest(@call_did::varchar[]) AS did,
           unnest(@call_src_name::varchar[]) AS src_name,
           unnest(@call_src_e164::varchar[]) AS src_e164,
           unnest(@call_dst_e164::varchar[]) AS dst_e164,
           unnest(@call_src_country::varchar[]) AS src_country,
           unnest(@call_dst_country::varchar[]) AS dst_country,
           unnest(@call_trunk::varchar[]) AS trunk,
           unnest(@call_tag::varchar[]) AS tag,
           unnest(@call_state::text[]) AS state,
           unnest(@call_disposition::varchar[]) AS disposition,
           unnest(@call_call_time::timestamptz[]) AS call_time,
           unnest(@call_started_at::timestamptz[]) AS started_at,
           unnest(@call_ringing_at::timestamptz[]) AS ringing_at,
           unnest(@call_answered_at::timestamptz[]) AS answered_at,
           unnest(@call_ended_at::timestamptz[]) AS ended_at,
           unnest(@call_clock::text[]) AS clock,
           unnest(@call_duration::numeric[]) AS duration,
           unnest(@call_billsec::numeric[]) AS billsec,
           unnest(@call_charged_sec::numeric[]) AS charged_sec,
           unnest(@call_first_increment::smallint[]) AS first_increment,
           unnest(@call_next_increment::smallint[]) AS next_increment,
           unnest(@call_rate::numeric[]) AS rate,
           unnest(@call_cost::numeric[]) AS cost,
           unnest(@call_tax::numeric[]) AS tax,
           unnest(@call_currency::varchar[]) AS currency,
           unnest(@call_sip_code::smallint[]) AS sip_code,
           unnest(@call_q850_cause::smallint[]) AS q850_cause,
           unnest(@call_hangup_cause::varchar[]) AS hangup_cause,
           unnest(@call_hangup_by::varchar[]) AS hangup_by,
           unnest(@call_machine_detected::boolean[]) AS machine_detected,
           unnest(@call_legs::integer[]) AS legs,
           unnest(@call_events::integer[]) AS events,
           unnest(@call_cdrs::integer[]) AS cdrs,
           unnest(@call_version::bigint[]) AS version,
           unnest(@call_first_received_at::timestamptz[]) AS first_received_at,
           unnest(@call_last_received_at::timestamptz[]) AS last_received_at
), call_out AS (
    INSERT INTO call (source, call_id, provider, parent_call_id, account, direction, src, dst, did, src_name, src_e164, dst_e164,
                      src_country, dst_country, trunk, tag, state, disposition, call_time, started_at, ringing_at, answered_at,
                      ended_at, clock, duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
                      sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, legs, events, cdrs, version,
                      first_received_at, last_received_at, changed_at)
    SELECT source, call_id, provider, parent_call_id, account, direction, src, dst, did, src_name, src_e164, dst_e164,
           src_country, dst_country, trunk, tag, state, disposition, call_time, started_at, ringing_at, answered_at,
           ended_at, clock, duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
           sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, legs, events, cdrs, version,
           first_received_at, last_received_at, now()
    FROM call_in
    ON CONFLICT (source, call_id) DO UPDATE SET
        provider = EXCLUDED.provider,
        parent_call_id = EXCLUDED.parent_call_id,
        account = EXCLUDED.account,
        direction = EXCLUDED.direction,
        src = EXCLUDED.src,
        dst = EXCLUDED.dst,
        did = EXCLUDED.did,
        src_name = EXCLUDED.src_name,
        src_e164 = EXCLUDED.src_e164,
        dst_e164 = EXCLUDED.dst_e164,
        src_country = EXCLUDED.src_country,
        dst_country = EXCLUDED.dst_country,
        trunk = EXCLUDED.trunk,
        tag = EXCLUDED.tag,
        state = EXCLUDED.state,
        disposition = EXCLUDED.disposition,
        call_time = EXCLUDED.call_time,
        started_at = EXCLUDED.started_at,
        ringing_at = EXCLUDED.ringing_at,
        answered_at = EXCLUDED.answered_at,
        ended_at = EXCLUDED.ended_at,
        clock = EXCLUDED.clock,
        duration = EXCLUDED.duration,
        billsec = EXCLUDED.billsec,
        charged_sec = EXCLUDED.charged_sec,
        first_increment = EXCLUDED.first_increment,
        next_increment = EXCLUDED.next_increment,
        rate = EXCLUDED.rate,
        cost = EXCLUDED.cost,
        tax = EXCLUDED.tax,
        currency = EXCLUDED.currency,
        sip_code = EXCLUDED.sip_code,
        q850_cause = EXCLUDED.q850_cause,
        hangup_cause = EXCLUDED.hangup_cause,
        hangup_by = EXCLUDED.hangup_by,
        machine_detected = EXCLUDED.machine_detected,
        legs = EXCLUDED.legs,
        events = EXCLUDED.events,
        cdrs = EXCLUDED.cdrs,
        version = EXCLUDED.version,
        first_received_at = EXCLUDED.first_received_at,
        last_received_at = EXCLUDED.last_received_at,
        changed_at = EXCLUDED.changed_at
    WHERE call.version = EXCLUDED.version - 1 AND call.pruned_at IS NULL
    RETURNING (xmax = 0) = (version = 1) AS is_expected
)
SELECT ingest_guard(
    @new_events::bigint, (SELECT count(*) FROM event_out WHERE is_new),
    coalesce(cardinality(@call_version::bigint[]), 0)::bigint, (SELECT count(*) FROM call_out WHERE is_expected)
)::boolean AS ok;

-- name: SaveRecordings :exec
-- Keeps of several notices of one recording the URL that lasts longest. Like
-- cdr.MergeRecording.
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
    (url, expires_at, payload) = (
        SELECT x.url, x.expires_at, x.payload
        FROM (VALUES (r.url, r.expires_at, r.payload), (EXCLUDED.url, EXCLUDED.expires_at, EXCLUDED.payload)) AS x (url, expires_at, payload)
        ORDER BY x.expires_at DESC NULLS LAST, x.url COLLATE "C" DESC, x.payload::text COLLATE "C" DESC
        LIMIT 1
    ),
    received_at = LEAST(r.received_at, EXCLUDED.received_at),
    deliveries = r.deliveries + EXCLUDED.deliveries;

-- name: SaveMessages :exec
-- Keeps of several reports of one message the one whose status settles most, as
-- a whole. Like cdr.MergeMessage.
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
    (src, dst, body, direction, status, occurred_at, cost, currency, segments, payload) = (
        SELECT x.src, x.dst, x.body, x.direction, x.status, x.occurred_at, x.cost, x.currency, x.segments, x.payload
        FROM (VALUES (m.src, m.dst, m.body, m.direction, m.status, m.occurred_at, m.cost, m.currency, m.segments, m.payload),
                     (EXCLUDED.src, EXCLUDED.dst, EXCLUDED.body, EXCLUDED.direction, EXCLUDED.status, EXCLUDED.occurred_at,
                      EXCLUDED.cost, EXCLUDED.currency, EXCLUDED.segments, EXCLUDED.payload)
             ) AS x (src, dst, body, direction, status, occurred_at, cost, currency, segments, payload)
        ORDER BY message_status_rank(x.status) DESC, x.payload::text COLLATE "C" DESC
        LIMIT 1
    ),
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
