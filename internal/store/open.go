package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

// Open returns the store of a database. It does not wait for the database to
// answer; connections are made as they are needed.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = "cdrstore"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		q := db.New(conn)
		return errors.Join(q.KeepDurable(ctx), q.GoByKey(ctx), q.CompressFast(ctx))
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return New(pool, log), nil
}

// Connections says how many connections there are and how often one was waited
// for.
func (s *Store) Connections() *pgxpool.Stat { return s.pool.Stat() }

// Close ends all connections.
func (s *Store) Close() { s.pool.Close() }
