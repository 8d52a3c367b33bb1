-- +goose Up

-- A closed period carries a SHA-256 over its lines and its own row, chained to the
-- period before it, so that nobody can change the past without the digests that
-- were printed telling. Until now a period had the sum of 64 bits of each line,
-- which shows a slip of the hand but not a forgery.

CREATE FUNCTION bill_time(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT rtrim(rtrim(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
$$;
COMMENT ON FUNCTION bill_time IS 'A time as digests and reports of periods write it, whatever the session''s settings: ISO 8601 in UTC, without zeros at the end of the fraction.';

-- One list of all hashes of a period would reach the limit of a value, 1 GB, at
-- 33 million lines. So it is kept by the first byte of the hash.
CREATE FUNCTION bill_digest(for_side text, of_period text, OUT lines bigint, OUT digest text)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(g.lines), 0)::bigint, encode(sha256(coalesce(string_agg(sha256(g.hashes), ''::bytea ORDER BY g.first), ''::bytea)), 'hex')
    FROM (
        SELECT get_byte(h.hash, 0) AS first, count(*) AS lines, string_agg(h.hash, ''::bytea ORDER BY h.hash) AS hashes
        FROM (
            SELECT sha256(convert_to(json_build_array(side, period, bill_time(call_time), source, call_id, line, kind, account, trunk, currency,
                       trim_scale(before)::text, trim_scale(after)::text, trim_scale(delta)::text, stands, direction, dst_country, disposition,
                       trim_scale(billsec)::text, trim_scale(billed_sec)::text, trim_scale(rate)::text, deck)::text, 'UTF8')) AS hash
            FROM bill_line
            WHERE side = for_side AND period = of_period
        ) h
        GROUP BY 1
    ) g
$$;
COMMENT ON FUNCTION bill_digest IS 'How many lines a period has now, and their SHA-256 in hex, whatever their order: see docs/billing.md, "Proof for an auditor".';

CREATE FUNCTION period_digest(side text, name text, tz text, from_at timestamptz, to_at timestamptz, not_before timestamptz, closed_at timestamptz,
    lines bigint, lines_digest text, previous_digest text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(json_build_array(side, name, tz, bill_time(from_at), bill_time(to_at), bill_time(not_before), bill_time(closed_at),
        lines, lines_digest, previous_digest)::text, 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION period_digest IS 'SHA-256 in hex of a row of table period: see docs/billing.md, "Proof for an auditor".';

ALTER TABLE period ADD lines_digest text, ADD previous_digest text;
COMMENT ON COLUMN period.lines_digest IS 'SHA-256 of these rows in hex, as function bill_digest computes it: shows whether one was changed, removed or added since.';
COMMENT ON COLUMN period.previous_digest IS 'digest of the period of this side that was closed before this one; null: this is the first.';
COMMENT ON COLUMN period.digest IS 'SHA-256 in hex of the other columns, as function period_digest computes it. It holds those of all earlier periods of the side.';

-- Periods that are closed get their digests in the order in which they were closed,
-- if their lines are still those that were written. Else the old sum stays, which
-- no line can match, so that `period verify` goes on to name the period.
ALTER TABLE period DISABLE TRIGGER period_stays;
-- +goose StatementBegin
DO $$
DECLARE
    p      period;
    past   period;
    now    record;
BEGIN
    FOR p IN SELECT * FROM period ORDER BY side, to_at LOOP
        SELECT count(*) AS lines, coalesce(sum(('x' || encode(substr(sha256(convert_to(
               ROW(l.side, l.period, l.source, l.call_id, l.line, l.kind, l.account, l.trunk, l.currency, l.before, l.after, l.delta, l.stands,
                   (extract(epoch FROM l.call_time) * 1000000)::bigint, l.direction, l.dst_country, l.disposition, l.billsec, l.billed_sec, l.rate, l.deck)::text,
               'UTF8')), 1, 8), 'hex'))::bit(64)::bigint), 0)::text AS old INTO now
        FROM bill_line l WHERE l.side = p.side AND l.period = p.name;
        p.previous_digest := CASE WHEN past.side = p.side THEN past.digest END;
        p.lines_digest := CASE WHEN now.old = p.digest AND now.lines = p.lines THEN (SELECT d.digest FROM bill_digest(p.side, p.name) d) ELSE p.digest END;
        p.digest := period_digest(p.side, p.name, p.tz, p.from_at, p.to_at, p.not_before, p.closed_at, p.lines, p.lines_digest, p.previous_digest);
        UPDATE period SET lines_digest = p.lines_digest, previous_digest = p.previous_digest, digest = p.digest WHERE side = p.side AND name = p.name;
        past := p;
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE period ENABLE TRIGGER period_stays;
ALTER TABLE period ALTER lines_digest SET NOT NULL;

COMMENT ON COLUMN bill_line.stands IS 'Whether the call is billed after this line, with whatever amount; false: taken back from this account, trunk and currency.';
COMMENT ON COLUMN bill_line.before IS 'What lines before this one had billed for the call; an amount other than 0 at this account, trunk and currency. Null: nothing, or a call without amount.';

-- Only an amount other than 0 has an account, a trunk and a currency. A call of 0,
-- or without amount, that is of another one now changes nothing that is billed.
CREATE OR REPLACE FUNCTION bill_pending(for_side text, into_period text, from_at timestamptz, to_at timestamptz, not_before timestamptz)
RETURNS SETOF bill_line
LANGUAGE sql STABLE AS $$
    SELECT for_side, into_period, coalesce(c.source, b.source), coalesce(c.call_id, b.call_id), coalesce(b.line, 0) + l.step,
           CASE WHEN b.call_id IS NULL AND c.call_time >= bill_pending.from_at THEN 'call' ELSE 'adjustment' END,
           l.account, l.trunk, l.currency, l.before, l.after,
           CASE WHEN l.before IS NULL AND l.after IS NULL THEN NULL ELSE coalesce(l.after, 0) - coalesce(l.before, 0) END,
           l.stands, l.call_time, l.direction, l.dst_country, l.disposition, l.billsec, l.billed_sec, l.rate, l.deck
    FROM (SELECT * FROM bill_call WHERE side = for_side) c
    FULL JOIN (
        SELECT DISTINCT ON (source, call_id) * FROM bill_line WHERE side = for_side ORDER BY source, call_id, line DESC
    ) b ON c.source = b.source AND c.call_id = b.call_id
    CROSS JOIN LATERAL (
        SELECT coalesce(b.stands AND b.after IS NOT NULL AND b.currency IS NOT NULL AND c.no_number, false) AS erased
    ) e
    CROSS JOIN LATERAL (
        SELECT coalesce(b.stands, false) AND NOT e.erased AND (
            c.call_id IS NULL OR coalesce(b.after, 0) <> 0 AND coalesce(c.amount, 0) <> 0
            AND (c.account IS DISTINCT FROM b.account OR c.trunk IS DISTINCT FROM b.trunk OR c.currency IS DISTINCT FROM b.currency)) AS leaves
    ) m
    CROSS JOIN LATERAL (
        SELECT coalesce(b.stands, false) AND NOT m.leaves AS stays, coalesce(b.stands AND NOT m.leaves AND b.after <> 0, false) AS there
    ) s
    CROSS JOIN LATERAL (
        -- What was billed is taken back as it was billed,
        SELECT 1 AS step, b.account, b.trunk, b.currency, b.after AS before, NULL::numeric AS after, false AS stands,
               b.call_time, b.direction, b.dst_country, b.disposition, b.billsec, b.billed_sec, b.rate, b.deck
        WHERE m.leaves
        UNION ALL
        -- and the call as it is now is added, or changes in its place.
        SELECT CASE WHEN m.leaves THEN 2 ELSE 1 END, CASE WHEN s.there THEN b.account ELSE c.account END,
               CASE WHEN s.there THEN b.trunk ELSE c.trunk END, CASE WHEN s.there THEN b.currency ELSE c.currency END,
               CASE WHEN s.stays THEN b.after END, c.amount, true,
               c.call_time, c.direction, c.dst_country, c.disposition, c.billsec, c.billed_sec, c.rate, c.deck
        WHERE c.call_id IS NOT NULL AND NOT e.erased AND CASE
            WHEN s.stays THEN c.amount IS DISTINCT FROM b.after
            WHEN b.call_id IS NOT NULL THEN true
            ELSE c.call_time < bill_pending.to_at AND (bill_pending.not_before IS NULL OR c.call_time >= bill_pending.not_before)
        END
    ) l
$$;
COMMENT ON FUNCTION bill_pending IS 'The lines that closing a period from from_at up to to_at would write now, for one side: calls before to_at that were never billed (before from_at: as adjustments; before not_before: never; null: all), and every difference between the calls that were billed and what they are now. A call whose number was erased since it was billed stays as it was billed. An amount of 0 has no account, trunk and currency: where nothing else changes there is no line.';

-- +goose Down
CREATE OR REPLACE FUNCTION bill_pending(for_side text, into_period text, from_at timestamptz, to_at timestamptz, not_before timestamptz)
RETURNS SETOF bill_line
LANGUAGE sql STABLE AS $$
    SELECT for_side, into_period, coalesce(c.source, b.source), coalesce(c.call_id, b.call_id), coalesce(b.line, 0) + l.step,
           CASE WHEN b.call_id IS NULL AND c.call_time >= bill_pending.from_at THEN 'call' ELSE 'adjustment' END,
           l.account, l.trunk, l.currency, l.before, l.after,
           CASE WHEN l.before IS NULL AND l.after IS NULL THEN NULL ELSE coalesce(l.after, 0) - coalesce(l.before, 0) END,
           l.stands, l.call_time, l.direction, l.dst_country, l.disposition, l.billsec, l.billed_sec, l.rate, l.deck
    FROM (SELECT * FROM bill_call WHERE side = for_side) c
    FULL JOIN (
        SELECT DISTINCT ON (source, call_id) * FROM bill_line WHERE side = for_side ORDER BY source, call_id, line DESC
    ) b ON c.source = b.source AND c.call_id = b.call_id
    CROSS JOIN LATERAL (
        SELECT coalesce(b.stands AND b.after IS NOT NULL AND b.currency IS NOT NULL AND c.no_number, false) AS erased
    ) e
    CROSS JOIN LATERAL (
        SELECT coalesce(b.stands, false) AND NOT e.erased AND (
            c.call_id IS NULL OR c.account IS DISTINCT FROM b.account OR c.trunk IS DISTINCT FROM b.trunk
            OR c.amount IS NOT NULL AND b.after IS NOT NULL AND c.currency IS DISTINCT FROM b.currency) AS leaves
    ) m
    CROSS JOIN LATERAL (SELECT coalesce(b.stands, false) AND NOT m.leaves AS stays) s
    CROSS JOIN LATERAL (
        -- What was billed is taken back as it was billed,
        SELECT 1 AS step, b.account, b.trunk, b.currency, b.after AS before, NULL::numeric AS after, false AS stands,
               b.call_time, b.direction, b.dst_country, b.disposition, b.billsec, b.billed_sec, b.rate, b.deck
        WHERE m.leaves
        UNION ALL
        -- and the call as it is now is added, or changes in its place.
        SELECT CASE WHEN m.leaves THEN 2 ELSE 1 END, c.account, c.trunk, CASE WHEN s.stays AND c.amount IS NULL THEN b.currency ELSE c.currency END,
               CASE WHEN s.stays THEN b.after END, c.amount, true,
               c.call_time, c.direction, c.dst_country, c.disposition, c.billsec, c.billed_sec, c.rate, c.deck
        WHERE c.call_id IS NOT NULL AND NOT e.erased AND CASE
            WHEN s.stays THEN c.amount IS DISTINCT FROM b.after
            WHEN b.call_id IS NOT NULL THEN true
            ELSE c.call_time < bill_pending.to_at AND (bill_pending.not_before IS NULL OR c.call_time >= bill_pending.not_before)
        END
    ) l
$$;
COMMENT ON FUNCTION bill_pending IS 'The lines that closing a period from from_at up to to_at would write now, for one side: calls before to_at that were never billed (before from_at: as adjustments; before not_before: never; null: all), and every difference between the calls that were billed and what they are now. A call whose number was erased since it was billed stays as it was billed.';
COMMENT ON COLUMN bill_line.stands IS 'Whether the call stands at this account and trunk after this line; false: taken back from there.';
COMMENT ON COLUMN bill_line.before IS 'What lines before this one had billed for the call at this account, trunk and currency; null: nothing, or a call without amount.';

ALTER TABLE period DISABLE TRIGGER period_stays;
UPDATE period p SET digest = CASE
    WHEN (SELECT d.lines = p.lines AND d.digest = p.lines_digest FROM bill_digest(p.side, p.name) d)
    THEN (SELECT coalesce(sum(('x' || encode(substr(sha256(convert_to(
               ROW(l.side, l.period, l.source, l.call_id, l.line, l.kind, l.account, l.trunk, l.currency, l.before, l.after, l.delta, l.stands,
                   (extract(epoch FROM l.call_time) * 1000000)::bigint, l.direction, l.dst_country, l.disposition, l.billsec, l.billed_sec, l.rate, l.deck)::text,
               'UTF8')), 1, 8), 'hex'))::bit(64)::bigint), 0)::text
        FROM bill_line l WHERE l.side = p.side AND l.period = p.name)
    ELSE p.lines_digest END;
ALTER TABLE period ENABLE TRIGGER period_stays;
COMMENT ON COLUMN period.digest IS 'Digest of these rows, whatever their order: shows whether one was changed, removed or added since.';
ALTER TABLE period DROP lines_digest, DROP previous_digest;
DROP FUNCTION period_digest, bill_digest, bill_time;
