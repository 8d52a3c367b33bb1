-- +goose Up

-- Closed billing periods. What a close writes is never changed again: what comes
-- late or is corrected becomes lines of the next period.

CREATE TABLE period (
    side       text        NOT NULL CHECK (side IN ('cost', 'price')),
    name       text        NOT NULL,
    tz         text        NOT NULL,
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL CHECK (to_at > from_at),
    not_before timestamptz,
    closed_at  timestamptz NOT NULL,
    lines      bigint      NOT NULL,
    digest     text        NOT NULL,
    PRIMARY KEY (side, name)
);
COMMENT ON TABLE period IS 'Closed billing periods. Rows are added, in the order of time for each side, and never changed.';
COMMENT ON COLUMN period.side IS 'cost: what the providers charge (cdr.cost). price: what we charge (rated_cdr.price).';
COMMENT ON COLUMN period.name IS 'A month like 2026-10 or a day like 2026-10-05.';
COMMENT ON COLUMN period.tz IS 'Time zone in which that month or day is meant.';
COMMENT ON COLUMN period.from_at IS 'First moment of the period, UTC. A call belongs to it by its call_time.';
COMMENT ON COLUMN period.to_at IS 'First moment after the period, UTC.';
COMMENT ON COLUMN period.not_before IS 'Calls before this moment, UTC, are never billed on this side, as the first close has said; null: all are.';
COMMENT ON COLUMN period.closed_at IS 'When it was closed, UTC, by the database''s clock.';
COMMENT ON COLUMN period.lines IS 'Rows of bill_line that closing it wrote.';
COMMENT ON COLUMN period.digest IS 'Digest of these rows, whatever their order: shows whether one was changed, removed or added since.';

-- Without this somebody could reopen a period by a slip of the hand. bill_line
-- can have no trigger, as Citus distributes it: it is guarded by the digest.
-- +goose StatementBegin
CREATE FUNCTION period_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'closed periods are never changed or deleted' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION period_refuse IS 'Refuses UPDATE, DELETE and TRUNCATE of table period.';
CREATE TRIGGER period_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON period FOR EACH STATEMENT EXECUTE FUNCTION period_refuse();

CREATE TABLE bill_line (
    side        text        NOT NULL CHECK (side IN ('cost', 'price')),
    period      text        NOT NULL,
    source      text        NOT NULL,
    call_id     text        NOT NULL,
    line        integer     NOT NULL CHECK (line > 0),
    kind        text        NOT NULL CHECK (kind IN ('call', 'adjustment')),
    account     text,
    trunk       text,
    currency    text,
    before      numeric,
    after       numeric,
    delta       numeric,
    stands      boolean     NOT NULL,
    call_time   timestamptz NOT NULL,
    direction   text,
    dst_country text,
    disposition text        NOT NULL,
    billsec     numeric,
    billed_sec  numeric,
    rate        numeric,
    deck        text,
    PRIMARY KEY (side, source, call_id, line),
    CHECK (delta IS NOT DISTINCT FROM CASE WHEN before IS NULL AND after IS NULL THEN NULL ELSE coalesce(after, 0) - coalesce(before, 0) END),
    CHECK (stands OR after IS NULL)
);
COMMENT ON TABLE bill_line IS 'Lines of closed periods, written once by `cdrstore period close` and never changed. They hold no phone number but what is in account, trunk or call_id.';
COMMENT ON COLUMN bill_line.side IS 'cost or price, see period.side.';
COMMENT ON COLUMN bill_line.period IS 'The period that it is billed in, period.name; that of an adjustment is later than its call.';
COMMENT ON COLUMN bill_line.source IS 'Who reported the call.';
COMMENT ON COLUMN bill_line.call_id IS 'The provider''s id of the call.';
COMMENT ON COLUMN bill_line.line IS 'Counts the lines of a call on one side, from 1.';
COMMENT ON COLUMN bill_line.kind IS 'call: a call of the period, billed for the first time. adjustment: a call that comes late, or what has changed in one that was billed.';
COMMENT ON COLUMN bill_line.account IS 'The provider''s account or application; null: not said.';
COMMENT ON COLUMN bill_line.trunk IS 'The customer''s label or address of the trunk; null: not said.';
COMMENT ON COLUMN bill_line.currency IS 'ISO 4217 code of the amounts; null: not known.';
COMMENT ON COLUMN bill_line.before IS 'What lines before this one had billed for the call at this account, trunk and currency; null: nothing, or a call without amount.';
COMMENT ON COLUMN bill_line.after IS 'What is billed for it from this line on; null: the amount is not known, or the call was taken back (see stands).';
COMMENT ON COLUMN bill_line.delta IS 'after - before, a missing one as 0; null where both are null: a line without amount. The sum of it is what is billed.';
COMMENT ON COLUMN bill_line.stands IS 'Whether the call stands at this account and trunk after this line; false: taken back from there.';
COMMENT ON COLUMN bill_line.call_time IS 'Start of the call, else ringing, answer, end, first receipt, UTC.';
COMMENT ON COLUMN bill_line.direction IS 'inbound, outbound or internal; null: not said.';
COMMENT ON COLUMN bill_line.dst_country IS 'ISO 3166 code of the called number; null: not certain.';
COMMENT ON COLUMN bill_line.disposition IS 'How the call came out.';
COMMENT ON COLUMN bill_line.billsec IS 'Seconds from answer to end; null: not known.';
COMMENT ON COLUMN bill_line.billed_sec IS 'Seconds after rounding up. cost: what the provider charged, else by its increments; price: by those of the rate. Null: not known.';
COMMENT ON COLUMN bill_line.rate IS 'Price per minute. cost: as the provider sent it; price: of the rate. Null: not known.';
COMMENT ON COLUMN bill_line.deck IS 'price: the price list; null on the side cost.';

-- In the order of a report, which must not depend on the language of the server.
CREATE INDEX bill_line_by_period ON bill_line (side, period, call_time, source COLLATE "C", call_id COLLATE "C", line);

CREATE VIEW bill_call AS
SELECT 'cost' AS side, source, call_id, account, trunk, currency, cost AS amount, call_time, direction, dst_country, disposition, billsec,
       coalesce(charged_sec, billed_seconds(billsec, first_increment, next_increment)) AS billed_sec, rate, NULL::text AS deck,
       false AS no_number
FROM cdr
UNION ALL
SELECT 'price', source, call_id, account, trunk, price_currency, price, call_time, direction, dst_country, disposition, billsec,
       billed_sec, price_per_minute, deck, dst IS NULL AND dst_e164 IS NULL
FROM rated_cdr;
COMMENT ON VIEW bill_call IS 'What each ended call would be billed at now: two rows per call, one of each side. Read it with a condition on side.';
COMMENT ON COLUMN bill_call.side IS 'cost or price, see period.side.';
COMMENT ON COLUMN bill_call.source IS 'Who reported the call.';
COMMENT ON COLUMN bill_call.call_id IS 'The provider''s id of the call.';
COMMENT ON COLUMN bill_call.account IS 'The provider''s account or application; null: not said.';
COMMENT ON COLUMN bill_call.trunk IS 'The customer''s label or address of the trunk; null: not said.';
COMMENT ON COLUMN bill_call.currency IS 'ISO 4217 code of amount; null: not known.';
COMMENT ON COLUMN bill_call.amount IS 'cost: what the provider charged; price: what the rates say. Null: not known.';
COMMENT ON COLUMN bill_call.call_time IS 'As cdr.call_time, UTC.';
COMMENT ON COLUMN bill_call.direction IS 'As cdr.direction; null: not said.';
COMMENT ON COLUMN bill_call.dst_country IS 'As cdr.dst_country; null: not certain.';
COMMENT ON COLUMN bill_call.disposition IS 'As cdr.disposition.';
COMMENT ON COLUMN bill_call.billsec IS 'Seconds from answer to end; null: not known.';
COMMENT ON COLUMN bill_call.billed_sec IS 'As bill_line.billed_sec.';
COMMENT ON COLUMN bill_call.rate IS 'As bill_line.rate.';
COMMENT ON COLUMN bill_call.deck IS 'price: the price list; null on the side cost.';
COMMENT ON COLUMN bill_call.no_number IS 'price: whether no called number is there, so that there is no price. Then what was billed for the call stays: erase gives nothing back. False on the side cost.';

-- The state of a call on a side is its account, trunk, currency and amount; the
-- currency of an amount that is not known is none. One pass over all calls and
-- the last lines of all billed ones finds every difference, whatever its cause:
-- a late record, a correction, a rate, a call that is gone. But a call whose number
-- was erased stays as it was billed.
CREATE FUNCTION bill_pending(for_side text, into_period text, from_at timestamptz, to_at timestamptz, not_before timestamptz)
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

CREATE VIEW bill_total AS
SELECT side, period, source, account, trunk, currency,
       count(*) FILTER (WHERE kind = 'call') AS calls,
       count(*) FILTER (WHERE stands AND after IS NULL) AS without_amount,
       count(*) FILTER (WHERE kind = 'adjustment') AS adjustments,
       sum(delta) FILTER (WHERE kind = 'call') AS calls_amount,
       sum(delta) FILTER (WHERE kind = 'adjustment') AS adjustments_amount,
       sum(delta) AS amount
FROM bill_line
GROUP BY side, period, source, account, trunk, currency;
COMMENT ON VIEW bill_total IS 'Totals of the closed periods per source, account, trunk and currency.';
COMMENT ON COLUMN bill_total.side IS 'cost or price, see period.side.';
COMMENT ON COLUMN bill_total.period IS 'period.name.';
COMMENT ON COLUMN bill_total.source IS 'Who reported the calls.';
COMMENT ON COLUMN bill_total.account IS 'The provider''s account or application; null: not said.';
COMMENT ON COLUMN bill_total.trunk IS 'The customer''s label or address of the trunk; null: not said.';
COMMENT ON COLUMN bill_total.currency IS 'ISO 4217 code of the amounts; null: not known. Currencies are never added together.';
COMMENT ON COLUMN bill_total.calls IS 'Calls of the period that were billed for the first time.';
COMMENT ON COLUMN bill_total.without_amount IS 'Lines after which a call stands without amount, because it is not known.';
COMMENT ON COLUMN bill_total.adjustments IS 'Adjustment lines: late calls, and changes of what was billed.';
COMMENT ON COLUMN bill_total.calls_amount IS 'Sum over the calls; null: no amount is known.';
COMMENT ON COLUMN bill_total.adjustments_amount IS 'Sum of delta over the adjustments; null: there is none with an amount.';
COMMENT ON COLUMN bill_total.amount IS 'Sum of delta over all lines: what is to pay; null: no amount is known.';

-- +goose Down
DROP VIEW bill_total;
DROP FUNCTION bill_pending;
DROP VIEW bill_call;
DROP TABLE bill_line, period;
DROP FUNCTION period_refuse;
