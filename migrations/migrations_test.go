package migrations_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/migrations"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestEveryMigrationGoesBack also proves that each Down leaves what its Up needs.
func TestEveryMigrationGoesBack(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	before := schema(t, url)
	up(t, url)
	first := schema(t, url)
	all, err := migrations.Status(t.Context(), url)
	if err != nil || len(all) == 0 {
		t.Fatalf("status: %v, %v", all, err)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].AppliedAt.IsZero() {
			t.Errorf("%s is not applied after Up", all[i].Name)
		}
		if err := migrations.Down(t.Context(), url, discard()); err != nil {
			t.Fatal(err)
		}
		if pending, err := migrations.Pending(t.Context(), url); err != nil || len(pending) != len(all)-i {
			t.Errorf("pending after taking %s back: %v, %v", all[i].Name, pending, err)
		}
	}
	if after := schema(t, url); after != before {
		t.Errorf("Down leaves something:\n%s", after)
	}
	if err := migrations.Down(t.Context(), url, discard()); err == nil {
		t.Error("Down without a migration succeeds")
	}
	up(t, url)
	if again := schema(t, url); again != first {
		t.Errorf("Up after Down makes\n%s, and before\n%s", again, first)
	}
}

// TestReadersOfSumsReadOn: who was given usage_quarter alone reads usage after it
// needs usage_stale too.
func TestReadersOfSumsReadOn(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	ask := func(query string) (yes bool) {
		if err := conn.QueryRow(t.Context(), query).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	for ask("SELECT to_regclass('usage_stale') IS NOT NULL") {
		if err := migrations.Down(t.Context(), url, discard()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), "GRANT SELECT ON usage_quarter TO pg_signal_backend; GRANT UPDATE ON usage_quarter TO pg_monitor"); err != nil {
		t.Fatal(err)
	}
	up(t, url)
	if !ask("SELECT has_table_privilege('pg_signal_backend', 'usage_stale', 'SELECT')") {
		t.Error("a reader of usage_quarter may not read usage_stale")
	}
	if ask("SELECT has_table_privilege('pg_monitor', 'usage_stale', 'SELECT')") {
		t.Error("who may not read usage_quarter may read usage_stale")
	}
}

func TestReceiversThatStartAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { up(t, url) })
	}
	wg.Wait()
	if pending, err := migrations.Pending(t.Context(), url); err != nil || len(pending) > 0 {
		t.Errorf("pending: %v, %v", pending, err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "00041_old.sql"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := migrations.New(dir, "Add a Trunk's name!")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "00042_add_a_trunk_s_name.sql"); path != want {
		t.Errorf("made %s, want %s", path, want)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "-- +goose Up") || !strings.Contains(string(text), "-- +goose Down") {
		t.Errorf("the file is %q, %v", text, err)
	}
	if _, err := migrations.New(dir, "!"); err == nil {
		t.Error("a name without a letter passes")
	}
}

func up(t *testing.T, url string) {
	t.Helper()
	if err := migrations.Up(t.Context(), url, discard()); err != nil {
		t.Error(err)
	}
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// schema lists relations with their columns, and functions and types, but for goose's own.
func schema(t *testing.T, url string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var text string
	err = conn.QueryRow(t.Context(), `
		SELECT coalesce(string_agg(item, E'\n' ORDER BY item), '') FROM (
			SELECT c.relkind::text || ' ' || c.relname || ' ' || coalesce(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), '')
			FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'goose_db_version%'
			UNION ALL SELECT 'function ' || oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT 'type ' || typname FROM pg_type
			WHERE typnamespace = 'public'::regnamespace AND typname !~ '^_?goose_db_version'
		) AS s (item)`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
