-- +goose Up

CREATE TABLE rate (
    deck             text        NOT NULL CHECK (deck <> ''),
    prefix           text        NOT NULL CHECK (prefix ~ '^([1-9][0-9]{0,14})?$'),
    valid_from       timestamptz NOT NULL CHECK (isfinite(valid_from)),
    valid_to         timestamptz CHECK (isfinite(valid_to)),
    price_per_minute numeric     NOT NULL CHECK (price_per_minute >= 0 AND price_per_minute < 1e9),
    connection_fee   numeric     NOT NULL DEFAULT 0 CHECK (connection_fee >= 0 AND connection_fee < 1e9),
    first_increment  integer     NOT NULL DEFAULT 1 CHECK (first_increment >= 0),
    next_increment   integer     NOT NULL DEFAULT 1 CHECK (next_increment > 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    description      text,
    PRIMARY KEY (deck, prefix, valid_from),
    CONSTRAINT rate_is_valid_for_a_while CHECK (valid_to > valid_from),
    -- Two rates of one deck and prefix are never valid at once. GiST compares
    -- no text without an extension, but ranges: deck and prefix go in as the
    -- range of one hash. Two that share a hash and a time would be refused
    -- without reason; of a million pairs this happens once in 40 million tables.
    CONSTRAINT rate_overlaps EXCLUDE USING gist (
        int8range(hashtextextended(deck || '/' || prefix, 0), hashtextextended(deck || '/' || prefix, 0), '[]') WITH &&,
        tstzrange(valid_from, valid_to) WITH &&)
);
COMMENT ON TABLE rate IS 'What we charge: prices of calls by the beginning of the called number. A deck is one price list. Two rates of one deck and prefix are never valid at once.';
COMMENT ON COLUMN rate.deck IS 'The price list that it belongs to.';
COMMENT ON COLUMN rate.prefix IS 'Digits that the called number begins with: country code first, no +. Empty: every known number. The longest that fits counts.';
COMMENT ON COLUMN rate.valid_from IS 'First moment at which it is valid, UTC. A call is priced by what is valid at its call_time.';
COMMENT ON COLUMN rate.valid_to IS 'First moment at which it is valid no more, UTC; null: until further notice.';
COMMENT ON COLUMN rate.price_per_minute IS 'Price of 60 billed seconds, in currency.';
COMMENT ON COLUMN rate.connection_fee IS 'Price of an answer, in currency, added to that of the time.';
COMMENT ON COLUMN rate.first_increment IS 'Seconds that an answered call is billed at least.';
COMMENT ON COLUMN rate.next_increment IS 'Seconds by which it is billed after that; begun ones count whole.';
COMMENT ON COLUMN rate.currency IS 'ISO 4217 code of price_per_minute and connection_fee.';
COMMENT ON COLUMN rate.description IS 'Destination, for people. Null: not given.';

CREATE TABLE tariff (
    source    text NOT NULL DEFAULT '',
    account   text NOT NULL DEFAULT '',
    trunk     text NOT NULL DEFAULT '',
    direction text NOT NULL DEFAULT '' CHECK (direction IN ('', 'inbound', 'outbound', 'internal')),
    deck      text NOT NULL CHECK (deck <> ''),
    PRIMARY KEY (source, account, trunk, direction)
);
COMMENT ON TABLE tariff IS 'Which deck prices which calls. Of the rows that fit a call the narrowest counts: one that names the trunk before one that does not, then account, then source, then direction. A call that none fits is priced by the deck "default". It is for past calls too: closing the next period adjusts those that are billed.';
COMMENT ON COLUMN tariff.source IS 'Calls of this source; empty: of any.';
COMMENT ON COLUMN tariff.account IS 'Calls of this account; empty: of any and of none.';
COMMENT ON COLUMN tariff.trunk IS 'Calls of this trunk; empty: of any and of none.';
COMMENT ON COLUMN tariff.direction IS 'inbound, outbound or internal; empty: any and unknown.';
COMMENT ON COLUMN tariff.deck IS 'The price list, rate.deck. It may have no rates yet: then its calls have no price.';

-- From the inside out: a call with its deck and rate, its billed seconds, its
-- price, the margin.
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

-- +goose Down
DROP VIEW rated_cdr;
DROP TABLE rate, tariff;
