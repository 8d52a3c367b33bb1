// Package pgtest gives tests databases of a real Postgres: one fast server for a whole `go test ./...`, and in it a
// fresh database with the current schema for every test. Only tests and the program withpg import it.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/migrations"
)

// URLVariable names the server that tests share: the URL of a database on which they may create others.
const URLVariable = "CDRSTORE_TEST_DATABASE_URL"

// Run is for TestMain: os.Exit(pgtest.Run(m)). It runs the tests with the server that URLVariable names,
// else with one of this process' own.
func Run(m *testing.M) int {
	if os.Getenv(URLVariable) != "" {
		return m.Run()
	}
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	code := 1
	err := WithServer(ctx, log, func(url string) error {
		if err := os.Setenv(URLVariable, url); err != nil {
			return fmt.Errorf("export the test server's URL: %w", err)
		}
		code = m.Run()
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need Postgres (`make test` installs it):", err)
		return 1
	}
	return code
}

// WithServer runs f beside a temporary server that is fast and not durable.
func WithServer(ctx context.Context, log *slog.Logger, f func(url string) error) (err error) {
	dir, err := makeDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := postgres.Start(ctx, log, postgres.Options{Dir: dir, Fast: true, Settings: settings()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	return f(s.URL("postgres"))
}

// settings let all packages' parallel tests share one server.
func settings() map[string]string {
	return map[string]string{"max_connections": "300"}
}

// New returns the URL of a fresh database with the current schema, which is dropped after the test.
func New(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	admin := adminURL(t)
	template, err := ensureTemplate(ctx, admin)
	if err != nil {
		t.Fatalf("prepare the template of test databases: %v", err)
	}
	return create(ctx, t, admin, template)
}

// Empty returns the URL of a fresh database without any table, which is dropped after the test.
func Empty(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return create(ctx, t, adminURL(t), "template0")
}

// Pool returns connections to a fresh database with the current schema.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), New(t))
	if err != nil {
		t.Fatalf("connect to the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Server starts a server for this test alone, to be stopped and killed at will. Its database postgres.Database has
// the current schema.
func Server(t testing.TB) *postgres.Server {
	t.Helper()
	dir, err := makeDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test server: %v", err)
		}
	})
	s := start(t, postgres.Options{Dir: dir, Fast: true, Settings: settings()})
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if err := migrations.Up(t.Context(), s.URL(postgres.Database), log); err != nil {
		t.Fatalf("create the schema: %v", err)
	}
	return s
}

// Restart starts a server again that was stopped or killed, under the same URL.
func Restart(t testing.TB, s *postgres.Server) *postgres.Server {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatalf("stop the test server: %v", err)
	}
	return start(t, s.Options())
}

// start starts a server that is stopped after the test.
func start(t testing.TB, o postgres.Options) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)), o)
	if err != nil {
		t.Fatalf("start a server for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop the test server: %v", err)
		}
	})
	return s
}

// adminURL is the server that Run has provided.
func adminURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv(URLVariable)
	if url == "" {
		t.Fatalf("%s is not set: call pgtest.Run in this package's TestMain", URLVariable)
	}
	return url
}

// create makes a database from a template and drops it after the test.
func create(ctx context.Context, t testing.TB, admin, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := createDatabase(ctx, admin, name, template); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := execute(ctx, admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	url, err := withDatabase(admin, name)
	if err != nil {
		t.Fatalf("name the test database: %v", err)
	}
	return url
}

// execute runs statements, each in a transaction of its own, on a connection of its own.
func execute(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}
