-- +goose Up

-- Each page of function changes read and sorted everything that its transactions
-- had changed: calls of one large transaction, such as a restore, cost the more the
-- more there were. The indexes now have the order of the pages: 50 us a call in one
-- transaction of 20,000, of 200,000 and of a million calls. 64,000 events in
-- transactions of 16 took as long to insert as before (2.3 s), with 6 % more log;
-- the index has 115 bytes an event instead of 9.

DROP INDEX event_by_xid;
CREATE INDEX event_by_xid ON event (xid, source COLLATE "C", call_id COLLATE "C");
DROP INDEX call_change_by_xid;
CREATE INDEX call_change_by_xid ON call_change (xid, source COLLATE "C", call_id COLLATE "C");

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION changes(since text DEFAULT '', at_most integer DEFAULT 1000)
RETURNS TABLE (source text, call_id text, gone boolean, cursor text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_hashagg = off SET enable_bitmapscan = off AS $$
DECLARE
    part  text[] := string_to_array(since, '.');
    below xid8   := pg_snapshot_xmin(pg_current_snapshot());
    above xid8   := pg_snapshot_xmax(pg_current_snapshot());
    here  text   := feed_cluster();
    wanted integer := at_most;
    page   record;
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
        -- The next calls of both indexes, in their order: a page costs the same however
        -- much a transaction has changed. An event that says nothing has no call.
        SELECT array_agg(k.xid) AS xids, array_agg(k.source) AS sources, array_agg(k.call_id) AS call_ids, count(*) AS n INTO page
        FROM (
            (SELECT DISTINCT e.xid, e.source COLLATE "C" AS source, e.call_id COLLATE "C" AS call_id FROM event e
             WHERE (e.xid, e.source COLLATE "C", e.call_id COLLATE "C") > (from_xid, from_source, from_call_id) AND e.xid < below
             ORDER BY e.xid, e.source COLLATE "C", e.call_id COLLATE "C" LIMIT at_most)
            UNION
            (SELECT DISTINCT g.xid, g.source COLLATE "C", g.call_id COLLATE "C" FROM call_change g
             WHERE (g.xid, g.source COLLATE "C", g.call_id COLLATE "C") > (from_xid, from_source, from_call_id) AND g.xid < below
             ORDER BY g.xid, g.source COLLATE "C", g.call_id COLLATE "C" LIMIT at_most)
            ORDER BY xid, source, call_id LIMIT at_most
        ) k;
        EXIT WHEN page.n = 0;
        RETURN QUERY
        SELECT k.source, k.call_id, c.call_id IS NULL,
               concat_ws('.', here, k.xid::text, encode(convert_to(k.source, 'UTF8'), 'hex'), encode(convert_to(k.call_id, 'UTF8'), 'hex'))
        FROM unnest(page.xids, page.sources, page.call_ids) WITH ORDINALITY AS k (xid, source, call_id, n)
        LEFT JOIN call c ON c.source = k.source COLLATE "default" AND c.call_id = k.call_id COLLATE "default"
        LEFT JOIN call_change g ON c.call_id IS NULL AND g.source = k.source AND g.call_id = k.call_id AND g.xid = k.xid
        WHERE c.call_id IS NOT NULL OR g.call_id IS NOT NULL
        ORDER BY k.n
        LIMIT wanted;
        GET DIAGNOSTICS found = ROW_COUNT;
        wanted := wanted - found;
        EXIT WHEN wanted = 0 OR page.n < at_most;
        from_xid := page.xids[page.n];
        from_source := page.sources[page.n];
        from_call_id := page.call_ids[page.n];
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX event_by_xid;
CREATE INDEX event_by_xid ON event (xid);
DROP INDEX call_change_by_xid;
CREATE INDEX call_change_by_xid ON call_change (xid);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION changes(since text DEFAULT '', at_most integer DEFAULT 1000)
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
