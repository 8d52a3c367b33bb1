package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// oldestCitus is the first version that copies functions and the knowledge of all tables to every machine.
const oldestCitus = 11

const noCitus = `the database has no Citus extension; nothing was changed. To get it:
  1. On the coordinator and on every worker install Citus 11 or newer, put citus first in
     shared_preload_libraries, restart Postgres, and run in this database: CREATE EXTENSION citus;
  2. On the coordinator, for every worker: SELECT citus_add_node('worker-1', 5432);
  3. Run this again, with DATABASE_URL naming the coordinator`

const noNode = `no machine of the Citus cluster takes data; nothing was changed.
On the coordinator, for every worker: SELECT citus_add_node('worker-1', 5432);`

const isWorker = "this is a worker of a Citus cluster; nothing was changed. DATABASE_URL must name the coordinator"

// table says where Citus keeps the rows of a table. With a name alone it stays on the coordinator.
type table struct {
	name       string
	everywhere bool   // every machine has all rows
	by         string // column whose value says on which machine a row is
	beside     string // table whose rows of the same value are on the same machine; none: no other's
}

// layout decides about every table, in the order in which they are distributed. A migration that adds a table adds
// it here: what is about calls by call_id beside event, what is small and joined with others everywhere.
func layout() []table {
	return []table{
		{name: "source", everywhere: true},
		{name: "rate", everywhere: true},
		{name: "tariff", everywhere: true},
		{name: "event", by: "call_id", beside: "none"},
		{name: "call", by: "call_id", beside: "event"},
		{name: "call_change", by: "call_id", beside: "event"},
		{name: "bill_line", by: "call_id", beside: "event"},
		{name: "recording", by: "call_id", beside: "event"},
		{name: "message", by: "message_id", beside: "none"},
		{name: "quarantine", by: "quarantine_id", beside: "none"},
		{name: "period"},
		{name: "usage_quarter"},
		{name: "usage_stale"},
		{name: "usage_state"},
		{name: "goose_db_version"},
	}
}

// functions are those that statements call and that Citus may run on any machine. It copies by itself only what is
// created after the extension, or what a table needs, as in a default: not what only statements call.
func functions() []string {
	return []string{
		"ingest_guard(bigint, bigint, bigint, bigint)",
		"message_status_rank(text)",
		"billed_seconds(numeric, integer, integer)",
		"fact_numeric(jsonb, text)", "fact_integer(jsonb, text)", "fact_boolean(jsonb, text)", "fact_time(jsonb, text)",
		"payload_cmiuuid(json)",
		"quarter_hour(timestamp with time zone)",
		"clock_change(timestamp with time zone, timestamp with time zone, timestamp without time zone, text)",
		"local_moment(timestamp without time zone, text)",
		"offset_change(timestamp with time zone, timestamp with time zone, text)", "local_hour(timestamp with time zone, text)",
		"local_text(timestamp with time zone, text)", "bill_time(timestamp with time zone)",
		"currency_digits(text)", "net_cost(numeric, numeric, boolean)", "gross_cost(numeric, numeric, boolean)",
		"number_reading(text, text, text)", "rate_prefixes(text, text, text)",
	}
}

// Distribute applies the migrations that the database lacks and spreads its tables over the machines of a Citus
// cluster. What is distributed already stays as it is. Without Citus nothing is changed.
func Distribute(ctx context.Context, databaseURL string, log *slog.Logger) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := wantCluster(ctx, conn); err != nil {
		return err
	}
	if err := Up(ctx, databaseURL, log); err != nil {
		return err
	}
	for _, signature := range functions() {
		if err := copyFunction(ctx, conn, signature, log); err != nil {
			return fmt.Errorf("distribute function %s: %w", signature, err)
		}
	}
	for _, t := range layout() {
		if err := t.distribute(ctx, conn, log.With("table", t.name)); err != nil {
			return fmt.Errorf("distribute table %s: %w", t.name, err)
		}
	}
	return nil
}

// wantCluster refuses a database that is not the coordinator of a Citus cluster with machines for data. Where it knows
// none, Citus would put all data on the coordinator.
func wantCluster(ctx context.Context, conn *pgx.Conn) error {
	var version int
	err := conn.QueryRow(ctx, `SELECT split_part(extversion, '.', 1)::int FROM pg_extension WHERE extname = 'citus'`).
		Scan(&version)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errors.New(noCitus)
	case err != nil:
		return fmt.Errorf("look for Citus: %w", err)
	case version < oldestCitus:
		return fmt.Errorf("the database has Citus %d, and %d or newer is needed; nothing was changed", version, oldestCitus)
	}
	var group, nodes int
	err = conn.QueryRow(ctx, `SELECT (SELECT groupid FROM pg_dist_local_group),
		(SELECT count(*) FROM pg_dist_node WHERE noderole = 'primary' AND isactive AND shouldhaveshards)`).
		Scan(&group, &nodes)
	switch {
	case err != nil:
		return fmt.Errorf("look for the machines of the cluster: %w", err)
	case group != 0:
		return errors.New(isWorker)
	case nodes == 0:
		return errors.New(noNode)
	}
	return nil
}

// copyFunction creates a function on all machines, and on those that are added later.
func copyFunction(ctx context.Context, conn *pgx.Conn, signature string, log *slog.Logger) error {
	var done bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_dist_object
		WHERE classid = 'pg_proc'::regclass AND objid = $1::text::regprocedure)`, signature).Scan(&done)
	if err != nil {
		return err
	}
	if done {
		log.Info("function is distributed already", "function", signature)
		return nil
	}
	if _, err := conn.Exec(ctx, "SELECT create_distributed_function($1::text::regprocedure)", signature); err != nil {
		return err
	}
	log.Info("function distributed", "function", signature)
	return nil
}

// distribute moves a table's rows to their machines, and removes what Citus leaves on the coordinator: no query sees
// it, so that erase would miss it, but a unique index that is added later would not.
func (t table) distribute(ctx context.Context, conn *pgx.Conn, log *slog.Logger) error {
	if !t.everywhere && t.by == "" {
		log.Info("table stays on the coordinator")
		return nil
	}
	var done bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_dist_partition
		WHERE logicalrelid = $1::text::regclass AND (partmethod = 'h' OR repmodel = 't'))`, t.name).Scan(&done)
	switch {
	case err != nil:
		return err
	case done:
		log.Info("table is distributed already")
	default:
		if err := t.move(ctx, conn, log); err != nil {
			return err
		}
	}
	tag, err := conn.Exec(ctx, `SELECT truncate_local_data_after_distributing_table($1::text::regclass)
		WHERE pg_relation_size($1::text::regclass) > 0`, t.name)
	if err != nil {
		return fmt.Errorf("remove what was copied: %w", err)
	}
	if tag.RowsAffected() > 0 {
		log.Info("rows removed from the coordinator: they are on their machines")
	}
	return nil
}

func (t table) move(ctx context.Context, conn *pgx.Conn, log *slog.Logger) error {
	statement, args := "SELECT create_reference_table($1::text::regclass)", []any{t.name}
	if !t.everywhere {
		statement = "SELECT create_distributed_table($1::text::regclass, $2::text, colocate_with => $3::text)"
		args = append(args, t.by, t.beside)
	}
	log.Info("distributing table: what is written to it waits")
	start := time.Now()
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ANALYZE "+pgx.Identifier{t.name}.Sanitize()); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	log.Info("table distributed", "took", time.Since(start).Round(time.Millisecond))
	return nil
}
