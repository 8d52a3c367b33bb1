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
SELECT t.* FROM tariff t
ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC,
         t.source, t.account, t.trunk, t.direction, t.valid_from;

-- name: LockTariffs :exec
-- One change at a time; reading goes on.
LOCK TABLE tariff IN SHARE ROW EXCLUSIVE MODE;

-- name: NextTariff :one
-- When the next tariff of exactly these calls begins; null: none does.
SELECT min(valid_from)::timestamptz FROM tariff
WHERE source = @source AND account = @account AND trunk = @trunk AND direction = @direction AND valid_from > @valid_from;

-- name: TakeTariffs :many
-- Removes those of exactly these calls that are valid within a span.
DELETE FROM tariff
WHERE source = @source AND account = @account AND trunk = @trunk AND direction = @direction
  AND tstzrange(valid_from, valid_to) && tstzrange(@valid_from::timestamptz, sqlc.narg(valid_to)::timestamptz)
RETURNING *;

-- name: AddTariff :exec
INSERT INTO tariff (source, account, trunk, direction, deck, valid_from, valid_to)
VALUES (@source, @account, @trunk, @direction, @deck, @valid_from, sqlc.narg(valid_to));

-- name: PricesClosedTo :one
-- The end of the last closed period of prices; null: none is closed.
SELECT max(to_at)::timestamptz FROM period WHERE side = 'price';

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
       c.dst::varchar AS dst, c.disposition, c.billsec, c.deck::text AS deck,
       c.prefix::varchar AS prefix, c.connection_fee, c.price_per_minute,
       coalesce(c.first_increment, 0)::int AS first_increment, coalesce(c.next_increment, 0)::int AS next_increment,
       c.billed_sec::numeric AS billed_sec, c.price::numeric AS price, c.price_currency::varchar AS price_currency,
       c.cost, c.currency::varchar AS currency, c.margin::numeric AS margin,
       c.number::varchar AS number, c.number_form::varchar AS number_form, c.unpriced::varchar AS unpriced
FROM rated_cdr c
WHERE c.source = @source AND c.call_id = @call_id;

-- name: TariffOfCall :many
-- The row that chooses the deck of a call; none: "default".
SELECT t.* FROM tariff t
WHERE t.source IN ('', @source::text) AND t.account IN ('', @account::text)
  AND t.trunk IN ('', @trunk::text) AND t.direction IN ('', @direction::text)
  AND t.valid_from <= @call_time AND (t.valid_to IS NULL OR t.valid_to > @call_time)
ORDER BY t.trunk <> '' DESC, t.account <> '' DESC, t.source <> '' DESC, t.direction <> '' DESC
LIMIT 1;

-- name: RatesOfNumber :many
-- All rates of a deck, of any time, that match a number.
SELECT r.* FROM rate r
WHERE r.deck = @deck AND r.prefix = ANY (rate_prefixes('exact:' || @number::text, @number_form::text, @number::text))
ORDER BY length(r.prefix) DESC, r.valid_from DESC
LIMIT 100;
