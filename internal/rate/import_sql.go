package rate

// The statements of an import. They are not sqlc's, which cannot know a
// temporary table.

// createLines makes the table for the lines of the file, as they are.
const createLines = `
CREATE TEMPORARY TABLE rate_line (
	line bigint NOT NULL, deck text NOT NULL, prefix text NOT NULL,
	valid_from timestamptz NOT NULL, valid_to timestamptz,
	price_per_minute numeric NOT NULL, connection_fee numeric NOT NULL,
	first_increment integer NOT NULL, next_increment integer NOT NULL,
	currency text NOT NULL, description text
) ON COMMIT DROP`

// lockRates lets imports wait for each other; reading goes on.
const lockRates = `LOCK TABLE rate IN SHARE ROW EXCLUSIVE MODE`

// analyzeLines tells the planner how many there are.
const analyzeLines = `ANALYZE rate_line`

// sameKey finds lines with the deck, prefix and valid_from of an earlier one.
const sameKey = `
SELECT line, first, count(*) OVER () AS total FROM (
	SELECT line, min(line) OVER (PARTITION BY deck, prefix, valid_from) AS first FROM rate_line
) l
WHERE line <> first
ORDER BY line LIMIT $1`

// otherValues finds lines of which the table has another rate under the key. A
// line without an end is the same as a rate that ends where the next one begins.
const otherValues = `
SELECT line, what, count(*) OVER () AS total FROM (
	SELECT l.line, concat_ws(', ',
		CASE WHEN l.price_per_minute <> r.price_per_minute THEN 'price_per_minute ' || r.price_per_minute END,
		CASE WHEN l.connection_fee <> r.connection_fee THEN 'connection_fee ' || r.connection_fee END,
		CASE WHEN l.first_increment <> r.first_increment THEN 'first_increment ' || r.first_increment END,
		CASE WHEN l.next_increment <> r.next_increment THEN 'next_increment ' || r.next_increment END,
		CASE WHEN l.currency <> r.currency THEN 'currency ' || r.currency END,
		CASE WHEN l.valid_to IS DISTINCT FROM r.valid_to AND NOT (l.valid_to IS NULL AND EXISTS (
			SELECT FROM rate n WHERE n.deck = r.deck AND n.prefix = r.prefix AND n.valid_from = r.valid_to))
			THEN CASE WHEN r.valid_to IS NULL THEN 'no valid_to' ELSE 'valid_to ' || to_char(r.valid_to AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
		END,
		CASE WHEN l.description IS DISTINCT FROM r.description THEN 'description ' || coalesce(r.description, 'empty') END
	) AS what
	FROM rate_line l JOIN rate r USING (deck, prefix, valid_from)
) l
WHERE what <> ''
ORDER BY line LIMIT $1`

// createTimeline puts what the decks are to be into a table: the lines, and the
// rates that stay ($1: none, the lines replace their decks). A rate without an
// end is valid until the next one of its prefix. A rate of the table with an end
// is cut by a line within it, unless that line ends earlier, with nothing after
// it: then calls would be left without a price. Of lines with one key the first
// is taken, and a line that the table has already is not: faults of the others
// were found before.
const createTimeline = `
CREATE TEMPORARY TABLE rate_time ON COMMIT DROP AS
SELECT t.*, CASE
	WHEN line IS NULL AND lead(line) OVER w IS NOT NULL AND lead(valid_from) OVER w < valid_to AND (
		coalesce(lead(valid_to) OVER w, 'infinity') >= valid_to OR lead(valid_to) OVER w = lead(valid_from, 2) OVER w)
		THEN lead(valid_from) OVER w
	ELSE coalesce(valid_to, lead(valid_from) OVER w)
END AS until
FROM (
	(SELECT DISTINCT ON (deck, prefix, valid_from) * FROM rate_line l
	 WHERE $1 OR NOT EXISTS (SELECT FROM rate r WHERE r.deck = l.deck AND r.prefix = l.prefix AND r.valid_from = l.valid_from)
	 ORDER BY deck, prefix, valid_from, line)
	UNION ALL
	SELECT NULL, r.deck, r.prefix, r.valid_from, r.valid_to, r.price_per_minute, r.connection_fee,
	       r.first_increment, r.next_increment, r.currency, r.description
	FROM rate r
	WHERE NOT $1 AND (r.deck, r.prefix) IN (SELECT deck, prefix FROM rate_line)
) t
WINDOW w AS (PARTITION BY deck, prefix ORDER BY valid_from)`

// analyzeTimeline tells the planner how many there are.
const analyzeTimeline = `ANALYZE rate_time`

// overlaps finds lines that are valid while another rate of their prefix is. One
// that begins before all earlier ones have ended overlaps one of them; which,
// is looked up for the few that are shown: the latest that has a line, if any.
const overlaps = `
WITH late AS (
	SELECT * FROM (
		SELECT t.*, max(coalesce(until, 'infinity')) OVER (PARTITION BY deck, prefix ORDER BY valid_from
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy FROM rate_time t
	) t
	WHERE busy > valid_from
), shown AS (
	SELECT *, count(*) OVER () AS total FROM late ORDER BY line LIMIT $1
)
SELECT greatest(late.line, other.line) AS line,
       CASE WHEN late.line < other.line THEN late.line WHEN late.line > other.line THEN other.line END AS other_line,
       CASE WHEN late.line < other.line OR late.line IS NULL THEN late.valid_from ELSE other.valid_from END AS other_from,
       CASE WHEN late.line < other.line OR late.line IS NULL THEN late.until ELSE other.until END AS other_until,
       late.total
FROM shown late CROSS JOIN LATERAL (
	SELECT * FROM rate_time e
	WHERE e.deck = late.deck AND e.prefix = late.prefix AND e.valid_from < late.valid_from
	  AND (e.until IS NULL OR e.until > late.valid_from)
	ORDER BY e.line IS NULL, e.valid_from DESC LIMIT 1
) other`

// closeEarlier ends rates where the next one begins.
const closeEarlier = `
UPDATE rate r SET valid_to = t.until
FROM rate_time t
WHERE t.line IS NULL AND t.until IS DISTINCT FROM t.valid_to
  AND r.deck = t.deck AND r.prefix = t.prefix AND r.valid_from = t.valid_from`

// earliest is when the first of the new rates begins.
const earliest = `
SELECT min(valid_from) FROM rate_time t
WHERE line IS NOT NULL
  AND NOT EXISTS (SELECT FROM rate r WHERE r.deck = t.deck AND r.prefix = t.prefix AND r.valid_from = t.valid_from)`

// removeOthers removes from the decks of the file what is not in it.
const removeOthers = `
DELETE FROM rate r
WHERE r.deck IN (SELECT deck FROM rate_time) AND NOT EXISTS (
	SELECT FROM rate_time t
	WHERE t.deck = r.deck AND t.prefix = r.prefix AND t.valid_from = r.valid_from
	  AND t.until IS NOT DISTINCT FROM r.valid_to AND t.price_per_minute = r.price_per_minute
	  AND t.connection_fee = r.connection_fee AND t.first_increment = r.first_increment
	  AND t.next_increment = r.next_increment AND t.currency = r.currency
	  AND t.description IS NOT DISTINCT FROM r.description)`

// addLines adds what is new.
const addLines = `
INSERT INTO rate (deck, prefix, valid_from, valid_to, price_per_minute, connection_fee,
                  first_increment, next_increment, currency, description)
SELECT deck, prefix, valid_from, until, price_per_minute, connection_fee,
       first_increment, next_increment, currency, description
FROM rate_time t
WHERE line IS NOT NULL
  AND NOT EXISTS (SELECT FROM rate r WHERE r.deck = t.deck AND r.prefix = t.prefix AND r.valid_from = t.valid_from)`

// analyzeRates tells the planner at once how large the decks are now.
const analyzeRates = `ANALYZE rate`
