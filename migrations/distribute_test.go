package migrations_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/migrations"
)

// standIn is ours and not Citus: it has the names that Distribute uses of Citus 13's catalog, writes down what is
// asked of it, and refuses what Citus' documentation says that Citus refuses. It moves no row anywhere.
const standIn = `
	CREATE SCHEMA stand_in;
	SET search_path = stand_in, public;
	SET allow_system_table_mods = on;
	INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
	VALUES (99999, 'citus', 10, 'stand_in'::regnamespace, false, '13.2-1');

	CREATE TABLE asked (n serial, what text);
	CREATE TABLE pg_dist_local_group (groupid int);
	INSERT INTO pg_dist_local_group VALUES (0);
	CREATE TABLE pg_dist_node (nodename text, noderole text, isactive bool, shouldhaveshards bool);
	INSERT INTO pg_dist_node VALUES ('coordinator', 'primary', true, false), ('worker-1', 'primary', true, true);
	CREATE TABLE pg_dist_object (classid oid, objid oid);
	CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char");

	CREATE FUNCTION create_distributed_function(function_name regprocedure, distribution_arg_name text DEFAULT NULL,
		colocate_with text DEFAULT 'default', force_pushdown bool DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
		INSERT INTO asked (what) VALUES ('function ' || function_name);
		INSERT INTO pg_dist_object VALUES ('pg_proc'::regclass, function_name)
	$$;

	CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
			RAISE 'table "%" is already distributed', table_name;
		END IF;
		INSERT INTO asked (what) VALUES (table_name || ' everywhere');
		INSERT INTO pg_dist_partition VALUES (table_name, 'n', 't');
	END $$;

	CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
		distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
		RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
			RAISE 'table "%" is already distributed', table_name;
		ELSIF colocate_with <> 'none' AND NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = colocate_with::regclass) THEN
			RAISE 'relation % is not distributed', colocate_with;
		END IF;
		INSERT INTO asked (what) VALUES (format('%s by %s beside %s', table_name, distribution_column, colocate_with));
		INSERT INTO pg_dist_partition VALUES (table_name, 'h', 's');
	END $$;

	CREATE FUNCTION truncate_local_data_after_distributing_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = table_name) THEN
			RAISE 'supplied parameter is not a distributed relation';
		END IF;
		INSERT INTO asked (what) VALUES (table_name || ' emptied');
		EXECUTE 'TRUNCATE ' || table_name;
	END $$;

	DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, stand_in', current_database()); END $$`

const noCitus = `the database has no Citus extension; nothing was changed. To get it:
  1. On the coordinator and on every worker install Citus 11 or newer, put citus first in
     shared_preload_libraries, restart Postgres, and run in this database: CREATE EXTENSION citus;
  2. On the coordinator, for every worker: SELECT citus_add_node('worker-1', 5432);
  3. Run this again, with DATABASE_URL naming the coordinator`

func TestDistributeWantsCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, setup, want string }{
		{"no extension", "", noCitus},
		{"an old one", standIn + `; UPDATE pg_extension SET extversion = '10.2-5' WHERE extname = 'citus'`,
			"the database has Citus 10, and 11 or newer is needed; nothing was changed"},
		{"no machine for data", standIn + `; UPDATE pg_dist_node SET isactive = false WHERE nodename = 'worker-1'`,
			"no machine of the Citus cluster takes data; nothing was changed.\n" +
				"On the coordinator, for every worker: SELECT citus_add_node('worker-1', 5432);"},
		{"a worker", standIn + `; UPDATE pg_dist_local_group SET groupid = 2`,
			"this is a worker of a Citus cluster; nothing was changed. DATABASE_URL must name the coordinator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			execute(t, url, c.setup)
			if err := migrations.Distribute(t.Context(), url, discard()); err == nil || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			if tables := column(t, url, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"); len(tables) > 0 {
				t.Errorf("it made tables: %v", tables)
			}
		})
	}
}

func TestDistribute(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	execute(t, url, standIn)
	distribute(t, url)
	if pending, err := migrations.Pending(t.Context(), url); err != nil || len(pending) > 0 {
		t.Errorf("migrations are missing: %v, %v", pending, err)
	}
	want := []string{
		"function ingest_guard(bigint,bigint,bigint,bigint)", "function message_status_rank(text)",
		"function billed_seconds(numeric,integer,integer)",
		"function fact_numeric(jsonb,text)", "function fact_integer(jsonb,text)", "function fact_boolean(jsonb,text)",
		"function fact_time(jsonb,text)", "function payload_cmiuuid(json)",
		"function quarter_hour(timestamp with time zone)",
		"function clock_change(timestamp with time zone,timestamp with time zone,timestamp without time zone,text)",
		"function local_moment(timestamp without time zone,text)",
		"function offset_change(timestamp with time zone,timestamp with time zone,text)", "function local_hour(timestamp with time zone,text)",
		"function local_text(timestamp with time zone,text)", "function bill_time(timestamp with time zone)",
		"function currency_digits(text)", "function net_cost(numeric,numeric,boolean)", "function gross_cost(numeric,numeric,boolean)",
		"function number_reading(text,text,text)", "function rate_prefixes(text,text,text)",
		"source everywhere", "rate everywhere", "tariff everywhere",
		"event by call_id beside none", "call by call_id beside event", "call_change by call_id beside event",
		"bill_line by call_id beside event", "recording by call_id beside event",
		"message by message_id beside none", "quarantine by quarantine_id beside none",
	}
	if got := asked(t, url); !slices.Equal(got, want) {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	text := distribute(t, url)
	if got := asked(t, url); len(got) != len(want) {
		t.Errorf("the second time asked for %v", got[len(want):])
	}
	if n := strings.Count(text, "is distributed already"); n != len(want) {
		t.Errorf("%d were distributed already, want %d:\n%s", n, len(want), text)
	}
}

// TestDistributeGoesOn begins where a failed run has stopped, with rows.
func TestDistributeGoesOn(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	execute(t, url, standIn)
	execute(t, url, `
		INSERT INTO source (name, provider) VALUES ('a', 'didww'), ('b', 'wavix');
		INSERT INTO recording VALUES ('a', 'call', 'recording', 'https://example.com', NULL, now(), 1, '{}');
		SELECT create_reference_table('source');
		SELECT create_distributed_table('event', 'call_id', colocate_with => 'none');
		DELETE FROM asked`)
	distribute(t, url)
	got := asked(t, url)
	for _, what := range []string{"source everywhere", "event by call_id beside none", "event emptied", "call emptied"} {
		if slices.Contains(got, what) {
			t.Errorf("it asked for %q", what)
		}
	}
	moved := slices.Index(got, "recording by call_id beside event")
	if emptied := slices.Index(got, "recording emptied"); moved < 0 || emptied != moved+1 || !slices.Contains(got, "source emptied") {
		t.Errorf("rows stay on the coordinator: %v", got)
	}
}

func TestDistributeSaysWhatFailed(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	execute(t, url, standIn+`; CREATE OR REPLACE FUNCTION create_reference_table(table_name regclass) RETURNS void
		LANGUAGE plpgsql AS $$ BEGIN RAISE 'connection to the remote node failed'; END $$`)
	err := migrations.Distribute(t.Context(), url, discard())
	if err == nil || !strings.HasPrefix(err.Error(), "distribute table source: ERROR: connection to the remote node failed") {
		t.Errorf("got %v", err)
	}
}

// onlyCoordinator are the functions that no statement calls for a row of a distributed table.
func onlyCoordinator() []string {
	return []string{
		"changes", "changes_now", "feed_cluster", "feed_cursor",
		"bill_pending", "period_refuse", "bill_digest", "period_digest",
		"report_span", "report_dimensions", "report_bucket", "report_label", "usage", "tax", "kpi", "concurrency", "completeness",
		"usage_covered", "usage_dirty", "usage_changed", "usage_compute", "usage_begin", "usage_end", "refresh_usage", "tend_usage", "quarters_fit", "usage_parts", "concurrency_quarters",
	}
}

// TestEveryTableIsPlaced fails for whoever adds a table or a function in a migration until it is in layout or
// functions of distribute.go, or among those that are needed on the coordinator only.
func TestEveryTableIsPlaced(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	var placed []string
	for _, p := range migrations.Placements() {
		placed = append(placed, p.Name)
	}
	slices.Sort(placed)
	if have := column(t, url, `SELECT relname::text FROM pg_class
		WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE "C"`); !slices.Equal(have, placed) {
		t.Errorf("the schema has the tables\n%v, and placed are\n%v", have, placed)
	}
	for _, have := range column(t, url, "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace") {
		name, _, _ := strings.Cut(have, "(")
		if slices.Contains(onlyCoordinator(), name) {
			continue
		}
		if !slices.ContainsFunc(migrations.Functions(), func(f string) bool { return strings.ReplaceAll(f, " ", "") == strings.ReplaceAll(have, " ", "") }) {
			t.Errorf("function %s is not placed", have)
		}
	}
}

// TestPlacementsSuitCitus asks Postgres' catalog what Citus asks of a table.
func TestPlacementsSuitCitus(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	all := migrations.Placements()
	for _, p := range all {
		if p.By == "" {
			continue
		}
		unfit := column(t, url, `
			SELECT format('unique index %s lacks %s', indexrelid::regclass, $2::text) FROM pg_index
			WHERE indrelid = $1::text::regclass AND indisunique AND coalesce((SELECT attnum FROM pg_attribute
				WHERE attrelid = indrelid AND attname = $2), -1) <> ALL (indkey)
			UNION ALL SELECT format('constraint %s', conname) FROM pg_constraint
			WHERE contype IN ('f', 'x') AND $1::text::regclass IN (conrelid, confrelid)
			UNION ALL SELECT format('trigger %s', tgname) FROM pg_trigger WHERE tgrelid = $1::text::regclass
			UNION ALL SELECT format('column %s may be null', attname) FROM pg_attribute
			WHERE attrelid = $1::text::regclass AND attname = $2 AND NOT attnotnull`, p.Name, p.By)
		if len(unfit) > 0 {
			t.Errorf("%s: %v", p.Name, unfit)
		}
		beside := slices.IndexFunc(all, func(o migrations.Placement) bool { return o.Name == p.Beside })
		if p.Beside != "none" && (beside < 0 || typeOf(t, url, p.Name, p.By) != typeOf(t, url, p.Beside, all[beside].By)) {
			t.Errorf("%s by %s cannot be beside %s", p.Name, p.By, p.Beside)
		}
	}
}

// distribute succeeds and returns what it logged.
func distribute(t *testing.T, url string) string {
	t.Helper()
	var text bytes.Buffer
	if err := migrations.Distribute(t.Context(), url, slog.New(slog.NewTextHandler(&text, nil))); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func asked(t *testing.T, url string) []string {
	t.Helper()
	return column(t, url, "SELECT what FROM asked ORDER BY n")
}

func typeOf(t *testing.T, url, table, name string) string {
	t.Helper()
	return strings.Join(column(t, url, `SELECT format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = $1::text::regclass AND attname = $2`, table, name), "")
}

func execute(t *testing.T, url, statements string) {
	t.Helper()
	conn := connect(t, url)
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// column returns the only column of a query's rows.
func column(t *testing.T, url, query string, args ...any) []string {
	t.Helper()
	conn := connect(t, url)
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
