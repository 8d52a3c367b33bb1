-- A call's page of the console: everything that is known of one call. Whole rows
-- come as JSON in the order of their columns, so that the page shows columns
-- that later migrations add.

-- name: ConsoleCall :one
SELECT row_to_json(c.*)::json AS document FROM call c WHERE c.source = @source AND c.call_id = @call_id;

-- name: ConsoleCallColumns :many
-- What each column means.
SELECT a.attname::text AS name, coalesce(col_description(a.attrelid, a.attnum), '')::text AS meaning
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = 'call'::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: ConsoleEvents :many
-- The first events of a call, with the beginnings of their payloads. counts: not
-- a CDR, or the version of its record that counts.
SELECT e.event_id, e.kind, e.provider_kind, e.leg, e.record_key, e.occurred_at, e.clock, e.received_at, e.last_received_at,
       e.deliveries, e.facts, e.problems,
       left(e.payload::text, @payload_chars::integer)::varchar AS payload, coalesce(length(e.payload::text), 0)::bigint AS payload_length,
       (e.kind <> 'cdr' OR EXISTS (
           SELECT FROM leg l WHERE l.source = e.source AND l.call_id = e.call_id AND l.event_id = e.event_id))::text::boolean AS counts
FROM event e
WHERE e.source = @source AND e.call_id = @call_id
ORDER BY e.occurred_at, e.received_at, e.event_id
LIMIT @at_most;

-- name: ConsoleRecordings :many
SELECT r.recording_id, r.url, r.expires_at, r.received_at, r.deliveries
FROM recording r
WHERE r.source = @source AND r.call_id = @call_id
ORDER BY r.received_at, r.recording_id
LIMIT @at_most;

-- name: ConsoleRated :one
-- An exact rate would show a number that may be masked.
SELECT row_to_json(r.*)::json AS document
FROM (SELECT number_form, deck, CASE WHEN starts_with(prefix, 'exact:') THEN 'exact' ELSE prefix END AS prefix, connection_fee, price_per_minute, first_increment, next_increment, billed_sec, price, price_currency, cost, currency, margin, unpriced
      FROM rated_cdr WHERE source = @source AND call_id = @call_id) r;

-- name: ConsoleBillLines :many
SELECT b.side, b.line, b.period, b.kind, b.account, b.trunk, b.currency,
       b.before::varchar AS before, b.after::varchar AS after, b.delta::varchar AS delta, b.stands,
       b.billed_sec::varchar AS billed_sec, b.rate::varchar AS rate, b.deck
FROM bill_line b
WHERE b.side IN ('cost', 'price') AND b.source = @source AND b.call_id = @call_id
ORDER BY b.side, b.line
LIMIT @at_most;
