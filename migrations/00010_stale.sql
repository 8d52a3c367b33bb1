-- +goose Up

-- The sums of usage are brought up to date a little at a time. Until now each
-- minute everything that had changed within it was looked for at once, and every
-- quarter of an hour that it touched was computed anew, the present one among
-- them, which was out of date again a moment later: three quarters of a second of
-- work with 3,000 deliveries a second, in which deliveries waited. Now changes are
-- looked for every second or so, and only note which quarters they make stale; a
-- quarter is computed when it has been quiet, or stale for long.

CREATE TABLE usage_stale (
    quarter   timestamptz PRIMARY KEY,
    since     timestamptz NOT NULL,
    marked_at timestamptz NOT NULL
);
COMMENT ON TABLE usage_stale IS 'Quarters of an hour in which usage_quarter is out of date, by changes of calls below the watermark of usage_state. Those at or above it are found by function usage_changed.';
COMMENT ON COLUMN usage_stale.quarter IS 'Beginning of the quarter of an hour, UTC.';
COMMENT ON COLUMN usage_stale.since IS 'When it was first found to be out of date, UTC.';
COMMENT ON COLUMN usage_stale.marked_at IS 'When a change was last found in it, UTC.';

-- Who may read the sums may read which of them are stale: reports need both.
-- +goose StatementBegin
DO $$
DECLARE reader text;
BEGIN
    FOR reader IN
        SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'usage_quarter'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON usage_stale TO %s', reader);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE usage_quarter IS 'Sums over ended calls by quarter of an hour, computed anew from call by tend_usage and refresh_usage, never added to. Some quarters may be out of date: read function usage, which knows them.';
COMMENT ON COLUMN usage_state.watermark IS 'Changes of calls by transactions below it are in usage_quarter, or their quarters in usage_stale; others may be.';

-- +goose StatementBegin
CREATE FUNCTION usage_changed(watermark xid8) RETURNS SETOF timestamptz
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
COMMENT ON FUNCTION usage_changed IS 'Quarters of an hour, UTC, that changes by transactions at or above the watermark touch, as far as this snapshot sees them.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION usage_dirty(watermark xid8) RETURNS SETOF timestamptz
LANGUAGE sql STABLE AS $$
    SELECT quarter FROM usage_stale UNION SELECT d FROM usage_changed(watermark) d
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_dirty IS 'Quarters of an hour, UTC, in which usage_quarter may be out of date: those of usage_stale, and what changes by transactions at or above the watermark touch that this snapshot sees.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION usage_compute(from_at timestamptz, to_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM usage_quarter WHERE quarter >= from_at AND quarter < to_at;
    DELETE FROM usage_stale WHERE quarter >= from_at AND quarter < to_at;
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
COMMENT ON FUNCTION usage_compute IS 'Computes a span of usage_quarter anew, from and to whole quarters of an hour, UTC. For refresh_usage and tend_usage only.';

-- +goose StatementBegin
CREATE FUNCTION usage_begin() RETURNS usage_state
LANGUAGE plpgsql AS $$
DECLARE state usage_state;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'the sums of usage: compute them in a transaction of REPEATABLE READ, so that all that is read is of one moment'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    state := usage_covered();
    IF state.watermark IS NULL THEN
        DELETE FROM usage_state;
        DELETE FROM usage_quarter;
        state.covered_from := 'infinity';
    END IF;
    RETURN state;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_begin IS 'How far usage_quarter is computed; where it is of another cluster or there is nothing yet, it is emptied. For refresh_usage and tend_usage only.';

-- +goose StatementBegin
CREATE FUNCTION usage_end(state usage_state, at_most bigint) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE next timestamptz;
BEGIN
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
    RETURN state.covered_from;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION usage_end IS 'Computes about at_most calls more of usage_quarter, from the newest back, where not all are in it, writes down how far it is computed, and returns from where on it is. For refresh_usage and tend_usage only.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refresh_usage(at_most bigint DEFAULT 500000) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    state usage_state;
    dirty timestamptz;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        RETURN true;
    END IF;
    state := usage_begin();
    IF state.watermark IS NOT NULL THEN
        FOR dirty IN SELECT d FROM usage_dirty(state.watermark) d WHERE d >= state.covered_from LOOP
            PERFORM usage_compute(dirty, dirty + interval '15 minutes');
        END LOOP;
    END IF;
    RETURN usage_end(state, at_most) = '-infinity';
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION refresh_usage IS 'Brings all of usage_quarter up to date at once, and computes about at_most calls more of it, from the newest back, so that the first computation is made of short transactions. True: all is computed. In a transaction of REPEATABLE READ; of two at once, or beside tend_usage, one fails with 40001, which does no harm. Does nothing on Citus.';

-- +goose StatementBegin
CREATE FUNCTION tend_usage(at_most bigint DEFAULT 200000, quiet interval DEFAULT '1 minute', at_latest interval DEFAULT '15 minutes',
    OUT changed boolean, OUT more boolean)
LANGUAGE plpgsql
-- All goes by a key. Planned for tables that were never analysed, or for any
-- watermark, each look would read them whole.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    state usage_state;
    due   timestamptz;
BEGIN
    changed := false;
    more := false;
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        RETURN;
    END IF;
    state := usage_begin();
    IF state.watermark IS NOT NULL THEN
        INSERT INTO usage_stale SELECT d, now(), now() FROM usage_changed(state.watermark) d WHERE d >= state.covered_from
        ON CONFLICT (quarter) DO UPDATE SET marked_at = EXCLUDED.marked_at;
        changed := FOUND;
    END IF;
    IF state.covered_from = '-infinity' THEN
        SELECT s.quarter INTO due FROM usage_stale s
        WHERE s.marked_at <= now() - quiet OR s.since <= now() - at_latest ORDER BY s.quarter DESC LIMIT 1;
        IF due IS NOT NULL THEN
            PERFORM usage_compute(due, due + interval '15 minutes');
        END IF;
    END IF;
    -- An idle database is not written to each time that somebody looks.
    IF changed OR due IS NOT NULL OR state.covered_from > '-infinity' OR state.refreshed_at <= now() - interval '1 minute' THEN
        more := usage_end(state, at_most) > '-infinity'
            OR EXISTS (SELECT FROM usage_stale s WHERE s.marked_at <= now() - quiet OR s.since <= now() - at_latest);
    END IF;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION tend_usage IS 'Does a little for usage_quarter: notes in usage_stale what has changed, and computes one quarter of an hour that has been quiet for so long or stale for at_latest, or, until all calls are in it once, about at_most of them. changed: there were changes; more: there is more to do at once. The receiver calls it every second where calls change and every minute where none does, in a transaction of REPEATABLE READ. Does nothing on Citus.';

-- +goose Down
DROP FUNCTION tend_usage;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refresh_usage(at_most bigint DEFAULT 500000) RETURNS boolean
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
CREATE OR REPLACE FUNCTION usage_compute(from_at timestamptz, to_at timestamptz) RETURNS void
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
CREATE OR REPLACE FUNCTION usage_dirty(watermark xid8) RETURNS SETOF timestamptz
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
-- What was noted is known to nobody now: all is computed anew.
DELETE FROM usage_state;
COMMENT ON TABLE usage_quarter IS 'Sums over ended calls by quarter of an hour, computed anew from call by refresh_usage, never added to. Some quarters may be out of date: read function usage, which knows them.';
COMMENT ON COLUMN usage_state.watermark IS 'Changes of calls by transactions below it are in usage_quarter; others may be.';
DROP FUNCTION usage_begin, usage_end, usage_changed;
DROP TABLE usage_stale;
