-- What `cdrstore export` asks besides the rows, whose columns are known only at
-- run time.

-- name: PrepareExport :one
-- Settings of the transaction. Times are written in UTC. The cursor is planned
-- for its first rows: they come in the order of an index where there is one, for
-- sorting everything would need as much room as the export.
SELECT (set_config('timezone', 'UTC', true) || set_config('datestyle', 'ISO', true)
     || set_config('cursor_tuple_fraction', '0', true) || set_config('jit', 'off', true))::text AS settings;

-- name: SourceNames :many
SELECT name FROM source ORDER BY name;
