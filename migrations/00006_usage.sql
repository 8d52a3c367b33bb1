-- +goose Up

-- Reports. Their functions take wall clock times of a zone and the names of
-- dimensions, so their statements are put together from fixed pieces at run time.

CREATE FUNCTION quarter_hour(at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT date_trunc('hour', at, 'UTC') + interval '15 minutes' * floor(extract(minute FROM at AT TIME ZONE 'UTC') / 15)
$$;
COMMENT ON FUNCTION quarter_hour IS 'The beginning of the quarter of an hour that a moment lies in, UTC.';

-- +goose StatementBegin
CREATE FUNCTION local_moment(wall timestamp, tz text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- Where the clocks show a time twice Postgres takes the second. The offset of
    -- the day before gives the first, if that shows the same time.
    SELECT CASE WHEN f.first < w.second AND f.first AT TIME ZONE tz = wall THEN f.first ELSE w.second END
    FROM (SELECT wall AT TIME ZONE tz AS second) w,
         LATERAL (SELECT wall AT TIME ZONE 'UTC' - ((w.second - interval '24 hours') AT TIME ZONE tz
                                                   - (w.second - interval '24 hours') AT TIME ZONE 'UTC') AS first) f
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION local_moment IS 'The moment at which the clocks of zone tz show a time, the first of two where they show it twice. So days and months follow each other without a gap.';

-- +goose StatementBegin
CREATE FUNCTION local_text(at timestamptz, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    wall timestamp := at AT TIME ZONE tz;
    off  interval  := wall - at AT TIME ZONE 'UTC';
    sign text      := '+';
BEGIN
    IF off < interval '0' THEN
        off := -off;
        sign := '-';
    END IF;
    RETURN to_char(wall, 'YYYY-MM-DD HH24:MI') || sign || to_char(off, CASE WHEN extract(minute FROM off) = 0 THEN 'HH24' ELSE 'HH24:MI' END);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION local_text IS 'A moment as the clocks of zone tz show it, with their distance from UTC: 2026-10-25 01:00+01.';

-- +goose StatementBegin
CREATE FUNCTION report_span(what text, from_time timestamp, to_time timestamp, tz text, OUT from_at timestamptz, OUT to_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- Names only: Postgres would also take texts such as UTC+2, which mean two hours behind.
    IF tz IS NULL OR lower(tz) <> 'utc' AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE lower(z.name) = lower(tz)) THEN
        RAISE EXCEPTION '%: % is no time zone: write a name like Europe/London, or UTC', what, coalesce(quote_literal(tz), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF isfinite(from_time) AND isfinite(to_time) THEN
        from_at := local_moment(from_time, tz);
        to_at := local_moment(to_time, tz);
    END IF;
    IF from_at IS NULL OR to_at IS NULL OR from_at >= to_at THEN
        RAISE EXCEPTION '%: from_time % is not before to_time %, which is the first moment that no longer counts', what,
            coalesce(from_time::text, 'null'), coalesce(to_time::text, 'null') USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION report_span IS 'The moments of a report''s span of local time. Raises an error for an unknown zone and an empty span.';

-- +goose StatementBegin
CREATE FUNCTION report_dimensions(what text, dimensions text[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known   text[] := ARRAY['source', 'provider', 'account', 'trunk', 'direction', 'country'];
    unknown text := (SELECT d FROM unnest(dimensions) WITH ORDINALITY AS u (d, n)
                     WHERE d IS NULL OR d <> ALL (known || 'dst_country'::text) ORDER BY n LIMIT 1);
BEGIN
    IF cardinality(dimensions) > 0 AND (unknown IS NOT NULL OR array_position(dimensions, NULL) IS NOT NULL) THEN
        RAISE EXCEPTION '%: % is no dimension: write any of %', what, coalesce(quote_literal(unknown), 'null'), array_to_string(known, ', ')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN (SELECT string_agg(CASE WHEN k = ANY (dimensions) OR k = 'country' AND 'dst_country' = ANY (dimensions) THEN k ELSE 'NULL::text' END || ' AS ' || k, ', ' ORDER BY n)
            FROM unnest(known) WITH ORDINALITY AS u (k, n));
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION report_dimensions IS 'SQL for the six columns of a report''s dimensions: null where one was not asked for. Raises an error for an unknown one.';

-- Days and months by the wall clock, since two moments may be the same midnight;
-- hours by the moment, since two hours may have the same name.
-- +goose StatementBegin
CREATE FUNCTION report_bucket(what text, bucket text, from_at timestamptz, tz text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE coalesce(bucket, '')
        WHEN 'hour' THEN RETURN format('date_trunc(''hour'', at, %L)', tz);
        WHEN 'day', 'month' THEN RETURN format('date_trunc(%L, at AT TIME ZONE %L)', bucket, tz);
        WHEN 'all' THEN RETURN format('%L::timestamptz', from_at);
        ELSE RAISE EXCEPTION '%: % is no bucket: write hour, day, month or all', what, coalesce(quote_literal(bucket), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END CASE;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION report_bucket IS 'SQL for the bucket of a moment called at: a moment for hour and all, a wall clock time for day and month. Raises an error for an unknown bucket.';

-- +goose StatementBegin
CREATE FUNCTION report_label(bucket text, tz text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE bucket
        WHEN 'day' THEN format('local_moment(b, %L) AS bucket_start, to_char(b, ''YYYY-MM-DD'') AS bucket_local', tz)
        WHEN 'month' THEN format('local_moment(b, %L) AS bucket_start, to_char(b, ''YYYY-MM'') AS bucket_local', tz)
        ELSE format('b AS bucket_start, local_text(b, %L) AS bucket_local', tz)
    END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION report_label IS 'SQL for the first two columns of a report, of a bucket called b.';

CREATE VIEW usage_call AS
SELECT call_time, source, provider, account, trunk, direction, dst_country AS country,
       CASE WHEN cost IS NOT NULL THEN currency END AS currency,
       disposition = 'answered' AS answered, ended_at, duration, billsec,
       coalesce(charged_sec, billed_seconds(billsec, first_increment, next_increment)) AS billed_sec, cost
FROM call
WHERE state = 'ended';
COMMENT ON VIEW usage_call IS 'What an ended call adds to usage.';
COMMENT ON COLUMN usage_call.call_time IS 'Start of the call, UTC, which decides about its bucket.';
COMMENT ON COLUMN usage_call.source IS 'As in call.';
COMMENT ON COLUMN usage_call.provider IS 'As in call.';
COMMENT ON COLUMN usage_call.account IS 'As in call.';
COMMENT ON COLUMN usage_call.trunk IS 'As in call.';
COMMENT ON COLUMN usage_call.direction IS 'As in call.';
COMMENT ON COLUMN usage_call.country IS 'dst_country of call.';
COMMENT ON COLUMN usage_call.currency IS 'ISO 4217 code of cost; null: no cost, or nobody says in what currency.';
COMMENT ON COLUMN usage_call.answered IS 'Whether somebody answered.';
COMMENT ON COLUMN usage_call.ended_at IS 'As in call, UTC.';
COMMENT ON COLUMN usage_call.duration IS 'Seconds, as in call.';
COMMENT ON COLUMN usage_call.billsec IS 'Seconds, as in call.';
COMMENT ON COLUMN usage_call.billed_sec IS 'Seconds: charged_sec of call, else billed_seconds of its billsec and increments; null: neither is known.';
COMMENT ON COLUMN usage_call.cost IS 'As in call.';

CREATE TABLE usage_quarter (
    quarter        timestamptz NOT NULL,
    source         text        NOT NULL,
    provider       text        NOT NULL,
    account        text,
    trunk          text,
    direction      text,
    country        text,
    currency       text,
    attempts       bigint      NOT NULL,
    answered       bigint      NOT NULL,
    duration       numeric,
    billsec        numeric,
    billed_sec     numeric,
    billed_unknown bigint      NOT NULL,
    cost           numeric,
    cost_unknown   bigint      NOT NULL,
    last_end       timestamptz
);
CREATE INDEX usage_quarter_by_time ON usage_quarter (quarter);
COMMENT ON TABLE usage_quarter IS 'Sums over ended calls by quarter of an hour, computed anew from call by refresh_usage, never added to. Some quarters may be out of date: read function usage, which knows them.';
COMMENT ON COLUMN usage_quarter.quarter IS 'Beginning of the quarter of an hour that call_time lies in, UTC.';
COMMENT ON COLUMN usage_quarter.source IS 'As in call.';
COMMENT ON COLUMN usage_quarter.provider IS 'As in call.';
COMMENT ON COLUMN usage_quarter.account IS 'As in call.';
COMMENT ON COLUMN usage_quarter.trunk IS 'As in call.';
COMMENT ON COLUMN usage_quarter.direction IS 'As in call.';
COMMENT ON COLUMN usage_quarter.country IS 'dst_country of call.';
COMMENT ON COLUMN usage_quarter.currency IS 'As in usage_call.';
COMMENT ON COLUMN usage_quarter.attempts IS 'Ended calls.';
COMMENT ON COLUMN usage_quarter.answered IS 'Answered calls.';
COMMENT ON COLUMN usage_quarter.duration IS 'Seconds; null: not known of any call.';
COMMENT ON COLUMN usage_quarter.billsec IS 'Seconds; null: not known of any call.';
COMMENT ON COLUMN usage_quarter.billed_sec IS 'Seconds; null: not known of any call.';
COMMENT ON COLUMN usage_quarter.billed_unknown IS 'Answered calls of which billed_sec is not known.';
COMMENT ON COLUMN usage_quarter.cost IS 'In currency; null: not known of any call.';
COMMENT ON COLUMN usage_quarter.cost_unknown IS 'Calls of which cost is not known.';
COMMENT ON COLUMN usage_quarter.last_end IS 'Latest end of these calls, UTC, for concurrency; null: no end is known.';

CREATE TABLE usage_state (
    cluster      text        PRIMARY KEY,
    watermark    xid8        NOT NULL,
    covered_from timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL
);
COMMENT ON TABLE usage_state IS 'How far usage_quarter is computed: one row, or none.';
COMMENT ON COLUMN usage_state.cluster IS 'Within which transaction ids may be compared, see feed_cluster. Of another cluster, after a restore or failover, usage_quarter is not used and is computed anew.';
COMMENT ON COLUMN usage_state.watermark IS 'Changes of calls by transactions below it are in usage_quarter; others may be.';
COMMENT ON COLUMN usage_state.covered_from IS 'Quarters from here on are computed, UTC; -infinity: all, infinity: none yet.';
COMMENT ON COLUMN usage_state.refreshed_at IS 'When it was last computed, UTC.';

-- +goose StatementBegin
CREATE FUNCTION usage_covered() RETURNS usage_state
LANGUAGE plpgsql STABLE AS $$
DECLARE state usage_state;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
        SELECT * INTO state FROM usage_state s WHERE s.cluster = feed_cluster();
    END IF;
    RETURN state;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL; -- who may not see the cluster's number reads calls
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_covered IS 'The row of usage_state if usage_quarter can be used: it is of this cluster, and the cluster is not one of Citus, where transaction ids of several machines cannot be compared. Else nulls.';

-- A change at or above the watermark may be missing in usage_quarter: it makes the
-- quarter dirty that its call is in, and the one that it was in. Ids that no
-- transaction of this snapshot can have were restored from another cluster.
-- +goose StatementBegin
CREATE FUNCTION usage_dirty(watermark xid8) RETURNS SETOF timestamptz
LANGUAGE sql STABLE AS $$
    SELECT quarter_hour(c.call_time)
    FROM (
        SELECT e.source, e.call_id FROM event e
        WHERE e.xid >= watermark AND (e.xid < pg_snapshot_xmax(pg_current_snapshot()) OR e.xid = pg_current_xact_id_if_assigned())
        UNION
        SELECT g.source, g.call_id FROM call_change g
        WHERE g.xid >= watermark AND (g.xid < pg_snapshot_xmax(pg_current_snapshot()) OR g.xid = pg_current_xact_id_if_assigned())
    ) k
    JOIN call c ON c.source = k.source AND c.call_id = k.call_id
    UNION
    SELECT quarter_hour(g.old_call_time) FROM call_change g
    WHERE g.old_call_time IS NOT NULL
      AND g.xid >= watermark AND (g.xid < pg_snapshot_xmax(pg_current_snapshot()) OR g.xid = pg_current_xact_id_if_assigned())
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_dirty IS 'Quarters of an hour, UTC, in which usage_quarter may be out of date: changes by transactions at or above the watermark that this snapshot sees touch them.';

-- +goose StatementBegin
CREATE FUNCTION usage_compute(from_at timestamptz, to_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM usage_quarter WHERE quarter >= from_at AND quarter < to_at;
    INSERT INTO usage_quarter
    SELECT quarter_hour(u.call_time), u.source, u.provider, u.account, u.trunk, u.direction, u.country, u.currency,
           count(*), count(*) FILTER (WHERE u.answered), sum(u.duration), sum(u.billsec), sum(u.billed_sec),
           count(*) FILTER (WHERE u.answered AND u.billed_sec IS NULL), sum(u.cost), count(*) FILTER (WHERE u.cost IS NULL),
           max(u.ended_at)
    FROM usage_call u
    WHERE u.call_time >= from_at AND u.call_time < to_at
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_compute IS 'Computes a span of usage_quarter anew, from and to whole quarters of an hour, UTC. For refresh_usage only.';

-- +goose StatementBegin
CREATE FUNCTION refresh_usage(at_most bigint DEFAULT 500000) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    state usage_state;
    next  timestamptz;
    dirty timestamptz;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        RETURN true;
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'refresh_usage: run it in a transaction of REPEATABLE READ, so that all it reads is of one moment'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    state := usage_covered();
    IF state.watermark IS NULL THEN
        DELETE FROM usage_state;
        DELETE FROM usage_quarter;
        state.covered_from := 'infinity';
    ELSE
        FOR dirty IN SELECT d FROM usage_dirty(state.watermark) d WHERE d >= state.covered_from LOOP
            PERFORM usage_compute(dirty, dirty + interval '15 minutes');
        END LOOP;
    END IF;
    IF state.covered_from > '-infinity' THEN
        SELECT quarter_hour(c.call_time) INTO next FROM call c
        WHERE c.call_time < state.covered_from ORDER BY c.call_time DESC OFFSET at_most LIMIT 1;
        next := coalesce(next, '-infinity');
        PERFORM usage_compute(next, state.covered_from);
        state.covered_from := next;
    END IF;
    INSERT INTO usage_state VALUES (feed_cluster(), pg_snapshot_xmin(pg_current_snapshot()), state.covered_from, now())
    ON CONFLICT (cluster) DO UPDATE
        SET watermark = EXCLUDED.watermark, covered_from = EXCLUDED.covered_from, refreshed_at = EXCLUDED.refreshed_at;
    RETURN state.covered_from = '-infinity';
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION refresh_usage IS 'Brings usage_quarter up to date, and computes about at_most calls more of it, from the newest back, so that the first computation is made of short transactions. True: all is computed. The receiver calls it every minute, in a transaction of REPEATABLE READ; two at once fail with 40001 and do no harm. Does nothing on Citus.';

-- +goose StatementBegin
CREATE FUNCTION quarters_fit(from_at timestamptz, to_at timestamptz, tz text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH day AS (
        SELECT d, extract(epoch FROM d AT TIME ZONE tz - d AT TIME ZONE 'UTC') AS off,
               lead(extract(epoch FROM d AT TIME ZONE tz - d AT TIME ZONE 'UTC')) OVER (ORDER BY d) AS next_off
        FROM generate_series(from_at - interval '1 day', to_at + interval '1 day', interval '1 day') d
    )
    SELECT NOT EXISTS (SELECT FROM day WHERE off::numeric % 900 <> 0)
       AND NOT EXISTS (
           SELECT FROM day, generate_series(quarter_hour(d), d + interval '1 day', interval '15 minutes') q
           WHERE off <> next_off
             AND q AT TIME ZONE tz - q AT TIME ZONE 'UTC'
              <> (q + interval '899.999999 s') AT TIME ZONE tz - (q + interval '899.999999 s') AT TIME ZONE 'UTC')
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION quarters_fit IS 'Whether hours and days of a zone consist of whole quarters of an hour UTC in a span: not in Liberia until 1972, nor in Newfoundland, whose clocks changed at a minute past midnight, until 2011.';

-- (OFFSET 0 keeps Postgres from joining in another order: it cannot guess how few
-- calls lie in a quarter of an hour, and would read all of them.)
-- +goose StatementBegin
CREATE FUNCTION usage_parts(from_at timestamptz, to_at timestamptz, fit boolean) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    state      usage_state := usage_covered();
    whole_from timestamptz;
    whole_to   timestamptz := quarter_hour(to_at);
    columns    text := 'source, provider, account, trunk, direction, country, currency';
    calls      text := format('SELECT call_time AS at, %s, 1 AS attempts, answered::integer, duration, billsec, billed_sec,
        (answered AND billed_sec IS NULL)::integer AS billed_unknown, cost, (cost IS NULL)::integer AS cost_unknown FROM usage_call', columns);
BEGIN
    whole_from := quarter_hour(from_at);
    IF whole_from < from_at THEN
        whole_from := whole_from + interval '15 minutes';
    END IF;
    whole_from := greatest(whole_from, state.covered_from);
    IF state.watermark IS NULL OR NOT fit OR whole_from >= whole_to THEN
        RETURN format('%s WHERE call_time >= %L AND call_time < %L', calls, from_at, to_at);
    END IF;
    RETURN format('WITH dirty AS MATERIALIZED (SELECT d FROM usage_dirty(%1$L) d WHERE d >= %2$L AND d < %3$L)
        %4$s WHERE call_time >= %5$L AND call_time < %2$L
        UNION ALL %4$s WHERE call_time >= %3$L AND call_time < %6$L
        UNION ALL SELECT c.* FROM dirty, LATERAL (%4$s WHERE call_time >= d AND call_time < d + interval ''15 minutes'' OFFSET 0) c
        UNION ALL SELECT quarter, %7$s, attempts, answered, duration, billsec, billed_sec, billed_unknown, cost, cost_unknown
        FROM usage_quarter q WHERE quarter >= %2$L AND quarter < %3$L AND NOT EXISTS (SELECT FROM dirty WHERE d = quarter)',
        state.watermark, whole_from, whole_to, calls, from_at, to_at, columns);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_parts IS 'SQL for the rows that usage sums: whole quarters of an hour from usage_quarter, where it is up to date in this snapshot, and calls for the rest; only calls where quarters do not fit.';

-- +goose StatementBegin
CREATE FUNCTION usage(from_time timestamp, to_time timestamp, bucket text, tz text, VARIADIC dimensions text[] DEFAULT '{}')
RETURNS TABLE (bucket_start timestamptz, bucket_local text,
    source text, provider text, account text, trunk text, direction text, country text, currency text,
    attempts bigint, answered bigint, duration numeric, billsec numeric, billed_sec numeric, billed_minutes numeric,
    billed_unknown bigint, cost numeric, cost_unknown bigint)
LANGUAGE plpgsql STABLE
SET datestyle = 'ISO, YMD' SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    span record := report_span('usage', from_time, to_time, tz);
BEGIN
    RETURN QUERY EXECUTE format('
        SELECT %1$s, source, provider, account, trunk, direction, country, currency,
            sum(attempts)::bigint, sum(answered)::bigint, sum(duration), sum(billsec), sum(billed_sec), round(sum(billed_sec) / 60, 4),
            sum(billed_unknown)::bigint,
            CASE WHEN currency IS NOT NULL OR min(of) FILTER (WHERE cost IS NOT NULL) = max(of) FILTER (WHERE cost IS NOT NULL) THEN sum(cost) END,
            CASE WHEN currency IS NOT NULL OR min(of) FILTER (WHERE cost IS NOT NULL) = max(of) FILTER (WHERE cost IS NOT NULL)
                 THEN sum(cost_unknown) ELSE sum(attempts) END::bigint
        FROM (SELECT %2$s AS b, source AS of, %3$s, currency, attempts, answered, duration, billsec, billed_sec, billed_unknown, cost, cost_unknown
              FROM (%4$s) p) x
        GROUP BY b, source, provider, account, trunk, direction, country, currency
        ORDER BY b, source, provider, account, trunk, direction, country, currency',
        report_label(bucket, tz), report_bucket('usage', bucket, span.from_at, tz), report_dimensions('usage', dimensions),
        usage_parts(span.from_at, span.to_at, bucket = 'all' OR quarters_fit(span.from_at, span.to_at, tz)));
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage IS 'What was used, of ended calls whose call_time lies from from_time up to but not including to_time, both wall clock times of zone tz. One row per bucket (hour, day, month, all), dimensions (any of source, provider, account, trunk, direction, country, which is dst_country; null where not asked for, or not known) and currency: amounts of several currencies are never added, so sum over the rows of a bucket only what is no amount. Buckets without calls are absent; a day has 23, 24 or 25 hours.
bucket_start: UTC; bucket_local: the same by the clocks of tz. currency: ISO 4217, null for calls without cost and where nobody says. attempts: ended calls. answered: of these, answered. duration: seconds with ringing. billsec: seconds of talk. billed_sec: what the provider charged (charged_sec), else billed_seconds of billsec and the increments. billed_minutes: billed_sec / 60. billed_unknown: answered calls without either. cost: what providers charged. cost_unknown: calls without. A sum over nothing known is null. Costs of several sources that name no currency may be of several, and are not added: cost is null then, and cost_unknown all calls; ask by source. Exact in the caller''s snapshot.';

-- +goose Down
DROP FUNCTION usage, usage_parts, quarters_fit, refresh_usage, usage_compute, usage_dirty, usage_covered;
DROP TABLE usage_state, usage_quarter;
DROP VIEW usage_call;
DROP FUNCTION report_label, report_bucket, report_dimensions, report_span, local_text, local_moment, quarter_hour;
