-- +goose Up

-- A local time that the clocks of a zone skip was half an hour or an hour later in
-- SQL than on the command line. And hours were cut by the offset of the moment, so
-- that where clocks change by less than an hour (Australia/Lord_Howe) two hours
-- overlapped. Times now mean the same in both, and an hour begins where the clocks
-- change within it.

-- +goose StatementBegin
CREATE FUNCTION clock_change(after_at timestamptz, upto timestamptz, wall timestamp, tz text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    low  bigint := floor(extract(epoch FROM after_at));
    high bigint := ceil(extract(epoch FROM upto));
    mid  bigint;
BEGIN
    -- Clocks change at whole seconds, forward where wall is skipped.
    WHILE high - low > 1 LOOP
        mid := (low + high) / 2;
        IF to_timestamp(mid) AT TIME ZONE tz >= wall THEN
            high := mid;
        ELSE
            low := mid;
        END IF;
    END LOOP;
    RETURN to_timestamp(high);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION clock_change IS 'The first moment after one and up to another, between which the clocks of zone tz go forward, at which they show a time or a later one.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION local_moment(wall timestamp, tz text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- Where the clocks show a time twice Postgres takes the second. The offset of
    -- the day before gives the first, if that shows the same time. Where they skip
    -- it Postgres goes on from the time before, and so ends up after the change.
    SELECT CASE WHEN f.first < w.second AND f.first AT TIME ZONE tz = wall THEN f.first
                WHEN w.second AT TIME ZONE tz = wall THEN w.second
                ELSE clock_change(w.second - interval '24 hours', w.second, wall, tz) END
    FROM (SELECT wall AT TIME ZONE tz AS second) w,
         LATERAL (SELECT wall AT TIME ZONE 'UTC' - ((w.second - interval '24 hours') AT TIME ZONE tz
                                                   - (w.second - interval '24 hours') AT TIME ZONE 'UTC') AS first) f
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION local_moment IS 'The first moment at which the clocks of zone tz show a time, or a later one where they skip it: of two moments the first, of none that of the change. Days and months follow each other without a gap or an overlap. The commands read local times in the same way.';

-- +goose StatementBegin
CREATE FUNCTION offset_change(after_at timestamptz, upto timestamptz, tz text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    low  bigint := floor(extract(epoch FROM after_at));
    high bigint := floor(extract(epoch FROM upto));
    off  interval := to_timestamp(high) AT TIME ZONE tz - to_timestamp(high) AT TIME ZONE 'UTC';
    mid  bigint;
BEGIN
    WHILE high - low > 1 LOOP
        mid := (low + high) / 2;
        IF to_timestamp(mid) AT TIME ZONE tz - to_timestamp(mid) AT TIME ZONE 'UTC' = off THEN
            high := mid;
        ELSE
            low := mid;
        END IF;
    END LOOP;
    RETURN to_timestamp(high);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION offset_change IS 'The moment between two at which the clocks of zone tz take the offset that they have at the second, where they change once.';

-- +goose StatementBegin
CREATE FUNCTION local_hour(at timestamptz, tz text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN date_trunc('hour', at, tz) AT TIME ZONE tz = date_trunc('hour', at AT TIME ZONE tz) THEN date_trunc('hour', at, tz)
                ELSE offset_change(date_trunc('hour', at, tz), at, tz) END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION local_hour IS 'The beginning of the hour of a moment by the clocks of zone tz. Where they change within the hour, by less than an hour or at another minute, an hour ends and another begins there.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION report_bucket(what text, bucket text, from_at timestamptz, tz text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE coalesce(bucket, '')
        WHEN 'hour' THEN RETURN format('local_hour(at, %L)', tz);
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
CREATE OR REPLACE FUNCTION report_span(what text, from_time timestamp, to_time timestamp, tz text, OUT from_at timestamptz, OUT to_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- Names only: Postgres would also take texts such as UTC+2, which mean two hours behind.
    -- And AT TIME ZONE takes CET and its like for an offset, without summer time.
    IF tz IS NULL OR upper(tz) IN ('CET', 'EET', 'MET', 'WET') OR lower(tz) <> 'utc' AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE lower(z.name) = lower(tz)) THEN
        RAISE EXCEPTION '%: % is no time zone: write a name like Europe/London, or UTC', what, coalesce(quote_literal(tz), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF isfinite(from_time) AND isfinite(to_time) THEN
        from_at := local_moment(from_time, tz);
        to_at := local_moment(to_time, tz);
    END IF;
    IF from_at IS NULL OR to_at IS NULL OR from_at >= to_at THEN
        RAISE EXCEPTION '%: from_time % is not before to_time %, which is exclusive', what,
            coalesce(from_time::text, 'null'), coalesce(to_time::text, 'null') USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION report_span(what text, from_time timestamp, to_time timestamp, tz text, OUT from_at timestamptz, OUT to_at timestamptz)
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
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION report_bucket(what text, bucket text, from_at timestamptz, tz text) RETURNS text
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
CREATE OR REPLACE FUNCTION local_moment(wall timestamp, tz text) RETURNS timestamptz
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
DROP FUNCTION local_hour, offset_change, clock_change;
