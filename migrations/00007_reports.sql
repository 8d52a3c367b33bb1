-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION kpi(from_time timestamp, to_time timestamp, bucket text, tz text, VARIADIC dimensions text[] DEFAULT '{}')
RETURNS TABLE (bucket_start timestamptz, bucket_local text,
    source text, provider text, account text, trunk text, direction text, country text,
    attempts bigint, answered bigint, asr numeric, ner numeric, acd numeric, pdd_p50 numeric, pdd_p95 numeric, pdd_known bigint,
    short_calls bigint, causes jsonb)
LANGUAGE plpgsql STABLE
SET datestyle = 'ISO, YMD' SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    span record := report_span('kpi', from_time, to_time, tz);
BEGIN
    RETURN QUERY EXECUTE format('
        WITH c AS MATERIALIZED (
            SELECT %2$s AS b, %3$s, disposition = ''answered'' AS answered, billsec,
                CASE disposition WHEN ''answered'' THEN 1 WHEN ''no_answer'' THEN 1 WHEN ''busy'' THEN 1
                    WHEN ''rejected'' THEN (sip_code IS DISTINCT FROM 403)::integer
                    WHEN ''cancelled'' THEN (ringing_at IS NOT NULL)::integer
                    WHEN ''unknown'' THEN (coalesce(q850_cause IN (16, 17, 18, 19, 21), false) OR coalesce(sip_code IN (480, 486, 600, 603), false))::integer
                    ELSE 0 END AS delivered,
                CASE WHEN clock = ''provider'' AND ringing_at >= started_at THEN extract(epoch FROM ringing_at - started_at) END AS pdd,
                coalesce(''SIP '' || sip_code, ''Q.850 '' || q850_cause, hangup_cause) AS cause
            FROM (SELECT *, dst_country AS country, call_time AS at FROM call) call
            WHERE state = ''ended'' AND call_time >= %4$L AND call_time < %5$L
        ), sums AS (
            SELECT b, ARRAY[source, provider, account, trunk, direction, country] AS d, count(*) AS attempts,
                count(*) FILTER (WHERE answered) AS answered, sum(delivered) AS delivered,
                round(avg(billsec) FILTER (WHERE answered), 2) AS acd,
                round(percentile_cont(0.5) WITHIN GROUP (ORDER BY pdd)::numeric, 3) AS p50,
                round(percentile_cont(0.95) WITHIN GROUP (ORDER BY pdd)::numeric, 3) AS p95, count(pdd) AS pdd_known,
                count(*) FILTER (WHERE answered AND billsec < 6) AS short_calls
            FROM c GROUP BY 1, 2
        ), ranked AS (
            SELECT b, ARRAY[source, provider, account, trunk, direction, country] AS d, cause, count(*) AS n,
                row_number() OVER (PARTITION BY b, ARRAY[source, provider, account, trunk, direction, country] ORDER BY count(*) DESC, cause COLLATE "C") AS place
            FROM c GROUP BY 1, 2, source, provider, account, trunk, direction, country, cause
        ), causes AS (
            SELECT b, d, jsonb_agg(jsonb_build_object(''cause'', cause, ''calls'', n) ORDER BY place) AS causes
            FROM ranked WHERE place <= 10 GROUP BY 1, 2
        )
        SELECT %1$s, d[1], d[2], d[3], d[4], d[5], d[6], attempts, answered,
            round(100.0 * answered / attempts, 2), round(100.0 * delivered / attempts, 2), acd, p50, p95, pdd_known, short_calls, causes
        FROM sums JOIN causes USING (b, d)
        ORDER BY sums.b, sums.d',
        report_label(bucket, tz), report_bucket('kpi', bucket, span.from_at, tz), report_dimensions('kpi', dimensions),
        span.from_at, span.to_at);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION kpi IS 'How calls came out, of ended calls whose call_time lies from from_time up to but not including to_time, both wall clock times of zone tz. Buckets and dimensions as in usage, one row each.
bucket_start: UTC; bucket_local: the same by the clocks of tz. attempts: ended calls. answered: of these, answered. asr: answer seizure ratio of ITU-T E.425, 100 * answered / attempts, percent. ner: network effectiveness ratio of ITU-T E.425, 100 * (answered + user busy + ring no answer + terminal reject) / attempts, percent; counted are the dispositions answered, no_answer and busy; rejected, but not with SIP 403, which a network says; cancelled where the other side was ringing; unknown with Q.850 cause 16, 17, 18, 19 or 21 or SIP 480, 486, 600 or 603; failed never. acd: average call duration, seconds of talk (billsec) per answered call of which it is known. pdd_p50, pdd_p95: post dial delay, seconds from started_at to ringing_at, median and 95th percentile, interpolated, of the pdd_known calls where the provider says both (not by times of receipt). short_calls: answered, with less than 6 seconds of talk. causes: the ten most frequent ends, most frequent first, as [{"cause": "SIP 486", "calls": 12}]: SIP status, else Q.850 cause, else the provider''s words; null where nobody says. Null: no call to tell it by.';

-- +goose StatementBegin
CREATE FUNCTION concurrency_quarters(from_at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    state usage_state := usage_covered();
BEGIN
    IF state.watermark IS NULL THEN
        RETURN format('SELECT * FROM call WHERE call_time < %L', from_at);
    END IF;
    RETURN format('SELECT * FROM call WHERE call_time < least(%1$L, %2$L::timestamptz)
        UNION ALL
        SELECT c.* FROM (
            SELECT DISTINCT quarter AS q FROM usage_quarter WHERE quarter >= %2$L AND quarter < %1$L AND last_end > %1$L
            UNION SELECT d FROM usage_dirty(%3$L) d WHERE d >= %2$L AND d < %1$L
        ) old, LATERAL (SELECT * FROM call WHERE call_time >= q AND call_time < least(q + interval ''15 minutes'', %1$L) OFFSET 0) c',
        from_at, state.covered_from, state.watermark);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION concurrency_quarters IS 'SQL for the calls that began before a moment and may reach beyond it: those of the quarters of an hour whose last call ends later, by usage_quarter where it is up to date, else all.';

-- +goose StatementBegin
CREATE FUNCTION concurrency(from_time timestamp, to_time timestamp, tz text, VARIADIC dimensions text[] DEFAULT '{}')
RETURNS TABLE (minute timestamptz, minute_local text,
    source text, provider text, account text, trunk text, direction text, country text,
    peak bigint, peak_talking bigint)
LANGUAGE plpgsql STABLE
SET datestyle = 'ISO, YMD' SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    span record := report_span('concurrency', from_time, to_time, tz);
    dims text := report_dimensions('concurrency', dimensions);
    -- As a list that goes on, or nothing. COLLATE "C" sorts them in a third of the time.
    names text := (SELECT coalesce(string_agg(DISTINCT replace(d, 'dst_country', 'country'), ', ') || ', ', '') FROM unnest(dimensions) d);
BEGIN
    -- Peers of the window are what changes at one moment: who leaves then is gone before others come.
    RETURN QUERY EXECUTE format('
        WITH busy AS (
            SELECT %7$s greatest(call_time, %2$L) AS began, least(ended_at, %3$L) AS over,
                CASE WHEN answered_at < least(ended_at, %3$L) THEN greatest(answered_at, call_time, %2$L) END AS talks
            FROM (SELECT *, dst_country AS country FROM (
                      SELECT * FROM call WHERE call_time >= %2$L AND call_time < %3$L UNION ALL %4$s) u) c
            WHERE state = ''ended'' AND ended_at > call_time AND ended_at > %2$L
        ), running AS (
            SELECT %1$s at, n, t, sum(n) OVER w AS calls, sum(t) OVER w AS talking
            FROM busy, LATERAL (VALUES (began, 1, 0), (talks, 0, 1), (over, -1, -(talks IS NOT NULL)::integer)) v (at, n, t)
            WHERE at IS NOT NULL
            WINDOW w AS (PARTITION BY %1$s 1 ORDER BY at)
        ), minutes AS (
            SELECT %1$s date_trunc(''minute'', at) AS m, min(at) AS first, max(calls) AS calls, max(talking) AS talking, sum(n)::integer AS n, sum(t)::integer AS t
            FROM running GROUP BY %1$s date_trunc(''minute'', at)
        ), known AS (
            SELECT *, sum(n) OVER w AS calls_after, sum(t) OVER w AS talking_after, lead(m) OVER w AS next_m
            FROM minutes WINDOW w AS (PARTITION BY %1$s 1 ORDER BY m)
        ), peaks AS (
            -- Whoever was there when the minute began counts, unless he left at that very moment.
            SELECT %1$s m, CASE WHEN first > m THEN greatest(calls, calls_after - n) ELSE calls END AS calls,
                CASE WHEN first > m THEN greatest(talking, talking_after - t) ELSE talking END AS talking
            FROM known
            UNION ALL
            SELECT %1$s g, calls_after, talking_after
            FROM known, generate_series(m + interval ''1 minute'', next_m - interval ''1 minute'', interval ''1 minute'') g
            WHERE calls_after > 0
        )
        SELECT m, local_text(m, %5$L), %6$s, calls, talking
        FROM peaks WHERE calls > 0 AND m < %3$L
        ORDER BY m, %1$s 1',
        names, span.from_at, span.to_at, concurrency_quarters(span.from_at), tz, dims,
        regexp_replace(names, '(\w+),', '\1 COLLATE "C" AS \1,', 'g'));
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION concurrency IS 'The peak of simultaneous calls in each minute from from_time up to but not including to_time, wall clock times of zone tz; dimensions as in usage, each group with peaks of its own. A call occupies the time from its call_time up to but not including ended_at, exact to the microsecond; calls that began before count, also long before. Calls that have not ended, or of which nobody says when they ended, do not. Minutes without calls are absent.
minute: UTC; minute_local: the same by the clocks of tz. peak: the most calls at one moment of the minute. peak_talking: the most calls at one moment between answered_at and ended_at; not of calls whose answered_at is not known.';

-- Rows of event lie about in the order of their receipt, so a BRIN index finds a
-- span of receipts and is some thousand times smaller than one with every row.
CREATE INDEX event_by_receipt ON event USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);

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

-- +goose Down
DROP FUNCTION completeness, concurrency, concurrency_quarters, kpi;
DROP INDEX event_by_receipt;
