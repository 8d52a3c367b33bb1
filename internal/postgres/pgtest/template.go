package pgtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/migrations"
)

// templateLock is the advisory lock under which one of many processes builds the template.
const templateLock = 7_226_011_904

// ensureTemplate returns the name of a database with the current schema, which it builds unless somebody has. The
// name changes with the migrations, so that a template is never out of date.
func ensureTemplate(ctx context.Context, admin string) (string, error) {
	hash, err := migrations.Hash()
	if err != nil {
		return "", err
	}
	name := "template_" + hash
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // which releases the lock

	if ready, err := isTemplate(ctx, conn, name); ready || err != nil {
		return name, err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", fmt.Errorf("lock the template: %w", err)
	}
	if ready, err := isTemplate(ctx, conn, name); ready || err != nil {
		return name, err
	}
	return name, buildTemplate(ctx, admin, name)
}

// isTemplate is true only for a template that was built to its end.
func isTemplate(ctx context.Context, conn *pgx.Conn, name string) (bool, error) {
	var ready bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)", name).
		Scan(&ready)
	if err != nil {
		return false, fmt.Errorf("look for the template: %w", err)
	}
	return ready, nil
}

// buildTemplate builds the template in place of one that was left half-built.
func buildTemplate(ctx context.Context, admin, name string) error {
	if err := execute(ctx, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		return err
	}
	if err := createDatabase(ctx, admin, name, "template0"); err != nil {
		return err
	}
	target, err := withDatabase(admin, name)
	if err != nil {
		return err
	}
	if err := migrations.Up(ctx, target, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		return err
	}
	// A template with a connection, even autovacuum's, cannot be copied.
	return execute(ctx, admin, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false",
		"ALTER DATABASE "+name+" IS_TEMPLATE true")
}

// createDatabase copies the template's files where Postgres knows how: without fsync that is faster than through the log.
func createDatabase(ctx context.Context, admin, name, template string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var choosable bool
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int >= 150000").Scan(&choosable)
	if err != nil {
		return fmt.Errorf("read the server's version: %w", err)
	}
	statement := "CREATE DATABASE " + name + " TEMPLATE " + template
	if choosable {
		statement += " STRATEGY file_copy"
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// withDatabase is the URL of another database of the same server.
func withDatabase(admin, name string) (string, error) {
	u, err := url.Parse(admin)
	if err != nil {
		return "", fmt.Errorf("read the test server's URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
