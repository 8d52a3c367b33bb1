-- The invoice of one source and month, from closed lines: run it with
--   cdrstore psql --csv -v period=2025-10 -v source=didww -f docs/demo/invoice.sql
-- Each closed line is in one item, so that the totals are those of the period, in
-- each currency. The price of an answered call is its connection fee, and its
-- billed seconds by the rate; so the fees are what is left of the price. amount has
-- all digits, rounded those of the currency. The total is rounded once; what the
-- rounded items add up to, where that differs, is in sum_of_rounded.
WITH line AS (
    SELECT l.kind, l.currency, l.billed_sec, l.delta, l.stands, l.after,
           CASE WHEN l.kind = 'adjustment' OR l.disposition = 'answered' THEN l.rate END AS rate,
           CASE
               WHEN l.kind = 'adjustment' THEN 'Adjustment for a call of ' || to_char(l.call_time AT TIME ZONE p.tz, 'YYYY-MM-DD HH24:MI')
               WHEN l.disposition IS NULL OR l.disposition = 'unknown' THEN 'Calls whose outcome is not known'
               WHEN l.disposition <> 'answered' THEN 'Calls that nobody answered'
               WHEN l.direction = 'outbound' THEN 'Calls to ' || coalesce(l.dst_country, 'other networks')
               WHEN l.direction = 'inbound' THEN 'Calls received'
               WHEN l.direction = 'internal' THEN 'Internal calls'
               ELSE 'Calls of no known direction' END AS item
    FROM bill_line l
    JOIN period p ON p.side = l.side AND p.name = l.period
    WHERE l.side = 'price' AND l.period = :'period' AND l.source = :'source'
), item AS (
    SELECT item, currency, rate, count(*) FILTER (WHERE kind = 'call') AS calls,
           sum(billed_sec) FILTER (WHERE kind = 'call') AS billed_sec,
           sum(round(rate * billed_sec / 60, 6)) FILTER (WHERE kind = 'call') AS by_the_minute,
           sum(delta - round(rate * billed_sec / 60, 6)) FILTER (WHERE kind = 'call') AS connection_fees,
           sum(delta) AS amount, round(sum(delta), currency_digits(currency)) AS rounded,
           count(*) FILTER (WHERE stands AND after IS NULL) AS without_amount
    FROM line GROUP BY item, currency, rate
)
SELECT coalesce(item, 'Total') AS item, currency, rate AS per_minute, sum(calls) AS calls, round(sum(billed_sec) / 60, 2) AS minutes,
       sum(by_the_minute) AS by_the_minute, sum(connection_fees) AS connection_fees, sum(amount) AS amount,
       round(sum(amount), currency_digits(currency)) AS rounded,
       CASE WHEN GROUPING(item) = 1 THEN sum(rounded) END AS sum_of_rounded, sum(without_amount) AS without_amount
FROM item
GROUP BY GROUPING SETS ((currency, item, rate), (currency))
ORDER BY currency, GROUPING(item), item LIKE 'Adjustment%', item, rate;
