package byhand

const insertEvent = `
INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock,
                   received_at, last_received_at, deliveries, facts, problems, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 1, $11, $12, $13)
ON CONFLICT (source, call_id, event_id) DO UPDATE SET
    deliveries = event.deliveries + 1,
    received_at = LEAST(event.received_at, EXCLUDED.received_at),
    last_received_at = GREATEST(event.last_received_at, EXCLUDED.last_received_at)
RETURNING xmax = 0`

const upsertCall = `
INSERT INTO call (source, call_id, provider, parent_call_id, account, direction, src, dst, did, src_name, src_e164, dst_e164,
                  src_country, dst_country, trunk, tag, state, disposition, call_time, started_at, ringing_at, answered_at,
                  ended_at, clock, duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
                  sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, legs, cdrs, events, version,
                  first_received_at, last_received_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33,
        $34, $35, $36, $37, $38, $39, $40, 1, 1,
        $41, $41, now())
ON CONFLICT (source, call_id) DO UPDATE SET
    parent_call_id = COALESCE(EXCLUDED.parent_call_id, call.parent_call_id),
    account = COALESCE(EXCLUDED.account, call.account),
    direction = COALESCE(EXCLUDED.direction, call.direction),
    src = COALESCE(EXCLUDED.src, call.src),
    dst = COALESCE(EXCLUDED.dst, call.dst),
    did = COALESCE(EXCLUDED.did, call.did),
    src_name = COALESCE(EXCLUDED.src_name, call.src_name),
    src_e164 = COALESCE(EXCLUDED.src_e164, call.src_e164),
    dst_e164 = COALESCE(EXCLUDED.dst_e164, call.dst_e164),
    src_country = COALESCE(EXCLUDED.src_country, call.src_country),
    dst_country = COALESCE(EXCLUDED.dst_country, call.dst_country),
    trunk = COALESCE(EXCLUDED.trunk, call.trunk),
    tag = COALESCE(EXCLUDED.tag, call.tag),
    state = CASE
        WHEN 'ended' IN (EXCLUDED.state, call.state) THEN 'ended'
        WHEN 'answered' IN (EXCLUDED.state, call.state) THEN 'answered'
        WHEN 'ringing' IN (EXCLUDED.state, call.state) THEN 'ringing'
        ELSE 'started'
    END,
    disposition = COALESCE(NULLIF(EXCLUDED.disposition, 'unknown'), call.disposition, EXCLUDED.disposition),
    call_time = COALESCE(
        LEAST(call.started_at, EXCLUDED.started_at), LEAST(call.ringing_at, EXCLUDED.ringing_at),
        LEAST(call.answered_at, EXCLUDED.answered_at), GREATEST(call.ended_at, EXCLUDED.ended_at),
        LEAST(call.first_received_at, EXCLUDED.first_received_at)
    ),
    started_at = LEAST(call.started_at, EXCLUDED.started_at),
    ringing_at = LEAST(call.ringing_at, EXCLUDED.ringing_at),
    answered_at = LEAST(call.answered_at, EXCLUDED.answered_at),
    ended_at = GREATEST(call.ended_at, EXCLUDED.ended_at),
    clock = CASE WHEN 'receiver' IN (EXCLUDED.clock, call.clock) THEN 'receiver' ELSE 'provider' END,
    duration = COALESCE(EXCLUDED.duration, call.duration),
    billsec = COALESCE(EXCLUDED.billsec, call.billsec),
    charged_sec = COALESCE(EXCLUDED.charged_sec, call.charged_sec),
    first_increment = COALESCE(EXCLUDED.first_increment, call.first_increment),
    next_increment = COALESCE(EXCLUDED.next_increment, call.next_increment),
    rate = COALESCE(EXCLUDED.rate, call.rate),
    cost = COALESCE(EXCLUDED.cost, call.cost),
    tax = COALESCE(EXCLUDED.tax, call.tax),
    currency = COALESCE(EXCLUDED.currency, call.currency),
    sip_code = COALESCE(EXCLUDED.sip_code, call.sip_code),
    q850_cause = COALESCE(EXCLUDED.q850_cause, call.q850_cause),
    hangup_cause = COALESCE(EXCLUDED.hangup_cause, call.hangup_cause),
    hangup_by = COALESCE(EXCLUDED.hangup_by, call.hangup_by),
    machine_detected = COALESCE(EXCLUDED.machine_detected, call.machine_detected),
    legs = GREATEST(call.legs, EXCLUDED.legs),
    cdrs = call.cdrs + EXCLUDED.cdrs,
    events = call.events + 1,
    version = call.version + 1,
    first_received_at = LEAST(call.first_received_at, EXCLUDED.first_received_at),
    last_received_at = GREATEST(call.last_received_at, EXCLUDED.last_received_at),
    changed_at = now()`

const insertRecording = `
INSERT INTO recording (source, call_id, recording_id, url, expires_at, received_at, deliveries, payload)
VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
ON CONFLICT (source, call_id, recording_id) DO UPDATE SET
    deliveries = recording.deliveries + 1
RETURNING xmax = 0`

const insertMessage = `
INSERT INTO message (source, message_id, src, dst, body, direction, status, occurred_at, cost, currency, segments,
                     received_at, deliveries, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)
ON CONFLICT (source, message_id) DO UPDATE SET
    status = COALESCE(EXCLUDED.status, message.status),
    deliveries = message.deliveries + 1
RETURNING xmax = 0`

const insertReject = `
INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason,
                        received_at, deliveries)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
ON CONFLICT (source, quarantine_id) DO UPDATE SET
    deliveries = quarantine.deliveries + 1
RETURNING xmax = 0`
