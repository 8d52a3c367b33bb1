// Package migrations holds the changes of the database's schema and applies them with goose.
// It may import nothing else of this service.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// State is a migration and whether a database has it.
type State struct {
	// Name is the migration's file name.
	Name string
	// AppliedAt is when it was applied, zero when it was not.
	AppliedAt time.Time
}

// Up applies the migrations that the database lacks. Processes that do so at once wait for each other.
func Up(ctx context.Context, databaseURL string, log *slog.Logger) error {
	return with(databaseURL, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			log.Info("migration applied", "name", filepath.Base(r.Source.Path), "took", r.Duration)
		}
		if err != nil {
			return fmt.Errorf("apply migrations: %w", err)
		}
		return nil
	})
}

// Down takes the last applied migration back, and its data with it.
func Down(ctx context.Context, databaseURL string, log *slog.Logger) error {
	return with(databaseURL, func(p *goose.Provider) error {
		result, err := p.Down(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return errors.New("take a migration back: none is applied")
		}
		if err != nil {
			return fmt.Errorf("take a migration back: %w", err)
		}
		log.Info("migration taken back", "name", filepath.Base(result.Source.Path), "took", result.Duration)
		return nil
	})
}

// Status lists all migrations in their order.
func Status(ctx context.Context, databaseURL string) ([]State, error) {
	var states []State
	err := with(databaseURL, func(p *goose.Provider) error {
		status, err := p.Status(ctx)
		if err != nil {
			return fmt.Errorf("read applied migrations: %w", err)
		}
		for _, s := range status {
			states = append(states, State{Name: filepath.Base(s.Source.Path), AppliedAt: s.AppliedAt})
		}
		return nil
	})
	return states, err
}

// Pending lists the names of the migrations that the database lacks.
func Pending(ctx context.Context, databaseURL string) ([]string, error) {
	states, err := Status(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range states {
		if s.AppliedAt.IsZero() {
			names = append(names, s.Name)
		}
	}
	return names, nil
}

// with runs f with a goose that knows this package's migrations and takes Postgres' advisory lock.
func with(databaseURL string, f func(*goose.Provider) error) (err error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("read the database's URL: %w", err)
	}
	// Every second, for an hour: the other process may be rewriting a large table.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 3600))
	if err != nil {
		return fmt.Errorf("prepare the migrations' lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, stdlib.OpenDB(*config), files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return f(p)
}

// Hash names the set of migrations: it changes when one is added or edited.
func Hash() (string, error) {
	h := sha256.New()
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list the migrations: %w", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read migration %s: %w", name, err)
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// New writes an empty migration with the next number into dir and returns its path.
func New(dir, name string) (string, error) {
	word := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "_"), "_")
	if word == "" {
		return "", fmt.Errorf("create a migration: %q is not a name", name)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("create a migration: %w", err)
	}
	last := int64(0)
	for _, e := range entries {
		if v, err := goose.NumericComponent(e.Name()); err == nil {
			last = max(last, v)
		}
	}
	path := filepath.Join(dir, fmt.Sprintf("%05d_%s.sql", last+1, word))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("create a migration: %w", err)
	}
	_, err = f.WriteString("-- +goose Up\n\n\n-- +goose Down\n\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return path, nil
}
