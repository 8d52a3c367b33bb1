package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/schollz/progressbar/v3"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/migrations"
)

// database is the Postgres that a command works on.
type database struct {
	url   string
	ended <-chan struct{} // closed when an own server has ended; nil: not ours
	stop  func(context.Context) error
}

// connect returns DATABASE_URL, else the own server: the one that a running
// receiver started, or one that ends with this command.
func connect(ctx context.Context, cfg config.Config, log *slog.Logger) (database, error) {
	if cfg.DatabaseURL != "" {
		return database{url: cfg.DatabaseURL, stop: func(context.Context) error { return nil }}, nil
	}
	url, stop, ended, err := postgres.Ensure(ctx, log, filepath.Join(cfg.DataDir, "postgres"), true)
	return database{url, ended, stop}, err
}

// close stops an own server. It goes on when the command was interrupted.
func (d database) close(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := d.stop(ctx); err != nil {
		log.Error("stop Postgres", slog.Any("error", err))
	}
}

// withDatabase runs f on the URL of the configured database.
func withDatabase(ctx context.Context, f func(cfg config.Config, url string, log *slog.Logger) error) error {
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	log := logger(slog.LevelWarn)
	d, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer d.close(log)
	return f(cfg, d.url, log)
}

// withStore runs f on the store of the configured database, which must have all
// migrations.
func withStore(ctx context.Context, f func(cfg config.Config, s *store.Store, log *slog.Logger) error) error {
	return withMigrated(ctx, func(cfg config.Config, url string, log *slog.Logger) error {
		s, err := store.Open(ctx, url, log)
		if err != nil {
			return err
		}
		defer s.Close()
		return f(cfg, s, log)
	})
}

// withBulk is withStore for what may write many rows: queries right after it are
// planned for as many, also where it stopped half-way.
func withBulk(ctx context.Context, f func(cfg config.Config, s *store.Store, log *slog.Logger) error) error {
	return withStore(ctx, func(cfg config.Config, s *store.Store, log *slog.Logger) error {
		err := f(cfg, s, log)
		if failed := s.Analyze(ctx); failed != nil && ctx.Err() == nil {
			log.Warn("the planner's statistics could not be renewed", slog.Any("error", failed))
		}
		return err
	})
}

// withReports runs f on connections for reading much: the store's own would go
// by key where a table should be read whole.
func withReports(ctx context.Context, f func(pool *pgxpool.Pool, log *slog.Logger) error) error {
	return withMigrated(ctx, func(_ config.Config, url string, log *slog.Logger) error {
		pool, err := readers(ctx, url, 0)
		if err != nil {
			return err
		}
		defer pool.Close()
		return f(pool, log)
	})
}

// readers are connections for reading much, at most so many (0: as many as pgx
// thinks). They are made as they are needed.
func readers(ctx context.Context, url string, atMost int32) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	c.ConnConfig.RuntimeParams["application_name"] = "cdrstore"
	c.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if atMost > 0 {
		c.MaxConns, c.MinConns, c.MinIdleConns = atMost, 0, 0
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return pool, nil
}

// withMigrated runs f on the URL of the configured database, which must have all
// migrations.
func withMigrated(ctx context.Context, f func(cfg config.Config, url string, log *slog.Logger) error) error {
	return withDatabase(ctx, func(cfg config.Config, url string, log *slog.Logger) error {
		pending, err := migrations.Pending(ctx, url)
		if err != nil {
			return err
		}
		if len(pending) > 0 {
			return errors.New("the database lacks migrations: run `make migrate` (cdrstore migrate up)")
		}
		return f(cfg, url, log)
	})
}

// counter shows on a terminal how far a command has come.
func counter(what string) (progress func(int), done func()) {
	if !terminal(os.Stderr) {
		return func(int) {}, func() {}
	}
	bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	return func(n int) { _ = bar.Set(n) }, func() { _ = bar.Finish() } // a display that fails is no failure
}
