-- What we charge: rates, which deck prices which calls, and why a call has its
-- price. The import works on a temporary table, which sqlc cannot know: its
-- statements are in internal/rate/import_sql.go.

-- name: Rates :many
-- The next rates after one.
SELECT r.* FROM rate r
WHERE (r.deck, r.prefix, r.valid_from) > (@after_deck::text, @after_prefix::text, @after_from::timestamptz)
  AND (r.deck = @deck::text OR @deck::text = '') AND starts_with(r.prefix, @prefix::text)
ORDER BY r.deck, r.prefix, r.valid_from
LIMIT @at_most;

-- name: Decks :many
-- Also those that only a tariff names, and the one that prices what no tariff
-- fits.
SELECT d.deck::text AS deck, count(r.deck) AS rates,
       count(r.deck) FILTER (WHERE r.valid_from <= now() AND (r.valid_to IS NULL OR r.valid_to > now())) AS valid_now,
       coalesce(string_agg(DISTINCT r.currency, ' '), '')::text AS currencies,
       min(r.valid_from)::timestamptz AS first_from, max(r.valid_from)::timestamptz AS last_from,
       (SELECT count(*) FROM tariff t WHERE t.deck = d.deck) AS tariffs
FROM (SELECT rate.deck FROM rate UNION SELECT tariff.deck FROM tariff UNION SELECT 'default') d (deck)
LEFT JOIN rate r ON r.deck = d.deck
GROUP BY d.deck
ORDER BY d.deck;

-- name: Tariffs :many
-- The narrowest first, as the view rated_cdr takes them.
SELECT t.source, t.account, t.trunk, t.direction, t.deck FROM tariff t
ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC,
         t.source, t.account, t.trunk, t.direction;

-- name: SetTariff :exec
INSERT INTO tariff (source, account, trunk, direction, deck)
VALUES (@source, @account, @trunk, @direction, @deck)
ON CONFLICT (source, account, trunk, direction) DO UPDATE SET deck = excluded.deck;

-- name: RemoveTariff :execrows
DELETE FROM tariff WHERE source = @source AND account = @account AND trunk = @trunk AND direction = @direction;

-- name: TariffKnown :one
-- Whether a deck has rates, and a source was ever registered or sent calls.
SELECT EXISTS (SELECT FROM rate r WHERE r.deck = @deck) AS deck,
       (EXISTS (SELECT FROM source s WHERE s.name = @source) OR EXISTS (SELECT FROM call c WHERE c.source = @source))::bool AS source;

-- name: CallState :one
SELECT c.state FROM call c WHERE c.source = @source AND c.call_id = @call_id;

-- name: RatedCall :one
-- Nullable texts and numbers are cast, because sqlc takes those of a view for
-- never null.
SELECT c.call_time, c.account::varchar AS account, c.trunk::varchar AS trunk, c.direction::varchar AS direction,
       c.dst::varchar AS dst, c.dst_e164::varchar AS dst_e164, c.disposition, c.billsec, c.deck::text AS deck,
       c.prefix::varchar AS prefix, c.connection_fee, c.price_per_minute,
       coalesce(c.first_increment, 0)::int AS first_increment, coalesce(c.next_increment, 0)::int AS next_increment,
       c.billed_sec::numeric AS billed_sec, c.price::numeric AS price, c.price_currency::varchar AS price_currency,
       c.cost, c.currency::varchar AS currency, c.margin::numeric AS margin
FROM rated_cdr c
WHERE c.source = @source AND c.call_id = @call_id;

-- name: TariffOfCall :many
-- The row that chooses the deck of a call; none: "default".
SELECT t.* FROM tariff t
WHERE t.source IN ('', @source::text) AND t.account IN ('', @account::text)
  AND t.trunk IN ('', @trunk::text) AND t.direction IN ('', @direction::text)
ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC
LIMIT 1;

-- name: RatesOfNumber :many
-- All rates of a deck, of any time, that a number's prefixes have.
SELECT r.* FROM rate r
WHERE r.deck = @deck AND r.prefix = ANY (@prefixes::text[])
ORDER BY length(r.prefix) DESC, r.valid_from DESC
LIMIT 100;
