-- +goose Up

CREATE FUNCTION billed_seconds(billsec numeric, first_increment integer, next_increment integer) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN billsec < 0 OR first_increment < 0 OR next_increment < 0 THEN NULL
        WHEN billsec IS NULL OR first_increment IS NULL OR next_increment IS NULL THEN NULL
        WHEN billsec = 0 THEN 0
        WHEN billsec <= first_increment THEN first_increment
        WHEN next_increment = 0 THEN NULL
        ELSE first_increment + ceil((billsec - first_increment) / next_increment) * next_increment
    END
$$;
COMMENT ON FUNCTION billed_seconds IS 'Seconds that a call of billsec seconds is billed: first_increment at least, then whole next_increments; 0 when nobody talked. Null when one of the three is null, or the increments make no sense.';

-- Facts are what adapters wrote, or what an import or a hand put there. These
-- read a value of theirs as a type, and give null for what is none, so that one
-- bad value never makes a view fail.

-- +goose StatementBegin
CREATE FUNCTION fact_numeric(facts jsonb, name text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE value text := facts ->> name;
BEGIN
    IF length(value) <= 200 AND value ~ '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$' THEN
        RETURN value::numeric;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fact_numeric IS 'A fact as a decimal; null where it is missing or is none.';

-- +goose StatementBegin
CREATE FUNCTION fact_integer(facts jsonb, name text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE value text := facts ->> name;
BEGIN
    IF value ~ '^[+-]?[0-9]{1,9}$' THEN
        RETURN value::integer;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fact_integer IS 'A fact as a whole number below a thousand millions; null where it is missing or is none.';

-- +goose StatementBegin
CREATE FUNCTION fact_boolean(facts jsonb, name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE facts ->> name WHEN 'true' THEN true WHEN 'false' THEN false END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fact_boolean IS 'A fact as true or false; null where it is missing or is neither.';

-- The pattern lets only days through that every month has, or that this month
-- has: there is no way to ask Postgres 13 to 15 whether a text is a time.
-- +goose StatementBegin
CREATE FUNCTION fact_time(facts jsonb, name text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    value text := facts ->> name;
    days  integer;
BEGIN
    IF value !~ '^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$' THEN
        RETURN NULL;
    END IF;
    days := extract(day FROM make_date(left(value, 4)::integer, substr(value, 6, 2)::integer, 1) + interval '1 month - 1 day');
    IF substr(value, 9, 2)::integer > days THEN
        RETURN NULL;
    END IF;
    RETURN value::timestamptz;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fact_time IS 'A fact as a moment, written as in RFC 3339 with its zone; null where it is missing or is none.';

-- Of each record key the version that counts is the one that no other beats.
-- Written so, and not with DISTINCT ON, Postgres can begin at the calls of a
-- join and look their records up by key.
CREATE VIEW leg AS
SELECT e.source, e.call_id, e.record_key, e.leg,
       e.facts ->> 'provider' AS provider, e.facts ->> 'parent_call_id' AS parent_call_id, e.facts ->> 'account' AS account,
       e.facts ->> 'direction' AS direction, e.facts ->> 'src' AS src, e.facts ->> 'dst' AS dst, e.facts ->> 'did' AS did,
       e.facts ->> 'src_name' AS src_name, e.facts ->> 'src_e164' AS src_e164, e.facts ->> 'dst_e164' AS dst_e164,
       e.facts ->> 'src_country' AS src_country, e.facts ->> 'dst_country' AS dst_country,
       e.facts ->> 'trunk' AS trunk, e.facts ->> 'tag' AS tag,
       e.facts ->> 'disposition' AS disposition, fact_integer(e.facts, 'attempt') AS attempt,
       fact_time(e.facts, 'started_at') AS started_at, fact_time(e.facts, 'ringing_at') AS ringing_at,
       fact_time(e.facts, 'answered_at') AS answered_at, fact_time(e.facts, 'ended_at') AS ended_at,
       fact_numeric(e.facts, 'duration') AS duration, fact_numeric(e.facts, 'billsec') AS billsec,
       fact_numeric(e.facts, 'charged_sec') AS charged_sec,
       fact_integer(e.facts, 'first_increment') AS first_increment, fact_integer(e.facts, 'next_increment') AS next_increment,
       fact_numeric(e.facts, 'rate') AS rate, fact_numeric(e.facts, 'cost') AS cost, fact_numeric(e.facts, 'tax') AS tax,
       e.facts ->> 'currency' AS currency,
       fact_integer(e.facts, 'sip_code') AS sip_code, fact_integer(e.facts, 'q850_cause') AS q850_cause,
       e.facts ->> 'hangup_cause' AS hangup_cause, e.facts ->> 'hangup_by' AS hangup_by,
       fact_boolean(e.facts, 'machine_detected') AS machine_detected,
       coalesce(e.facts ->> 'imported' = 'true', false) AS imported,
       e.event_id, e.received_at, e.last_received_at, e.deliveries, e.problems
FROM event e
WHERE e.kind = 'cdr' AND e.facts IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM event o
      WHERE o.source = e.source AND o.call_id = e.call_id AND o.kind = 'cdr' AND o.record_key = e.record_key AND o.facts IS NOT NULL
        AND (coalesce(o.facts ->> 'imported', '') <> 'true', o.received_at, o.event_id)
          > (coalesce(e.facts ->> 'imported', '') <> 'true', e.received_at, e.event_id))
  -- As cdr.SameStart: a file may name a record by its call and start alone, or a
  -- push by no leg what a file names by its leg.
  AND NOT (coalesce(e.facts ->> 'imported', '') = 'true' AND EXISTS (
      SELECT FROM event o,
           LATERAL (SELECT e.record_key = e.call_id || '/' || (e.facts ->> 'started_at') AS e_rough,
                           o.record_key = o.call_id || '/' || (o.facts ->> 'started_at') AS o_rough,
                           e.leg <> '' AND e.record_key = e.call_id || '/' || e.leg AND o.leg IN ('', o.facts ->> 'started_at')
                           OR o.leg <> '' AND o.record_key = o.call_id || '/' || o.leg AND e.leg IN ('', e.facts ->> 'started_at') AS by_leg) k
      WHERE o.source = e.source AND o.call_id = e.call_id AND o.kind = 'cdr' AND o.record_key <> e.record_key AND o.facts IS NOT NULL
        AND abs(extract(epoch FROM fact_time(o.facts, 'started_at') - fact_time(e.facts, 'started_at'))) < 1
        AND CASE WHEN coalesce(o.facts ->> 'imported', '') = 'true' THEN k.e_rough AND NOT k.o_rough ELSE k.e_rough OR k.o_rough OR k.by_leg END));
COMMENT ON VIEW leg IS 'One row per CDR record that counts: of the versions with one record_key the one received last, an imported one below every pushed one, also where file and push name the record differently and only its start tells. The sums of cost, tax and charged_sec over the records of a call are those of the call, where its currencies agree (and where not two imported records of it start within a second of one that was pushed: both are then taken for that one here). Null: the record does not say, or the value cannot be read. Records of pruned calls are gone.';
COMMENT ON COLUMN leg.source IS 'Who sent it.';
COMMENT ON COLUMN leg.call_id IS 'The call that the record is about.';
COMMENT ON COLUMN leg.record_key IS 'Which record of the call this is.';
COMMENT ON COLUMN leg.leg IS 'The part of the call that it is about; empty: the whole call.';
COMMENT ON COLUMN leg.provider IS 'didww, didlogic, voipnow, piopiy or wavix.';
COMMENT ON COLUMN leg.parent_call_id IS 'The call that this one was transferred or forked from.';
COMMENT ON COLUMN leg.account IS 'The provider''s account or application.';
COMMENT ON COLUMN leg.direction IS 'inbound, outbound or internal, seen from the customer.';
COMMENT ON COLUMN leg.src IS 'Caller, as sent.';
COMMENT ON COLUMN leg.dst IS 'Called, as sent.';
COMMENT ON COLUMN leg.did IS 'Public number of the customer that was dialled or shown, as sent.';
COMMENT ON COLUMN leg.src_name IS 'Name of the caller, as sent.';
COMMENT ON COLUMN leg.src_e164 IS 'src with + and country code; null where that is not certain.';
COMMENT ON COLUMN leg.dst_e164 IS 'dst with + and country code; null where that is not certain.';
COMMENT ON COLUMN leg.src_country IS 'ISO 3166 code of src_e164.';
COMMENT ON COLUMN leg.dst_country IS 'ISO 3166 code of dst_e164.';
COMMENT ON COLUMN leg.trunk IS 'The customer''s label or address of the trunk.';
COMMENT ON COLUMN leg.tag IS 'The customer''s own data, as sent.';
COMMENT ON COLUMN leg.disposition IS 'How this leg came out, in the words of call.disposition.';
COMMENT ON COLUMN leg.attempt IS 'Routing attempt, from 1.';
COMMENT ON COLUMN leg.started_at IS 'Start of the leg, UTC.';
COMMENT ON COLUMN leg.ringing_at IS 'Ringing of the leg, UTC.';
COMMENT ON COLUMN leg.answered_at IS 'Answer of the leg, UTC.';
COMMENT ON COLUMN leg.ended_at IS 'End of the leg, UTC.';
COMMENT ON COLUMN leg.duration IS 'Seconds from start to end, ringing included, as delivered.';
COMMENT ON COLUMN leg.billsec IS 'Seconds from answer to end, as delivered.';
COMMENT ON COLUMN leg.charged_sec IS 'Seconds that the provider charged, rounded up by it.';
COMMENT ON COLUMN leg.first_increment IS 'Seconds that a call is charged at least.';
COMMENT ON COLUMN leg.next_increment IS 'Seconds by which it is charged after that.';
COMMENT ON COLUMN leg.rate IS 'Price per minute, as sent. The unit of PIOPIY''s is not known.';
COMMENT ON COLUMN leg.cost IS 'What the provider charged for this record, as sent.';
COMMENT ON COLUMN leg.tax IS 'Tax in cost or on it, see call.tax.';
COMMENT ON COLUMN leg.currency IS 'ISO 4217 code of rate, cost and tax; null: nobody says.';
COMMENT ON COLUMN leg.sip_code IS 'SIP status that ended the leg.';
COMMENT ON COLUMN leg.q850_cause IS 'Q.850 cause that ended the leg.';
COMMENT ON COLUMN leg.hangup_cause IS 'The provider''s own words for how it ended.';
COMMENT ON COLUMN leg.hangup_by IS 'caller, callee or system.';
COMMENT ON COLUMN leg.machine_detected IS 'Whether an answering machine answered.';
COMMENT ON COLUMN leg.imported IS 'Whether it came from a file that was imported, and no pushed CDR of its record_key did.';
COMMENT ON COLUMN leg.event_id IS 'Its row in event, with the payload.';
COMMENT ON COLUMN leg.received_at IS 'First receipt of this version, UTC.';
COMMENT ON COLUMN leg.last_received_at IS 'Latest receipt of this version, UTC.';
COMMENT ON COLUMN leg.deliveries IS 'How often this version came.';
COMMENT ON COLUMN leg.problems IS 'Fields that were there but could not be read, and why.';

CREATE VIEW cdr_asterisk AS
SELECT call_time AS calldate,
       CASE WHEN src_name IS NULL THEN coalesce(src, '')
            WHEN src IS NULL THEN format('"%s"', src_name)
            ELSE format('"%s" <%s>', src_name, src) END AS clid,
       coalesce(src, '') AS src, coalesce(dst, '') AS dst,
       coalesce(direction, '') AS dcontext,
       source || '/' || call_id AS channel,
       CASE WHEN trunk IS NULL THEN '' ELSE source || '/' || trunk END AS dstchannel,
       'Dial' AS lastapp, coalesce(dst, '') AS lastdata,
       CASE WHEN duration IS NOT NULL THEN least(trunc(duration), 2147483647)::integer END AS duration,
       CASE WHEN billsec IS NOT NULL THEN least(trunc(billsec), 2147483647)::integer
            WHEN disposition NOT IN ('answered', 'unknown') THEN 0 END AS billsec,
       CASE WHEN disposition = 'answered' OR disposition = 'unknown' AND billsec > 0 THEN 'ANSWERED'
            WHEN disposition IN ('busy', 'rejected') THEN 'BUSY'
            WHEN disposition = 'failed' THEN 'FAILED' ELSE 'NO ANSWER' END AS disposition,
       3 AS amaflags,
       coalesce(account, '') AS accountcode, call_id AS uniqueid, coalesce(tag, '') AS userfield,
       call_time AS start, answered_at AS answer, ended_at AS "end",
       '' AS peeraccount, coalesce(parent_call_id, call_id) AS linkedid, 0 AS sequence
FROM call
WHERE state = 'ended';
COMMENT ON VIEW cdr_asterisk IS 'One row per ended call under the column names of Asterisk''s CDR tables (cdr_pgsql, cdr_adaptive_odbc), with its types: whole seconds, empty text where it has no null. Times are timestamptz, so that they show in the zone of the session and a span of calldate uses the index.';
COMMENT ON COLUMN cdr_asterisk.calldate IS 'Start of the call: call_time.';
COMMENT ON COLUMN cdr_asterisk.clid IS 'Caller id: "name" <number>, or the one that is known, or empty.';
COMMENT ON COLUMN cdr_asterisk.src IS 'Caller, as sent; empty: not known.';
COMMENT ON COLUMN cdr_asterisk.dst IS 'Called, as sent; empty: not known.';
COMMENT ON COLUMN cdr_asterisk.dcontext IS 'inbound, outbound, internal, or empty: there is no dialplan here.';
COMMENT ON COLUMN cdr_asterisk.channel IS 'source/call_id: there are no channels here.';
COMMENT ON COLUMN cdr_asterisk.dstchannel IS 'source/trunk; empty: no trunk is known.';
COMMENT ON COLUMN cdr_asterisk.lastapp IS 'Dial, always.';
COMMENT ON COLUMN cdr_asterisk.lastdata IS 'Called, as sent.';
COMMENT ON COLUMN cdr_asterisk.duration IS 'Whole seconds from start to end, ringing included, the fraction cut off as Asterisk does; null: not known.';
COMMENT ON COLUMN cdr_asterisk.billsec IS 'Whole seconds from answer to end, the fraction cut off; 0 for a call that was not answered; null: not known.';
COMMENT ON COLUMN cdr_asterisk.disposition IS 'ANSWERED (also where nobody said but somebody talked), BUSY (also what was rejected, as Asterisk reads 603), FAILED, or NO ANSWER (also what was cancelled, and what nobody said).';
COMMENT ON COLUMN cdr_asterisk.amaflags IS '3, DOCUMENTATION: Asterisk''s default.';
COMMENT ON COLUMN cdr_asterisk.accountcode IS 'The provider''s account; empty: not known.';
COMMENT ON COLUMN cdr_asterisk.uniqueid IS 'call_id; unique within a source.';
COMMENT ON COLUMN cdr_asterisk.userfield IS 'The customer''s own data (tag); empty: none.';
COMMENT ON COLUMN cdr_asterisk.start IS 'As calldate.';
COMMENT ON COLUMN cdr_asterisk.answer IS 'answered_at; null: nobody answered, or nobody said when.';
COMMENT ON COLUMN cdr_asterisk."end" IS 'ended_at; null: nobody said when.';
COMMENT ON COLUMN cdr_asterisk.peeraccount IS 'Empty: no provider says it.';
COMMENT ON COLUMN cdr_asterisk.linkedid IS 'parent_call_id, else call_id.';
COMMENT ON COLUMN cdr_asterisk.sequence IS '0: one row per uniqueid.';

CREATE VIEW cdr_cgrates AS
SELECT hashtextextended(source || '/' || call_id, 0) & 9223372036854775807 AS id,
       left(encode(sha256(convert_to(call_id || '/' || source, 'UTF8')), 'hex'), 40) AS cgrid,
       '*default' AS run_id, source AS origin_host, provider AS source, call_id AS origin_id,
       '*voice' AS tor, '*rated' AS request_type, 'cgrates.org' AS tenant, 'call' AS category,
       coalesce(account, '') AS account, coalesce(src_e164, src, '') AS subject, coalesce(dst_e164, dst, '') AS destination,
       call_time AS setup_time, answered_at AS answer_time,
       CASE WHEN billsec IS NOT NULL THEN least(trunc(billsec * 1000000000), 9223372036854775807)::bigint
            WHEN disposition NOT IN ('answered', 'unknown') THEN 0 END AS usage,
       jsonb_strip_nulls(jsonb_build_object(
           'direction', direction, 'src', src, 'dst', dst, 'did', did, 'src_name', src_name, 'trunk', trunk, 'tag', tag,
           'disposition', disposition, 'sip_code', sip_code::text, 'q850_cause', q850_cause::text,
           'hangup_cause', hangup_cause, 'hangup_by', hangup_by, 'parent_call_id', parent_call_id,
           'duration', duration::text, 'charged_sec', charged_sec::text, 'rate', rate::text, 'tax', tax::text,
           'currency', currency)) AS extra_fields,
       CASE WHEN cost IS NULL THEN '' ELSE provider END AS cost_source, cost,
       NULL::jsonb AS cost_details, '' AS extra_info,
       first_received_at AS created_at, changed_at AS updated_at, NULL::timestamptz AS deleted_at
FROM call
WHERE state = 'ended';
COMMENT ON VIEW cdr_cgrates IS 'One row per ended call under the column names of CGRateS'' SQL table cdrs. Times are UTC.';
COMMENT ON COLUMN cdr_cgrates.id IS 'Number made of source and call_id: the same for ever, and not in order.';
COMMENT ON COLUMN cdr_cgrates.cgrid IS '40 hex digits made of call_id and source, as CGRateS makes them of origin_id and origin_host (by SHA-256, not SHA-1).';
COMMENT ON COLUMN cdr_cgrates.run_id IS '*default.';
COMMENT ON COLUMN cdr_cgrates.origin_host IS 'The source that reported the call.';
COMMENT ON COLUMN cdr_cgrates.source IS 'The provider: didww, didlogic, voipnow, piopiy or wavix.';
COMMENT ON COLUMN cdr_cgrates.origin_id IS 'call_id.';
COMMENT ON COLUMN cdr_cgrates.tor IS '*voice.';
COMMENT ON COLUMN cdr_cgrates.request_type IS '*rated.';
COMMENT ON COLUMN cdr_cgrates.tenant IS 'cgrates.org, CGRateS'' default.';
COMMENT ON COLUMN cdr_cgrates.category IS 'call.';
COMMENT ON COLUMN cdr_cgrates.account IS 'The provider''s account; empty: not known.';
COMMENT ON COLUMN cdr_cgrates.subject IS 'Caller: src_e164, else src; empty: not known.';
COMMENT ON COLUMN cdr_cgrates.destination IS 'Called: dst_e164, else dst; empty: not known.';
COMMENT ON COLUMN cdr_cgrates.setup_time IS 'Start of the call: call_time.';
COMMENT ON COLUMN cdr_cgrates.answer_time IS 'answered_at; null: nobody answered, or nobody said when.';
COMMENT ON COLUMN cdr_cgrates.usage IS 'billsec in nanoseconds; 0 for a call that was not answered; null: not known.';
COMMENT ON COLUMN cdr_cgrates.extra_fields IS 'What else is known of the call, by the names of its columns, each as text.';
COMMENT ON COLUMN cdr_cgrates.cost_source IS 'The provider, whose charge cost is; empty: no cost is known.';
COMMENT ON COLUMN cdr_cgrates.cost IS 'What the provider charged, in extra_fields'' currency, with all its digits; null: not known (CGRateS writes -1).';
COMMENT ON COLUMN cdr_cgrates.cost_details IS 'Null: CGRateS did not rate the call.';
COMMENT ON COLUMN cdr_cgrates.extra_info IS 'Empty: there was no error in rating.';
COMMENT ON COLUMN cdr_cgrates.created_at IS 'First receipt, UTC.';
COMMENT ON COLUMN cdr_cgrates.updated_at IS 'When the row of call was last written, UTC.';
COMMENT ON COLUMN cdr_cgrates.deleted_at IS 'Null: calls are not marked as deleted.';

-- PIOPIY's id of a leg within a payload, read as text: ->> fails on a payload
-- with \u0000 in it, which json keeps.
-- +goose StatementBegin
CREATE FUNCTION payload_cmiuuid(payload json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (regexp_match(payload::text, '"cmiuuid"\s*:\s*"?([^"\\,}\s]+)'))[1]
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION payload_cmiuuid IS 'PIOPIY''s id of a leg in a payload; null: none.';

-- The second half of the union finds PIOPIY's stream events from the call's other
-- events, by the primary key, so that one call needs no index of its own.
CREATE VIEW call_timeline AS
SELECT k.source, k.call_id,
       CASE WHEN k.kind = 'cdr' THEN coalesce(fact_time(k.facts, 'ended_at'), k.occurred_at) ELSE k.occurred_at END AS at,
       k.clock, k.kind, k.provider_kind, k.leg, k.record_key,
       round(extract(epoch FROM CASE WHEN k.kind = 'cdr' THEN coalesce(fact_time(k.facts, 'ended_at'), k.occurred_at) ELSE k.occurred_at END
                     - c.call_time)::numeric, 3) AS seconds,
       k.deliveries,
       nullif(concat_ws(', ', k.facts ->> 'state', nullif(k.facts ->> 'disposition', k.facts ->> 'state'),
           CASE WHEN k.facts ?| ARRAY['src', 'dst'] THEN coalesce(k.facts ->> 'src', '?') || ' to ' || coalesce(k.facts ->> 'dst', '?') END,
           'talked ' || (k.facts ->> 'billsec') || ' s', 'charged ' || (k.facts ->> 'charged_sec') || ' s',
           'cost ' || (k.facts ->> 'cost') || coalesce(' ' || (k.facts ->> 'currency'), ''),
           'SIP ' || (k.facts ->> 'sip_code'), 'Q.850 ' || (k.facts ->> 'q850_cause'), k.facts ->> 'hangup_cause',
           'hung up by ' || (k.facts ->> 'hangup_by'),
           CASE WHEN k.facts ->> 'imported' = 'true' THEN 'imported' END,
           CASE WHEN cardinality(k.problems) > 0 THEN 'not read: ' || array_to_string(k.problems, '; ') END), '') AS says,
       k.event_call_id, k.event_id, k.received_at
FROM (
    SELECT source, call_id, call_id AS event_call_id, event_id, kind, provider_kind, leg, record_key,
           occurred_at, clock, received_at, deliveries, facts, problems
    FROM event
    UNION ALL
    SELECT l.source, l.call_id, s.call_id, s.event_id, s.kind, s.provider_kind, s.leg, s.record_key,
           s.occurred_at, s.clock, s.received_at, s.deliveries, s.facts, s.problems
    FROM (
        SELECT DISTINCT o.source, o.call_id, coalesce(payload_cmiuuid(o.payload), substring(o.record_key FROM '[^/]+$')) AS leg_id
        FROM event o
        WHERE o.kind <> 'stream' AND o.facts ->> 'provider' = 'piopiy'
    ) l
    JOIN event s ON s.source = l.source AND s.call_id = l.leg_id AND s.kind = 'stream'
    WHERE l.leg_id <> l.call_id
) k
JOIN call c ON c.source = k.source AND c.call_id = k.call_id
ORDER BY k.source, k.call_id, at,
         array_position(ARRAY['started', 'ringing', 'early_media', 'answered', 'stream', 'playback', 'dtmf', 'other', 'ended', 'cdr'], k.kind),
         k.received_at, k.event_id;
COMMENT ON VIEW call_timeline IS 'The events of a call in the order of its life, one row each; PIOPIY''s stream events, which know only a leg, are under the call of that leg. Name source and call_id: then it reads by key only. Events that belong to no call are not in it.';
COMMENT ON COLUMN call_timeline.source IS 'Who sent it.';
COMMENT ON COLUMN call_timeline.call_id IS 'The call.';
COMMENT ON COLUMN call_timeline.at IS 'When it happened, UTC, by the clock named in clock; of a CDR the end that it reports, else its start.';
COMMENT ON COLUMN call_timeline.clock IS 'provider, or receiver where at is the first receipt.';
COMMENT ON COLUMN call_timeline.kind IS 'What it reports, as in event.kind.';
COMMENT ON COLUMN call_timeline.provider_kind IS 'The provider''s own word for it.';
COMMENT ON COLUMN call_timeline.leg IS 'The part of the call that it is about; empty: the whole call.';
COMMENT ON COLUMN call_timeline.record_key IS 'CDRs: which record of the call this is; view leg shows which version counts.';
COMMENT ON COLUMN call_timeline.seconds IS 'Seconds from the call_time of the call to at; negative before it.';
COMMENT ON COLUMN call_timeline.deliveries IS 'How often it came.';
COMMENT ON COLUMN call_timeline.says IS 'What it says, in short; null: nothing about the call, or pruned.';
COMMENT ON COLUMN call_timeline.event_call_id IS 'call_id of its row in event: the leg''s for PIOPIY''s stream events.';
COMMENT ON COLUMN call_timeline.event_id IS 'Its row in event, with the payload.';
COMMENT ON COLUMN call_timeline.received_at IS 'First receipt, UTC.';

-- +goose Down
DROP VIEW call_timeline, cdr_cgrates, cdr_asterisk, leg;
DROP FUNCTION payload_cmiuuid, fact_time, fact_boolean, fact_integer, fact_numeric, billed_seconds;
