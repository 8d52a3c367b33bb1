-- +goose Up

-- The tables that ingestion writes have keys that begin with source and hold
-- call_id (or their own id), and no sequences, foreign keys or triggers, so that
-- they can be distributed over several machines.

CREATE TABLE source (
    name          text PRIMARY KEY,
    provider      text NOT NULL,
    currency      text,
    country       text,
    answer_events boolean,
    registered_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE source IS 'Configured senders, as the receiver last saw them when it started. A name stands for one provider for ever.';
COMMENT ON COLUMN source.name IS 'Name in the URL and in every row that came from it.';
COMMENT ON COLUMN source.provider IS 'didww, didlogic, voipnow, piopiy or wavix.';
COMMENT ON COLUMN source.currency IS 'ISO 4217 code that the configuration adds to amounts; null: none.';
COMMENT ON COLUMN source.country IS 'ISO 3166 code by which national numbers are read; null: they are not.';
COMMENT ON COLUMN source.answer_events IS 'VoipNow: false when no Answer rules exist, so that an ANSWER is the hangup; null: true.';
COMMENT ON COLUMN source.registered_at IS 'When a receiver first started with this source.';

CREATE TABLE event (
    source           text        NOT NULL,
    call_id          text        NOT NULL,
    event_id         uuid        NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('started', 'ringing', 'early_media', 'answered', 'ended', 'cdr', 'stream', 'playback', 'dtmf', 'other')),
    provider_kind    text        NOT NULL,
    leg              text        NOT NULL,
    record_key       text,
    occurred_at      timestamptz NOT NULL,
    clock            text        NOT NULL CHECK (clock IN ('provider', 'receiver')),
    received_at      timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    deliveries       integer     NOT NULL CHECK (deliveries > 0),
    facts            jsonb,
    problems         text[]      NOT NULL,
    payload          json,
    xid              xid8        NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (source, call_id, event_id),
    CHECK ((kind = 'cdr') = (record_key IS NOT NULL))
) WITH (fillfactor = 90);
COMMENT ON TABLE event IS 'The ledger: one row per record that a provider sent about a call. Rows are added; only their receipt counters change.';
COMMENT ON COLUMN event.source IS 'Who sent it.';
COMMENT ON COLUMN event.call_id IS 'The provider''s id of the call. PIOPIY''s stream events know only the id of a leg and keep that.';
COMMENT ON COLUMN event.event_id IS 'Digest of source, provider_kind and the record: the same record again is the same row for ever.';
COMMENT ON COLUMN event.kind IS 'What it reports.';
COMMENT ON COLUMN event.provider_kind IS 'The provider''s own word for it.';
COMMENT ON COLUMN event.leg IS 'The part of the call that it is about; empty: the whole call.';
COMMENT ON COLUMN event.record_key IS 'CDRs: which record of the call this is. Of several with one key the one received last counts. Null for other kinds.';
COMMENT ON COLUMN event.occurred_at IS 'When it happened, UTC, by the clock named in clock.';
COMMENT ON COLUMN event.clock IS 'provider, or receiver where the provider sends no time and the first receipt stands in.';
COMMENT ON COLUMN event.received_at IS 'First receipt, UTC. Records of one delivery are a microsecond apart.';
COMMENT ON COLUMN event.last_received_at IS 'Latest receipt, UTC.';
COMMENT ON COLUMN event.deliveries IS 'How often it came.';
COMMENT ON COLUMN event.facts IS 'What it says about the call, normalised, under the names of the columns of call. Null: nothing, or emptied by prune.';
COMMENT ON COLUMN event.problems IS 'Fields that were there but could not be read, and why.';
COMMENT ON COLUMN event.payload IS 'The whole record as sent; a form or query as an object of its parameters. Null: emptied by prune.';
COMMENT ON COLUMN event.xid IS 'Transaction that added the row, for reading changes without a gap.';

CREATE TABLE call (
    source            text        NOT NULL,
    call_id           text        NOT NULL,
    provider          text        NOT NULL,
    parent_call_id    text,
    account           text,
    direction         text CHECK (direction IN ('inbound', 'outbound', 'internal')),
    src               text,
    dst               text,
    did               text,
    src_name          text,
    src_e164          text,
    dst_e164          text,
    src_country       text,
    dst_country       text,
    trunk             text,
    tag               text,
    state             text        NOT NULL CHECK (state IN ('started', 'ringing', 'answered', 'ended')),
    disposition       text CHECK (disposition IN ('answered', 'no_answer', 'busy', 'cancelled', 'rejected', 'failed', 'unknown')),
    call_time         timestamptz NOT NULL,
    started_at        timestamptz,
    ringing_at        timestamptz,
    answered_at       timestamptz,
    ended_at          timestamptz,
    clock             text        NOT NULL CHECK (clock IN ('provider', 'receiver')),
    duration          numeric CHECK (duration >= 0),
    billsec           numeric CHECK (billsec >= 0),
    charged_sec       numeric CHECK (charged_sec >= 0),
    first_increment   integer,
    next_increment    integer,
    rate              numeric,
    cost              numeric,
    tax               numeric,
    currency          text,
    sip_code          integer,
    q850_cause        integer,
    hangup_cause      text,
    hangup_by         text CHECK (hangup_by IN ('caller', 'callee', 'system')),
    machine_detected  boolean,
    legs              integer     NOT NULL,
    events            integer     NOT NULL,
    cdrs              integer     NOT NULL,
    version           bigint      NOT NULL,
    first_received_at timestamptz NOT NULL,
    last_received_at  timestamptz NOT NULL,
    changed_at        timestamptz NOT NULL,
    pruned_at         timestamptz,
    PRIMARY KEY (source, call_id),
    CHECK ((state = 'ended') = (disposition IS NOT NULL))
) WITH (fillfactor = 75);
COMMENT ON TABLE call IS 'One row per call: the fold of its events and nothing else. Null means that the provider did not say.';
COMMENT ON COLUMN call.source IS 'Who reported it.';
COMMENT ON COLUMN call.call_id IS 'The provider''s id of the call.';
COMMENT ON COLUMN call.provider IS 'didww, didlogic, voipnow, piopiy or wavix.';
COMMENT ON COLUMN call.parent_call_id IS 'The call that this one was transferred or forked from; never its own id.';
COMMENT ON COLUMN call.account IS 'The provider''s account or application.';
COMMENT ON COLUMN call.direction IS 'Seen from the customer, by the first leg.';
COMMENT ON COLUMN call.src IS 'Caller, as sent.';
COMMENT ON COLUMN call.dst IS 'Called, as sent.';
COMMENT ON COLUMN call.did IS 'Public number of the customer that was dialled or shown, as sent.';
COMMENT ON COLUMN call.src_name IS 'Name of the caller, as sent.';
COMMENT ON COLUMN call.src_e164 IS 'src with + and country code; null where that is not certain.';
COMMENT ON COLUMN call.dst_e164 IS 'dst with + and country code; null where that is not certain.';
COMMENT ON COLUMN call.src_country IS 'ISO 3166 code of src_e164; null where the number belongs to no country.';
COMMENT ON COLUMN call.dst_country IS 'ISO 3166 code of dst_e164; null where the number belongs to no country.';
COMMENT ON COLUMN call.trunk IS 'The customer''s label or address of the trunk.';
COMMENT ON COLUMN call.tag IS 'The customer''s own data, as sent.';
COMMENT ON COLUMN call.state IS 'How far the call has come.';
COMMENT ON COLUMN call.disposition IS 'How it came out; null while the call lives, unknown when nobody said.';
COMMENT ON COLUMN call.call_time IS 'Start, else ringing, answer, end, first receipt, UTC. Reports bucket by it.';
COMMENT ON COLUMN call.started_at IS 'Earliest start, UTC.';
COMMENT ON COLUMN call.ringing_at IS 'Earliest ringing, UTC.';
COMMENT ON COLUMN call.answered_at IS 'Earliest answer, UTC; null when nobody answered, or nobody said when.';
COMMENT ON COLUMN call.ended_at IS 'Latest end, UTC; null while the call lives.';
COMMENT ON COLUMN call.clock IS 'receiver when a moment above is one of our receipts, so that it is approximate.';
COMMENT ON COLUMN call.duration IS 'Seconds from start to end, ringing included.';
COMMENT ON COLUMN call.billsec IS 'Seconds from answer to end.';
COMMENT ON COLUMN call.charged_sec IS 'Seconds that the provider charged, rounded up by it; the sum over the call''s records.';
COMMENT ON COLUMN call.first_increment IS 'Seconds that a call is charged at least.';
COMMENT ON COLUMN call.next_increment IS 'Seconds by which it is charged after that.';
COMMENT ON COLUMN call.rate IS 'Price per minute, as sent. The unit of PIOPIY''s is not known.';
COMMENT ON COLUMN call.cost IS 'What the provider charged, as sent; the sum over the call''s records. Whether tax is in it depends on the provider, see tax.';
COMMENT ON COLUMN call.tax IS 'DIDWW: its customer_vat, the VAT for the call; whether cost includes it is not documented by DIDWW. Others send none.';
COMMENT ON COLUMN call.currency IS 'ISO 4217 code of rate, cost and tax; null: neither the provider nor the configuration says, or records disagree.';
COMMENT ON COLUMN call.sip_code IS 'SIP status that ended the call.';
COMMENT ON COLUMN call.q850_cause IS 'Q.850 cause that ended the call.';
COMMENT ON COLUMN call.hangup_cause IS 'The provider''s own words for how it ended.';
COMMENT ON COLUMN call.hangup_by IS 'Who hung up.';
COMMENT ON COLUMN call.machine_detected IS 'Whether an answering machine answered.';
COMMENT ON COLUMN call.legs IS 'Distinct legs that were reported; 0 where the provider reports whole calls.';
COMMENT ON COLUMN call.events IS 'Events that were folded, CDRs and their older versions included.';
COMMENT ON COLUMN call.cdrs IS 'CDR records that count.';
COMMENT ON COLUMN call.version IS 'Grows with every change of the row.';
COMMENT ON COLUMN call.first_received_at IS 'First receipt of the earliest event, UTC.';
COMMENT ON COLUMN call.last_received_at IS 'First receipt of the latest event, UTC. Repeats do not move it.';
COMMENT ON COLUMN call.changed_at IS 'When the row was last written, UTC.';
COMMENT ON COLUMN call.pruned_at IS 'When prune emptied the events of this call, UTC; it is never folded again.';

-- One call is found by the primary key. These serve a number's history and a
-- span of time; none is on a column that changes with every event, so that
-- most updates stay within their page.
CREATE INDEX call_by_time ON call (call_time);
CREATE INDEX call_by_src ON call (src, call_time) WHERE src IS NOT NULL;
CREATE INDEX call_by_dst ON call (dst, call_time) WHERE dst IS NOT NULL;
CREATE INDEX call_by_src_e164 ON call (src_e164, call_time) WHERE src_e164 IS NOT NULL;
CREATE INDEX call_by_dst_e164 ON call (dst_e164, call_time) WHERE dst_e164 IS NOT NULL;

CREATE TABLE recording (
    source       text        NOT NULL,
    call_id      text        NOT NULL,
    recording_id text        NOT NULL,
    url          text        NOT NULL,
    expires_at   timestamptz,
    received_at  timestamptz NOT NULL,
    deliveries   integer     NOT NULL CHECK (deliveries > 0),
    payload      json,
    PRIMARY KEY (source, call_id, recording_id)
);
COMMENT ON TABLE recording IS 'Notices that a recording of a call can be fetched. The call itself may be unknown, and may never come.';
COMMENT ON COLUMN recording.source IS 'Who sent it.';
COMMENT ON COLUMN recording.call_id IS 'The call that was recorded.';
COMMENT ON COLUMN recording.recording_id IS 'Stable over repeated notices. DIDLogic: the URL without its query, which is a signature.';
COMMENT ON COLUMN recording.url IS 'Where to fetch it, as sent; of several notices the one that lasts longest.';
COMMENT ON COLUMN recording.expires_at IS 'When the URL stops working, UTC; null: not known.';
COMMENT ON COLUMN recording.received_at IS 'First receipt, UTC.';
COMMENT ON COLUMN recording.deliveries IS 'How often a notice came.';
COMMENT ON COLUMN recording.payload IS 'The notice as sent.';

CREATE TABLE message (
    source      text        NOT NULL,
    message_id  text        NOT NULL,
    src         text,
    dst         text,
    body        text,
    direction   text CHECK (direction IN ('inbound', 'outbound', 'internal')),
    status      text,
    occurred_at timestamptz,
    cost        numeric,
    currency    text,
    segments    integer,
    received_at timestamptz NOT NULL,
    deliveries  integer     NOT NULL CHECK (deliveries > 0),
    payload     json,
    PRIMARY KEY (source, message_id)
);
COMMENT ON TABLE message IS 'SMS and MMS, and what became of them.';
COMMENT ON COLUMN message.source IS 'Who sent it.';
COMMENT ON COLUMN message.message_id IS 'The provider''s id; DIDLogic has none: a digest of the message.';
COMMENT ON COLUMN message.src IS 'Sender, as sent.';
COMMENT ON COLUMN message.dst IS 'Receiver, as sent.';
COMMENT ON COLUMN message.body IS 'Text, as sent; null in delivery reports.';
COMMENT ON COLUMN message.direction IS 'Seen from the customer.';
COMMENT ON COLUMN message.status IS 'The provider''s word in lower case, received for inbound ones; of several reports the one that settles most.';
COMMENT ON COLUMN message.occurred_at IS 'When it was sent or received, UTC, by the provider''s clock.';
COMMENT ON COLUMN message.cost IS 'What the provider charged, as sent.';
COMMENT ON COLUMN message.currency IS 'ISO 4217 code of cost.';
COMMENT ON COLUMN message.segments IS 'Parts that it was sent in.';
COMMENT ON COLUMN message.received_at IS 'First receipt, UTC.';
COMMENT ON COLUMN message.deliveries IS 'How often a report came.';
COMMENT ON COLUMN message.payload IS 'The report that the status is from, as sent.';

CREATE TABLE quarantine (
    source           text        NOT NULL,
    quarantine_id    uuid        NOT NULL,
    hint             text        NOT NULL,
    method           text        NOT NULL,
    query            text        NOT NULL,
    content_type     text        NOT NULL,
    content_encoding text        NOT NULL,
    body             bytea       NOT NULL,
    reason           text        NOT NULL,
    received_at      timestamptz NOT NULL,
    deliveries       integer     NOT NULL CHECK (deliveries > 0),
    replayed_at      timestamptz,
    PRIMARY KEY (source, quarantine_id)
);
COMMENT ON TABLE quarantine IS 'What an authentic sender sent and could not be read, raw, with the reason. The same bytes on the same route are one row.';
COMMENT ON COLUMN quarantine.source IS 'Who sent it.';
COMMENT ON COLUMN quarantine.quarantine_id IS 'Digest of source, hint, query and body.';
COMMENT ON COLUMN quarantine.hint IS 'Event kind in the URL; empty: none.';
COMMENT ON COLUMN quarantine.method IS 'GET or POST.';
COMMENT ON COLUMN quarantine.query IS 'Query of the URL without token and event.';
COMMENT ON COLUMN quarantine.content_type IS 'Content-Type as sent.';
COMMENT ON COLUMN quarantine.content_encoding IS 'Content-Encoding of body, where it could not be inflated; else empty.';
COMMENT ON COLUMN quarantine.body IS 'The unreadable piece; the whole body where it could not be told apart.';
COMMENT ON COLUMN quarantine.reason IS 'What is wrong with it, naming the field.';
COMMENT ON COLUMN quarantine.received_at IS 'First receipt, UTC.';
COMMENT ON COLUMN quarantine.deliveries IS 'How often it came.';
COMMENT ON COLUMN quarantine.replayed_at IS 'When replay last read it successfully, UTC; null: still unread.';

CREATE INDEX quarantine_unread ON quarantine (source, received_at) WHERE replayed_at IS NULL;

-- +goose StatementBegin
CREATE FUNCTION ingest_guard(want_events bigint, new_events bigint, want_calls bigint, written_calls bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF new_events IS DISTINCT FROM want_events OR written_calls IS DISTINCT FROM want_calls THEN
        RAISE EXCEPTION 'another writer changed these calls: % of % events new, % of % calls written',
            new_events, want_events, written_calls, want_calls USING ERRCODE = 'CDR01';
    END IF;
    RETURN true;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION ingest_guard IS 'Undoes a batch that was folded from what is no longer true: raises CDR01 unless exactly the expected events were new and every call was written.';

CREATE FUNCTION message_status_rank(status text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN status IS NULL OR status = '' THEN 0
        WHEN status IN ('accepted', 'queued', 'pending') THEN 1
        WHEN status IN ('undelivered', 'failed', 'rejected', 'expired', 'dlr_expired') THEN 3
        WHEN status IN ('delivered', 'received') THEN 4
        ELSE 2
    END
$$;
COMMENT ON FUNCTION message_status_rank IS 'How much a message''s status settles; the highest wins, whatever the order.';

CREATE VIEW cdr AS
SELECT call_time, source, provider, call_id, parent_call_id, account, trunk, direction,
       src, dst, did, src_e164, dst_e164, src_country, dst_country, src_name,
       disposition, started_at, answered_at, ended_at,
       duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
       sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, tag,
       legs, cdrs, clock, version, changed_at
FROM call
WHERE state = 'ended';
COMMENT ON VIEW cdr IS 'One row per ended call. Columns as in call.';

-- +goose Down
DROP VIEW cdr;
DROP TABLE call, event, recording, message, quarantine, source;
DROP FUNCTION ingest_guard, message_status_rank;
