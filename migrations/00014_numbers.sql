-- +goose Up

-- Numbers that are not E.164: what they are compared with, and exact rates for
-- short codes and SIP users. Tariffs for a time.

ALTER TABLE source ADD COLUMN calling_code text, ADD COLUMN national_pattern text;
COMMENT ON COLUMN source.calling_code IS 'Calling code of country, without +; null: no country.';
COMMENT ON COLUMN source.national_pattern IS 'Regular expression of the digits that are a national number of country; its group is the number without the trunk prefix. Null: no country.';

ALTER TABLE rate DROP CONSTRAINT rate_prefix_check,
    ADD CONSTRAINT rate_prefix_check CHECK (prefix ~ '^([1-9][0-9]{0,14}|exact:.+)?$');
COMMENT ON COLUMN rate.prefix IS 'Digits that the called number begins with: country code first, no +. Empty: every number of at least 7 digits. The longest match is used. exact:112 matches the number 112 alone, exact:alice the SIP user alice, and comes before every prefix.';
CREATE INDEX rate_exact ON rate (deck) WHERE prefix LIKE 'exact:%';

ALTER TABLE tariff ADD COLUMN valid_from timestamptz NOT NULL DEFAULT '-infinity', ADD COLUMN valid_to timestamptz CHECK (isfinite(valid_to)),
    DROP CONSTRAINT tariff_pkey, ADD CONSTRAINT tariff_pkey PRIMARY KEY (source, account, trunk, direction, valid_from),
    ADD CONSTRAINT tariff_is_valid_for_a_while CHECK (valid_to > valid_from AND valid_from < 'infinity'),
    -- As rate_overlaps.
    ADD CONSTRAINT tariff_overlaps EXCLUDE USING gist (
        int8range(hashtextextended(source, hashtextextended(account, hashtextextended(trunk, hashtextextended(direction, 0)))), hashtextextended(source, hashtextextended(account, hashtextextended(trunk, hashtextextended(direction, 0)))), '[]') WITH &&,
        tstzrange(valid_from, valid_to) WITH &&);
COMMENT ON TABLE tariff IS 'Which deck prices which calls. Of the rows that fit a call and are valid at its call_time the narrowest is used: one that names the trunk before one that does not, then account, then source, then direction. A call that none fits is priced by the deck "default". Two rows for exactly the same calls are never valid at once. A row is for past calls too: closing the next period adjusts those that are billed.';
COMMENT ON COLUMN tariff.valid_from IS 'Inclusive lower bound of call_time, UTC; -infinity: none.';
COMMENT ON COLUMN tariff.valid_to IS 'Exclusive upper bound of call_time, UTC; null: until further notice.';

-- +goose StatementBegin
CREATE FUNCTION number_reading(sent text, calling_code text, national_pattern text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text := btrim((regexp_match(sent, '^\s*(?:[^<]*<)?\s*(?:(?:sips?|tel):)?([^@;>]*)', 'i'))[1]);
    digits text := translate(name, ' -().', '');
    form text := 'digits as sent';
    national text;
BEGIN
    IF digits !~ '^[+]?[0-9]+$' THEN
        RETURN CASE WHEN name <> '' THEN ARRAY['name', name] END;
    END IF;
    IF digits ~ '^([+]|00)' THEN
        form := 'international';
    ELSIF length(digits) >= 7 THEN
        national := calling_code || substring(digits FROM national_pattern);
        IF national IS NOT NULL THEN
            form := 'national';
        END IF;
    END IF;
    national := coalesce(national, regexp_replace(digits, '^([+]|00)', ''));
    IF length(national) < 7 THEN
        RETURN ARRAY['short code', ltrim(digits, '+')];
    ELSIF length(national) > 15 THEN
        RETURN ARRAY['name', digits];
    END IF;
    RETURN ARRAY[form, national];
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION number_reading IS 'How a called number is read that is not certain to be E.164: rated_cdr.number_form and rated_cdr.number. Null: no number.';

CREATE FUNCTION rate_prefixes(exact text, number_form text, number text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN number_form IN ('short code', 'name') THEN ARRAY[exact] ELSE ARRAY[exact,
        substr(number, 1, 0), substr(number, 1, 1), substr(number, 1, 2), substr(number, 1, 3), substr(number, 1, 4), substr(number, 1, 5),
        substr(number, 1, 6), substr(number, 1, 7), substr(number, 1, 8), substr(number, 1, 9), substr(number, 1, 10), substr(number, 1, 11),
        substr(number, 1, 12), substr(number, 1, 13), substr(number, 1, 14), substr(number, 1, 15)] END
$$;
COMMENT ON FUNCTION rate_prefixes IS 'Every rate.prefix that a number can have: exact, and the beginnings of number unless it is a short code or a name.';

CREATE OR REPLACE VIEW rated_cdr AS
SELECT p.source, p.call_id, p.call_time, p.provider, p.account, p.trunk, p.direction,
       p.src, p.dst, p.dst_e164, p.dst_country, p.disposition, p.billsec,
       p.deck, p.prefix, p.connection_fee, p.price_per_minute, p.first_increment, p.next_increment,
       p.billed_sec, p.price, p.price_currency, p.cost, p.currency,
       (CASE WHEN p.price_currency = p.currency THEN p.price - p.cost END)::numeric AS margin,
       p.number, p.number_form,
       (CASE
           WHEN p.price IS NOT NULL THEN NULL
           WHEN p.disposition = 'unknown' THEN 'outcome unknown'
           WHEN p.number IS NULL THEN 'number unknown'
           WHEN p.prefix IS NOT NULL THEN 'talk time unknown'
           WHEN p.no_tariff AND NOT EXISTS (SELECT FROM rate WHERE deck = 'default') THEN 'no tariff'
           WHEN p.number_form IN ('short code', 'name') THEN 'no exact rate'
           ELSE 'no rate'
       END)::text AS unpriced
FROM (
    -- The factor gives the quotient eight more decimals than what is divided
    -- has, so that rounding it gives what rounding the exact quotient would.
    SELECT s.*, (CASE s.disposition
        WHEN 'answered' THEN round((60 * s.connection_fee + s.price_per_minute * s.billed_sec) * 1.00000000 / 60, 6)
        WHEN 'unknown' THEN NULL
        ELSE 0.000000
    END)::numeric AS price
    FROM (
        SELECT c.source, c.call_id, c.call_time, c.provider, c.account, c.trunk, c.direction,
               c.src, c.dst, c.dst_e164, c.dst_country, c.disposition, c.billsec,
               coalesce(t.deck, 'default') AS deck, r.prefix, r.connection_fee, r.price_per_minute,
               r.first_increment, r.next_increment, r.currency AS price_currency, c.cost, c.currency, n.form AS number_form, n.number, t.deck IS NULL AS no_tariff,
               (CASE c.disposition
                   WHEN 'answered' THEN billed_seconds(c.billsec, r.first_increment, r.next_increment)
                   WHEN 'unknown' THEN NULL
                   ELSE 0
               END)::numeric AS billed_sec
        FROM call c
        -- OFFSET 0 lets each number be read once.
        CROSS JOIN LATERAL (
            SELECT coalesce(substr(c.dst_e164, 2), e.reading[2]) AS number, CASE WHEN c.dst_e164 IS NULL THEN e.reading[1] ELSE 'E.164' END AS form,
                   CASE WHEN EXISTS (SELECT FROM rate WHERE prefix LIKE 'exact:%') THEN 'exact:' || coalesce(substr(c.dst_e164, 2), e.reading[2]) END AS exact
            FROM (
                SELECT CASE WHEN c.dst_e164 IS NULL THEN (
                    SELECT number_reading(c.dst, s.calling_code, s.national_pattern) FROM (VALUES (c.source)) v (name) LEFT JOIN source s USING (name)
                ) END AS reading
                OFFSET 0
            ) e
            OFFSET 0
        ) n
        LEFT JOIN LATERAL (
            SELECT t.deck FROM tariff t
            WHERE t.source IN ('', c.source) AND t.account IN ('', c.account)
              AND t.trunk IN ('', c.trunk) AND t.direction IN ('', c.direction)
              AND t.valid_from <= c.call_time AND (t.valid_to IS NULL OR t.valid_to > c.call_time)
            ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC
            LIMIT 1
        ) t ON true
        -- Look-ups by the primary key, and one more where there are exact rates.
        -- Those are longer than every prefix.
        LEFT JOIN LATERAL (
            SELECT r.* FROM rate r
            WHERE r.deck = coalesce(t.deck, 'default')
              AND r.prefix = ANY (rate_prefixes(n.exact, n.form, n.number))
              AND r.valid_from <= c.call_time AND (r.valid_to IS NULL OR r.valid_to > c.call_time)
            ORDER BY length(r.prefix) DESC
            LIMIT 1
        ) r ON true
        WHERE c.state = 'ended'
    ) s
) p;
COMMENT ON COLUMN rated_cdr.dst_e164 IS 'dst with + and country code; null where that is not certain.';
COMMENT ON COLUMN rated_cdr.deck IS 'The price list by table tariff at call_time; "default" where no row of it fits.';
COMMENT ON COLUMN rated_cdr.prefix IS 'Of the rate: the exact match of column number, else its longest prefix in the deck, of the rates valid at call_time; null: none, or number is null.';
COMMENT ON COLUMN rated_cdr.number IS 'What is compared with rate.prefix: digits with the country code first as far as known, or the short code or name that an exact rate can have. Null: no called number.';
COMMENT ON COLUMN rated_cdr.number_form IS 'How number was read. E.164: from dst_e164. Where that is null: international: dst begins with + or 00. national: by the country of the source. digits as sent: without either, so that it may be another number. short code: fewer than 7 digits. name: not digits, such as a SIP user, or more than 15. Null: no called number.';
COMMENT ON COLUMN rated_cdr.unpriced IS 'Why price is null: outcome unknown, number unknown, talk time unknown, no tariff (none fits, and the deck "default" has no rates), no exact rate (a short code or name), no rate. Null: price is known.';

DROP FUNCTION completeness;
-- +goose StatementBegin
CREATE FUNCTION completeness(from_time timestamp, to_time timestamp, tz text)
RETURNS TABLE (source text, provider text, first_receipt timestamptz, last_receipt timestamptz, receipts bigint, duplicates bigint,
    gaps jsonb, quarantined bigint, quarantined_unread bigint, calls bigint, calls_not_ended bigint, calls_without_cdr bigint,
    calls_without_talk bigint, priced_uncertain bigint, unpriced bigint, unpriced_causes jsonb)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
    span record := report_span('completeness', from_time, to_time, tz);
BEGIN
    RETURN QUERY
    WITH receipt AS MATERIALIZED (
        SELECT e.source COLLATE "C" AS source, e.received_at AS at, e.deliveries,
               lag(e.received_at) OVER (PARTITION BY e.source COLLATE "C" ORDER BY e.received_at) AS before
        FROM event e WHERE e.received_at >= span.from_at AND e.received_at < span.to_at
    ), received AS (
        SELECT source, min(at) AS first, max(at) AS last, count(*) AS n, sum(deliveries - 1)::bigint AS again FROM receipt GROUP BY source
    ), bar AS (
        -- The fifth longest silence is no shorter than that of the fifth longest minute: so few need to be sorted.
        SELECT source, (array_agg(longest ORDER BY longest DESC))[5] AS fifth
        FROM (SELECT source, max(at - before) AS longest FROM receipt GROUP BY source, date_trunc('minute', at)) m
        WHERE longest > interval '0' GROUP BY source
    ), silence AS (
        SELECT source, before, at, row_number() OVER (PARTITION BY source ORDER BY at - before DESC, at) AS place
        FROM receipt JOIN bar USING (source) WHERE before < at AND (fifth IS NULL OR at - before >= fifth)
    ), gap AS (
        SELECT source, jsonb_agg(jsonb_build_object('from', to_char(before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'to', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'seconds', round(extract(epoch FROM at - before)::numeric, 3)) ORDER BY place) AS gaps
        FROM silence WHERE place <= 5 GROUP BY source
    ), aside AS (
        SELECT source, count(*) AS n, count(*) FILTER (WHERE replayed_at IS NULL) AS unread
        FROM quarantine WHERE received_at >= span.from_at AND received_at < span.to_at GROUP BY source
    ), called AS (
        SELECT source, max(provider) AS provider, count(*) AS n, count(*) FILTER (WHERE state <> 'ended') AS living,
               count(*) FILTER (WHERE state = 'ended' AND cdrs = 0) AS bare,
               count(*) FILTER (WHERE disposition = 'answered' AND billsec IS NULL) AS untimed
        FROM call WHERE call_time >= span.from_at AND call_time < span.to_at GROUP BY source
    ), rated AS MATERIALIZED (
        -- Calls that nobody answered are free. Without rates nothing is priced.
        SELECT r.source, r.unpriced AS cause, count(*) AS n, count(*) FILTER (WHERE r.number_form IN ('national', 'digits as sent')) AS uncertain
        FROM rated_cdr r
        WHERE r.call_time >= span.from_at AND r.call_time < span.to_at AND r.disposition IN ('answered', 'unknown')
          AND EXISTS (SELECT FROM rate)
        GROUP BY r.source, r.unpriced
    ), priced AS (
        SELECT source, coalesce(sum(uncertain) FILTER (WHERE cause IS NULL), 0)::bigint AS uncertain, coalesce(sum(n) FILTER (WHERE cause IS NOT NULL), 0)::bigint AS missing,
               jsonb_agg(jsonb_build_object('cause', cause, 'calls', n) ORDER BY n DESC, cause) FILTER (WHERE cause IS NOT NULL) AS causes
        FROM rated GROUP BY source
    ), named AS (
        SELECT name AS source FROM source UNION SELECT source FROM received UNION SELECT source FROM aside UNION SELECT source FROM called
    )
    SELECT k.source, coalesce(s.provider, c.provider), r.first, r.last, coalesce(r.n, 0), coalesce(r.again, 0), g.gaps,
           coalesce(a.n, 0), coalesce(a.unread, 0), coalesce(c.n, 0), coalesce(c.living, 0), coalesce(c.bare, 0),
           coalesce(c.untimed, 0), coalesce(p.uncertain, u.none), coalesce(p.missing, u.none), p.causes
    FROM named k
    LEFT JOIN source s ON s.name = k.source
    LEFT JOIN received r ON r.source = k.source
    LEFT JOIN gap g ON g.source = k.source
    LEFT JOIN aside a ON a.source = k.source
    LEFT JOIN called c ON c.source = k.source
    LEFT JOIN priced p ON p.source = k.source
    CROSS JOIN (SELECT CASE WHEN EXISTS (SELECT FROM rate) THEN 0::bigint END AS none) u
    ORDER BY k.source;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION completeness IS 'What may be missing, per source, from from_time up to but not including to_time, wall clock times of zone tz. Every configured source has a row, also one that sent nothing.
provider: null where the source is neither configured nor has calls in the span. first_receipt, last_receipt: of a new event, UTC; null: none. receipts: events first received in the span, CDRs and live events alike. duplicates: how often these came again, by now, and were absorbed. gaps: the five longest silences between receipts, longest first, as [{"from": moment, "to": moment, "seconds": n}], UTC; null: fewer than two receipts; mind the silence before first_receipt and after last_receipt too. quarantined: pieces first received in the span that could not be read; quarantined_unread: that still cannot. calls: calls whose call_time lies in the span, ended or not; calls_not_ended: of these, still without an end; calls_without_cdr: of these, ended without any CDR (VoipNow never sends one). calls_without_talk: of these, answered for a time that is not known.
priced_uncertain: of these, answered and priced by a number that may be another: rated_cdr.number_form is national or digits as sent. unpriced: of these, ended and without a price, which every sum of prices leaves out; those that were not answered have the price 0. unpriced_causes: rated_cdr.unpriced of these, as [{"cause": text, "calls": n}], most first; null: there are none. All three are null where table rate is empty.';

-- +goose Down
DROP FUNCTION completeness;
-- +goose StatementBegin
CREATE FUNCTION completeness(from_time timestamp, to_time timestamp, tz text)
RETURNS TABLE (source text, provider text, first_receipt timestamptz, last_receipt timestamptz, receipts bigint, duplicates bigint,
    gaps jsonb, quarantined bigint, quarantined_unread bigint, calls bigint, calls_not_ended bigint, calls_without_cdr bigint)
LANGUAGE plpgsql STABLE
SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
    span record := report_span('completeness', from_time, to_time, tz);
BEGIN
    RETURN QUERY
    WITH receipt AS MATERIALIZED (
        SELECT e.source COLLATE "C" AS source, e.received_at AS at, e.deliveries,
               lag(e.received_at) OVER (PARTITION BY e.source COLLATE "C" ORDER BY e.received_at) AS before
        FROM event e WHERE e.received_at >= span.from_at AND e.received_at < span.to_at
    ), received AS (
        SELECT source, min(at) AS first, max(at) AS last, count(*) AS n, sum(deliveries - 1)::bigint AS again FROM receipt GROUP BY source
    ), bar AS (
        -- The fifth longest silence is no shorter than that of the fifth longest minute: so few need to be sorted.
        SELECT source, (array_agg(longest ORDER BY longest DESC))[5] AS fifth
        FROM (SELECT source, max(at - before) AS longest FROM receipt GROUP BY source, date_trunc('minute', at)) m
        WHERE longest > interval '0' GROUP BY source
    ), silence AS (
        SELECT source, before, at, row_number() OVER (PARTITION BY source ORDER BY at - before DESC, at) AS place
        FROM receipt JOIN bar USING (source) WHERE before < at AND (fifth IS NULL OR at - before >= fifth)
    ), gap AS (
        SELECT source, jsonb_agg(jsonb_build_object('from', to_char(before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'to', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'seconds', round(extract(epoch FROM at - before)::numeric, 3)) ORDER BY place) AS gaps
        FROM silence WHERE place <= 5 GROUP BY source
    ), aside AS (
        SELECT source, count(*) AS n, count(*) FILTER (WHERE replayed_at IS NULL) AS unread
        FROM quarantine WHERE received_at >= span.from_at AND received_at < span.to_at GROUP BY source
    ), called AS (
        SELECT source, max(provider) AS provider, count(*) AS n, count(*) FILTER (WHERE state <> 'ended') AS living,
               count(*) FILTER (WHERE state = 'ended' AND cdrs = 0) AS bare
        FROM call WHERE call_time >= span.from_at AND call_time < span.to_at GROUP BY source
    ), named AS (
        SELECT name AS source FROM source UNION SELECT source FROM received UNION SELECT source FROM aside UNION SELECT source FROM called
    )
    SELECT k.source, coalesce(s.provider, c.provider), r.first, r.last, coalesce(r.n, 0), coalesce(r.again, 0), g.gaps,
           coalesce(a.n, 0), coalesce(a.unread, 0), coalesce(c.n, 0), coalesce(c.living, 0), coalesce(c.bare, 0)
    FROM named k
    LEFT JOIN source s ON s.name = k.source
    LEFT JOIN received r ON r.source = k.source
    LEFT JOIN gap g ON g.source = k.source
    LEFT JOIN aside a ON a.source = k.source
    LEFT JOIN called c ON c.source = k.source
    ORDER BY k.source;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION completeness IS 'What may be missing, per source, from from_time up to but not including to_time, wall clock times of zone tz. Every configured source has a row, also one that sent nothing.
provider: null where the source is neither configured nor has calls in the span. first_receipt, last_receipt: of a new event, UTC; null: none. receipts: events first received in the span, CDRs and live events alike. duplicates: how often these came again, by now, and were absorbed. gaps: the five longest silences between receipts, longest first, as [{"from": moment, "to": moment, "seconds": n}], UTC; null: fewer than two receipts; mind the silence before first_receipt and after last_receipt too. quarantined: pieces first received in the span that could not be read; quarantined_unread: that still cannot. calls: calls whose call_time lies in the span, ended or not; calls_not_ended: of these, still without an end; calls_without_cdr: of these, ended without any CDR (VoipNow never sends one).';

DROP VIEW bill_call;
DROP VIEW rated_cdr;
CREATE VIEW rated_cdr AS
SELECT p.source, p.call_id, p.call_time, p.provider, p.account, p.trunk, p.direction,
       p.src, p.dst, p.dst_e164, p.dst_country, p.disposition, p.billsec,
       p.deck, p.prefix, p.connection_fee, p.price_per_minute, p.first_increment, p.next_increment,
       p.billed_sec, p.price, p.price_currency, p.cost, p.currency,
       (CASE WHEN p.price_currency = p.currency THEN p.price - p.cost END)::numeric AS margin
FROM (
    -- The factor gives the quotient eight more decimals than what is divided
    -- has, so that rounding it gives what rounding the exact quotient would.
    SELECT s.*, (CASE s.disposition
        WHEN 'answered' THEN round((60 * s.connection_fee + s.price_per_minute * s.billed_sec) * 1.00000000 / 60, 6)
        WHEN 'unknown' THEN NULL
        ELSE 0.000000
    END)::numeric AS price
    FROM (
        SELECT c.source, c.call_id, c.call_time, c.provider, c.account, c.trunk, c.direction,
               c.src, c.dst, c.dst_e164, c.dst_country, c.disposition, c.billsec,
               coalesce(t.deck, 'default') AS deck, r.prefix, r.connection_fee, r.price_per_minute,
               r.first_increment, r.next_increment, r.currency AS price_currency, c.cost, c.currency,
               (CASE c.disposition
                   WHEN 'answered' THEN billed_seconds(c.billsec, r.first_increment, r.next_increment)
                   WHEN 'unknown' THEN NULL
                   ELSE 0
               END)::numeric AS billed_sec
        FROM call c
        LEFT JOIN LATERAL (
            SELECT t.deck FROM tariff t
            WHERE t.source IN ('', c.source) AND t.account IN ('', c.account)
              AND t.trunk IN ('', c.trunk) AND t.direction IN ('', c.direction)
            ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC
            LIMIT 1
        ) t ON true
        -- Sixteen look-ups by the primary key: every prefix that the number,
        -- which begins with +, can have.
        LEFT JOIN LATERAL (
            SELECT r.* FROM rate r
            WHERE r.deck = coalesce(t.deck, 'default')
              AND r.prefix = ANY (ARRAY[
                  substr(c.dst_e164, 2, 0), substr(c.dst_e164, 2, 1), substr(c.dst_e164, 2, 2), substr(c.dst_e164, 2, 3),
                  substr(c.dst_e164, 2, 4), substr(c.dst_e164, 2, 5), substr(c.dst_e164, 2, 6), substr(c.dst_e164, 2, 7),
                  substr(c.dst_e164, 2, 8), substr(c.dst_e164, 2, 9), substr(c.dst_e164, 2, 10), substr(c.dst_e164, 2, 11),
                  substr(c.dst_e164, 2, 12), substr(c.dst_e164, 2, 13), substr(c.dst_e164, 2, 14), substr(c.dst_e164, 2, 15)])
              AND r.valid_from <= c.call_time AND (r.valid_to IS NULL OR r.valid_to > c.call_time)
            ORDER BY length(r.prefix) DESC
            LIMIT 1
        ) r ON true
        WHERE c.state = 'ended'
    ) s
) p;
COMMENT ON VIEW rated_cdr IS 'One row per ended call: what we charge for it by tables rate and tariff, beside what the provider charged. Inbound calls too are priced by the called number.';
COMMENT ON COLUMN rated_cdr.source IS 'Who reported it.';
COMMENT ON COLUMN rated_cdr.call_id IS 'The provider''s id of the call.';
COMMENT ON COLUMN rated_cdr.call_time IS 'Start, else ringing, answer, end, first receipt, UTC. The rate that is valid at this time counts.';
COMMENT ON COLUMN rated_cdr.provider IS 'didww, didlogic, voipnow, piopiy or wavix.';
COMMENT ON COLUMN rated_cdr.account IS 'The provider''s account or application; null: not said.';
COMMENT ON COLUMN rated_cdr.trunk IS 'The customer''s label or address of the trunk; null: not said.';
COMMENT ON COLUMN rated_cdr.direction IS 'inbound, outbound or internal, seen from the customer; null: not said.';
COMMENT ON COLUMN rated_cdr.src IS 'Caller, as sent.';
COMMENT ON COLUMN rated_cdr.dst IS 'Called, as sent.';
COMMENT ON COLUMN rated_cdr.dst_e164 IS 'dst with + and country code; null where that is not certain. Prefixes are compared with its digits.';
COMMENT ON COLUMN rated_cdr.dst_country IS 'ISO 3166 code of dst_e164; null where the number belongs to no country.';
COMMENT ON COLUMN rated_cdr.disposition IS 'How the call came out; unknown when nobody said.';
COMMENT ON COLUMN rated_cdr.billsec IS 'Seconds from answer to end; null: not known.';
COMMENT ON COLUMN rated_cdr.deck IS 'The price list by table tariff; "default" where no row of it fits.';
COMMENT ON COLUMN rated_cdr.prefix IS 'The longest prefix of the deck that the called number begins with, of those valid at call_time; null: none, or the number is not known.';
COMMENT ON COLUMN rated_cdr.connection_fee IS 'Of the rate: price of an answer, in price_currency; null: no rate.';
COMMENT ON COLUMN rated_cdr.price_per_minute IS 'Of the rate: price of 60 billed seconds, in price_currency; null: no rate.';
COMMENT ON COLUMN rated_cdr.first_increment IS 'Of our rate, not the provider''s: seconds billed at least; null: no rate.';
COMMENT ON COLUMN rated_cdr.next_increment IS 'Of our rate, not the provider''s: seconds by which it is billed after that; null: no rate.';
COMMENT ON COLUMN rated_cdr.billed_sec IS 'Seconds that we bill: billsec by the increments; 0 when not answered; null: no rate, billsec is not known, or nobody said whether it was answered.';
COMMENT ON COLUMN rated_cdr.price IS 'What we charge, in price_currency: connection_fee + price_per_minute * billed_sec / 60, rounded half up to 6 decimals; 0 when not answered; null where billed_sec is null.';
COMMENT ON COLUMN rated_cdr.price_currency IS 'ISO 4217 code of price; null: no rate.';
COMMENT ON COLUMN rated_cdr.cost IS 'What the provider charged, as sent, in currency; null: not said.';
COMMENT ON COLUMN rated_cdr.currency IS 'ISO 4217 code of cost; null: not known.';
COMMENT ON COLUMN rated_cdr.margin IS 'price - cost, in their currency; null where one is not known or the currencies differ.';

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

DROP FUNCTION number_reading, rate_prefixes;
ALTER TABLE source DROP COLUMN calling_code, DROP COLUMN national_pattern;

-- Exact rates cannot be kept, and of tariffs for the same calls only the one
-- that is valid last.
DROP INDEX rate_exact;
DELETE FROM rate WHERE prefix LIKE 'exact:%';
ALTER TABLE rate DROP CONSTRAINT rate_prefix_check,
    ADD CONSTRAINT rate_prefix_check CHECK (prefix ~ '^([1-9][0-9]{0,14})?$');
COMMENT ON COLUMN rate.prefix IS 'Digits that the called number begins with: country code first, no +. Empty: every known number. The longest that fits counts.';
DELETE FROM tariff t WHERE EXISTS (
    SELECT FROM tariff o WHERE (o.source, o.account, o.trunk, o.direction) = (t.source, t.account, t.trunk, t.direction) AND o.valid_from > t.valid_from);
ALTER TABLE tariff DROP CONSTRAINT tariff_overlaps, DROP CONSTRAINT tariff_is_valid_for_a_while, DROP CONSTRAINT tariff_pkey,
    ADD CONSTRAINT tariff_pkey PRIMARY KEY (source, account, trunk, direction),
    DROP COLUMN valid_from, DROP COLUMN valid_to;
COMMENT ON TABLE tariff IS 'Which deck prices which calls. Of the rows that fit a call the narrowest counts: one that names the trunk before one that does not, then account, then source, then direction. A call that none fits is priced by the deck "default". It is for past calls too: closing the next period adjusts those that are billed.';
