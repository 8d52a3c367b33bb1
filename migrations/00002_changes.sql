-- +goose Up

-- Reading what changed: every transaction that changes a call leaves its id, be
-- it with a new event, or here where no event is new.

CREATE INDEX event_by_xid ON event (xid);

CREATE TABLE call_change (
    source        text        NOT NULL,
    call_id       text        NOT NULL,
    xid           xid8        NOT NULL DEFAULT pg_current_xact_id(),
    old_call_time timestamptz,
    PRIMARY KEY (source, call_id, xid)
);
CREATE INDEX call_change_by_xid ON call_change (xid);
COMMENT ON TABLE call_change IS 'Changes of calls that a new event alone does not show: by rebuild, import, prune and erase, by a repeat that was received before what was taken for the first receipt, and to another call_time.';
COMMENT ON COLUMN call_change.source IS 'Of the call.';
COMMENT ON COLUMN call_change.call_id IS 'Of the call, which may be gone.';
COMMENT ON COLUMN call_change.xid IS 'Transaction that changed it.';
COMMENT ON COLUMN call_change.old_call_time IS 'call_time before, UTC, where the call has moved to another quarter of an hour or is gone; else null.';
COMMENT ON COLUMN event.xid IS 'Transaction that added the row, for reading changes without a gap: see function changes.';

COMMENT ON FUNCTION ingest_guard IS 'Undoes a batch that was folded from what is no longer true: raises CDR01 unless exactly the expected rows were written, of events that came again or of calls that changed. (New rows are guarded by their primary keys.)';

-- +goose StatementBegin
CREATE FUNCTION feed_cluster() RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        RAISE EXCEPTION 'changes: transaction ids of a Citus cluster are of several machines and have no common order; read call.changed_at there'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN (SELECT left(encode(sha256(convert_to(format('%s/%s/%s', s.system_identifier, d.oid, c.timeline_id), 'UTF8')), 'hex'), 16)
            FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database());
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION feed_cluster IS 'What transaction ids of this database are comparable within: the cluster, the database and the timeline, as 16 hex digits. Another after a restore, an upgrade or a failover, when ids may be used again.';

CREATE FUNCTION feed_cursor(at_xid xid8) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT feed_cluster() || '.' || at_xid::text $$;
COMMENT ON FUNCTION feed_cursor IS 'Writes a cursor of function changes, before everything that a transaction has changed.';

-- Behind the last change, and not behind the last transaction: after a crash the
-- server gives the ids of those again that wrote nothing which was kept.
CREATE FUNCTION changes_now() RETURNS text
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT feed_cursor(coalesce((SELECT (last.xid::text::numeric + 1)::text::xid8 FROM (
        (SELECT e.xid FROM event e WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY e.xid DESC LIMIT 1)
        UNION ALL
        (SELECT g.xid FROM call_change g WHERE g.xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY g.xid DESC LIMIT 1)
    ) last ORDER BY last.xid DESC LIMIT 1), '0'))
$$;
COMMENT ON FUNCTION changes_now IS 'A cursor behind every change that is shown already, for those who then read the table call, in the same snapshot or later.';

-- +goose StatementBegin
CREATE FUNCTION changes(since text DEFAULT '', at_most integer DEFAULT 1000)
RETURNS TABLE (source text, call_id text, gone boolean, cursor text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    part  text[] := string_to_array(since, '.');
    below xid8   := pg_snapshot_xmin(pg_current_snapshot());
    above xid8   := pg_snapshot_xmax(pg_current_snapshot());
    here  text   := feed_cluster();
    upto   xid8;
    wanted integer := at_most;
    found  integer;
    from_xid     xid8 := '0';
    from_source  text := '';
    from_call_id text := '';
BEGIN
    IF at_most < 1 THEN
        RAISE EXCEPTION 'changes: at_most is %, and must be at least 1', at_most USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Ids that this cluster has not given yet are of another one, whose dump was
    -- restored here: their calls would come late, out of order.
    IF EXISTS (SELECT FROM event e WHERE e.xid >= above AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned())
    OR EXISTS (SELECT FROM call_change g WHERE g.xid >= above AND g.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()) THEN
        RAISE EXCEPTION 'changes: rows of event or call_change have transaction ids of another cluster: they were restored from a dump'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Say once: UPDATE event SET xid = pg_current_xact_id(); DELETE FROM call_change; INSERT INTO call_change (source, call_id) SELECT source, call_id FROM call WHERE pruned_at IS NOT NULL;';
    END IF;
    IF coalesce(since, '') <> '' THEN
        IF since !~ '^[0-9a-f]{16}[.][0-9]{1,20}([.]([0-9a-f]{2})+[.]([0-9a-f]{2})+)?$' OR part[2]::numeric > 18446744073709551615 THEN
            RAISE EXCEPTION 'changes: % is no cursor of this function', quote_literal(left(since, 60)) USING ERRCODE = 'invalid_parameter_value';
        END IF;
        from_xid := part[2]::xid8;
        IF part[1] <> here OR from_xid > below THEN
            RAISE EXCEPTION 'changes: the cursor is of another cluster, or of a state of this one that was not restored; begin again without a cursor'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        from_source := coalesce(convert_from(decode(part[3], 'hex'), 'UTF8'), '');
        from_call_id := coalesce(convert_from(decode(part[4], 'hex'), 'UTF8'), '');
    END IF;
    LOOP
        -- The transactions of about the next at_most marks: a short span of both
        -- indexes, so that what follows sorts little however much is behind it.
        SELECT mark.xid INTO upto FROM (
            (SELECT e.xid FROM event e WHERE e.xid >= from_xid AND e.xid < below ORDER BY e.xid LIMIT at_most + 1)
            UNION ALL
            (SELECT g.xid FROM call_change g WHERE g.xid >= from_xid AND g.xid < below ORDER BY g.xid LIMIT at_most + 1)
            ORDER BY xid LIMIT at_most + 1
        ) mark ORDER BY mark.xid DESC LIMIT 1; -- Postgres 13 has no max of xid8
        EXIT WHEN upto IS NULL;
        RETURN QUERY
        SELECT s.source, s.call_id, s.gone,
               concat_ws('.', here, s.xid::text, encode(convert_to(s.source, 'UTF8'), 'hex'), encode(convert_to(s.call_id, 'UTF8'), 'hex'))
        FROM (
            SELECT e.xid, e.source, e.call_id, false AS gone
            FROM event e JOIN call c ON c.source = e.source AND c.call_id = e.call_id
            WHERE e.xid >= from_xid AND e.xid <= upto AND (e.xid, e.source COLLATE "C", e.call_id COLLATE "C") > (from_xid, from_source, from_call_id)
            UNION
            SELECT g.xid, g.source, g.call_id, c.call_id IS NULL
            FROM call_change g LEFT JOIN call c ON c.source = g.source AND c.call_id = g.call_id
            WHERE g.xid >= from_xid AND g.xid <= upto AND (g.xid, g.source COLLATE "C", g.call_id COLLATE "C") > (from_xid, from_source, from_call_id)
        ) s
        ORDER BY s.xid, s.source COLLATE "C", s.call_id COLLATE "C"
        LIMIT wanted;
        GET DIAGNOSTICS found = ROW_COUNT;
        wanted := wanted - found;
        EXIT WHEN wanted = 0;
        from_xid := (upto::text::numeric + 1)::text::xid8;
        from_source := '';
        from_call_id := '';
    END LOOP;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION changes IS 'The calls that changed behind a cursor, in the order of the transactions that changed them, at most so many; without a cursor all calls there are. Each row brings the cursor behind it. Join table call in the same statement to see the call as it is now; gone: its row was removed. A call may be shown more than once, and never too seldom: only transactions older than every running one are shown, so that one which runs for long delays what comes after it and nothing is skipped. Raises an error for a cursor of another cluster, and where rows were restored from the dump of another.';

-- +goose Down
DROP FUNCTION changes, changes_now, feed_cursor, feed_cluster;
DROP TABLE call_change;
DROP INDEX event_by_xid;
