-- +goose Up

CREATE FUNCTION currency_digits(currency text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
                WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
                WHEN currency IN ('CLF', 'UYW') THEN 4
                ELSE 2 END
$$;
COMMENT ON FUNCTION currency_digits IS 'With how many decimals an amount of a currency is written on an invoice, by ISO 4217; 2 where it is not known. round(amount, currency_digits(currency)) rounds half away from zero.';

CREATE FUNCTION net_cost(cost numeric, tax numeric, includes_tax boolean) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN tax = 0 OR cost = 0 AND tax IS NULL OR NOT includes_tax THEN cost WHEN includes_tax THEN cost - tax END
$$;
COMMENT ON FUNCTION net_cost IS 'A cost without its tax, of the columns cost, tax and cost_includes_tax of call; null where that is not known.';

CREATE FUNCTION gross_cost(cost numeric, tax numeric, includes_tax boolean) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN tax = 0 OR cost = 0 AND tax IS NULL OR includes_tax THEN cost WHEN NOT includes_tax THEN cost + tax END
$$;
COMMENT ON FUNCTION gross_cost IS 'A cost with its tax, of the columns cost, tax and cost_includes_tax of call; null where that is not known.';

-- +goose StatementBegin
CREATE FUNCTION tax(from_time timestamp, to_time timestamp, bucket text, tz text, VARIADIC dimensions text[] DEFAULT '{}')
RETURNS TABLE (bucket_start timestamptz, bucket_local text,
    source text, provider text, account text, trunk text, direction text, country text, currency text,
    calls bigint, cost numeric, net numeric, tax numeric, gross numeric, tax_unknown bigint, cost_of_unknown numeric)
LANGUAGE plpgsql STABLE
SET datestyle = 'ISO, YMD' SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    span record := report_span('tax', from_time, to_time, tz);
BEGIN
    RETURN QUERY EXECUTE format('
        WITH c AS (
            SELECT %2$s AS b, %3$s, currency, cost, n.net, g.gross, n.net IS NOT NULL AND g.gross IS NOT NULL AS known
            FROM (SELECT *, dst_country AS country, call_time AS at FROM call) call,
                 LATERAL (SELECT net_cost(cost, tax, cost_includes_tax) AS net) n, LATERAL (SELECT gross_cost(cost, tax, cost_includes_tax) AS gross) g
            WHERE state = ''ended'' AND cost IS NOT NULL AND call_time >= %4$L AND call_time < %5$L
        ), sums AS (
            SELECT b, ARRAY[source, provider, account, trunk, direction, country] AS d, currency, count(*) AS calls, sum(cost) AS cost,
                sum(net) FILTER (WHERE known) AS net, sum(gross - net) FILTER (WHERE known) AS tax, sum(gross) FILTER (WHERE known) AS gross,
                count(*) FILTER (WHERE NOT known) AS tax_unknown, sum(cost) FILTER (WHERE NOT known) AS cost_of_unknown
            FROM c GROUP BY 1, 2, 3
        )
        SELECT %1$s, d[1], d[2], d[3], d[4], d[5], d[6], currency, calls, cost, net, tax, gross, tax_unknown, cost_of_unknown
        FROM sums ORDER BY sums.b, sums.d, currency',
        report_label(bucket, tz), report_bucket('tax', bucket, span.from_at, tz), report_dimensions('tax', dimensions),
        span.from_at, span.to_at);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION tax IS 'What providers charged with and without tax, of ended calls with a cost whose call_time lies from from_time up to but not including to_time, both wall clock times of zone tz. Buckets and dimensions as in usage; one row for each currency, null where nobody says it.
bucket_start: UTC; bucket_local: the same by the clocks of tz. calls: with a cost. cost: as charged, with and without tax as providers have it. net, tax, gross: of the calls of which both are known (call.cost_includes_tax and call.tax, or a tax of 0); tax is gross - net. tax_unknown: calls with a cost of which they are not, and cost_of_unknown what those cost: they are in none of the three. Null: no call to tell it by.';

-- +goose Down
DROP FUNCTION tax, gross_cost, net_cost, currency_digits;
