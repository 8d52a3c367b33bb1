-- The invoice of one source and month, from closed lines: run it with
--   cdrstore psql --csv -v period=2025-10 -v source=didww -f docs/demo/invoice.sql
-- The price of an answered call is its connection fee, and its billed seconds by
-- the rate; so the fees are what is left of the price. Only the last line of a
-- currency, the total, is rounded to cents.
SELECT coalesce(item, 'Total') AS item, currency, rate AS per_minute, count(*) FILTER (WHERE kind = 'call') AS calls,
       round(sum(billed_sec) FILTER (WHERE kind = 'call') / 60, 2) AS minutes,
       sum(round(rate * billed_sec / 60, 6)) FILTER (WHERE kind = 'call') AS by_the_minute,
       sum(delta - round(rate * billed_sec / 60, 6)) FILTER (WHERE kind = 'call') AS connection_fees,
       CASE WHEN item IS NULL THEN round(sum(delta), 2) ELSE sum(delta) END AS amount,
       count(*) FILTER (WHERE stands AND after IS NULL) AS without_amount
FROM (
    SELECT l.*, CASE l.kind WHEN 'call' THEN 'Calls to ' || coalesce(l.dst_country, 'other networks')
                            ELSE 'Adjustment for a call of ' || to_char(l.call_time AT TIME ZONE p.tz, 'YYYY-MM-DD HH24:MI') END AS item
    FROM bill_line l
    JOIN period p ON p.side = l.side AND p.name = l.period
    WHERE l.side = 'price' AND l.period = :'period' AND l.source = :'source' AND l.direction = 'outbound'
      AND (l.kind = 'adjustment' OR l.disposition = 'answered')
) line
GROUP BY GROUPING SETS ((currency, item, rate), (currency))
ORDER BY currency, item IS NULL, item LIKE 'Adjustment%', item, rate;
