-- +goose Up

-- Two columns of call, both known from records decoded since. Stored calls get
-- them by `cdrstore rebuild --redecode`, which also moves DIDWW's Voice OUT calls
-- from their SIP Call-ID, which PBXs use again, to one key for each call.

ALTER TABLE call ADD COLUMN sip_call_id text, ADD COLUMN cost_includes_tax boolean;
COMMENT ON COLUMN call.call_id IS 'The id of the call: the provider''s, or one made of it where the provider''s does not identify one call (DIDWW Voice OUT: SIP Call-ID, ~, time_start in UTC; an id such as 0 or a nil UUID: the id, ~, a digest of the record).';
COMMENT ON COLUMN call.sip_call_id IS 'SIP Call-ID, as sent. The customer''s equipment chooses it, and some use one again: several calls may have it. Null: the provider does not state it.';
COMMENT ON COLUMN call.cost_includes_tax IS 'Whether cost contains tax, so that net is cost - tax and gross is cost; false: gross is cost + tax. By the source''s setting cost_includes_tax, else what the provider documents. Null: not known, or the records of the call differ.';
COMMENT ON COLUMN call.billsec IS 'Seconds from answer to end; above 0 only where disposition is answered, or null while the call lives.';
COMMENT ON COLUMN call.dst IS 'Called, as sent: what the caller dialled, and once a CDR says where the call was forwarded, that number. did is the dialled public number always.';
COMMENT ON COLUMN event.call_id IS 'The id of the call, as in call. PIOPIY''s stream events know only the id of a leg and keep that.';
CREATE INDEX call_by_sip_call_id ON call (sip_call_id, call_time) WHERE sip_call_id IS NOT NULL;
-- Calls that start with a whole second, as all do that were imported from DIDWW's
-- outbound exports: few, among which `serve` looks for those that were pushed since.
CREATE INDEX call_by_rough_start ON call (first_received_at) WHERE sip_call_id IS NOT NULL AND call_id LIKE '%.000000Z';

ALTER TABLE source ADD COLUMN cost_includes_tax text CHECK (cost_includes_tax IN ('true', 'false', 'unknown'));
COMMENT ON COLUMN source.cost_includes_tax IS 'What the configuration says of tax in cost; null: nothing, what the provider documents holds.';

CREATE OR REPLACE VIEW cdr AS
SELECT call_time, source, provider, call_id, parent_call_id, account, trunk, direction,
       src, dst, did, src_e164, dst_e164, src_country, dst_country, src_name,
       disposition, started_at, answered_at, ended_at,
       duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
       sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, tag,
       legs, cdrs, clock, version, changed_at, sip_call_id, cost_includes_tax
FROM call
WHERE state = 'ended';

-- +goose Down
-- A view that others read cannot lose columns: these stay, and are null.
CREATE OR REPLACE VIEW cdr AS
SELECT call_time, source, provider, call_id, parent_call_id, account, trunk, direction,
       src, dst, did, src_e164, dst_e164, src_country, dst_country, src_name,
       disposition, started_at, answered_at, ended_at,
       duration, billsec, charged_sec, first_increment, next_increment, rate, cost, tax, currency,
       sip_code, q850_cause, hangup_cause, hangup_by, machine_detected, tag,
       legs, cdrs, clock, version, changed_at, NULL::text AS sip_call_id, NULL::boolean AS cost_includes_tax
FROM call
WHERE state = 'ended';
ALTER TABLE source DROP COLUMN cost_includes_tax;
ALTER TABLE call DROP COLUMN sip_call_id, DROP COLUMN cost_includes_tax;
COMMENT ON COLUMN call.call_id IS 'The provider''s id of the call.';
COMMENT ON COLUMN call.billsec IS 'Seconds from answer to end.';
COMMENT ON COLUMN call.dst IS 'Called, as sent.';
COMMENT ON COLUMN event.call_id IS 'The provider''s id of the call. PIOPIY''s stream events know only the id of a leg and keep that.';
