// Package store keeps events and calls in Postgres: Save on the path of a
// delivery; Rebuild and Verify beside it. It is the only mapping between
// package cdr and the generated package db, and imports of cdrstore also number.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/number"
)

// Limits of the quarantine of one source: what it holds unread.
const (
	MaxQuarantinePieces = 10_000
	MaxQuarantineBytes  = 1 << 30
)

// probeTimeout is how long a database that answers may take to say so.
const probeTimeout = 2 * time.Second

// ErrReadOnly says that the database takes no writes: a standby, or one that was
// set so.
var ErrReadOnly = errors.New("the database is read-only")

// Store is a database that was migrated.
type Store struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	cache   cache
	rooms   rooms
	buffers bufferPool

	// betweenReadAndWrite, where set, is called after a batch was read and
	// folded and before it is written, so that a test can hold one writer there.
	betweenReadAndWrite func()
}

// New returns the store of a pool. It does not connect.
func New(pool *pgxpool.Pool, log *slog.Logger) *Store {
	return &Store{pool: pool, log: log}
}

// Source is a configured sender, as the table keeps it for replay.
type Source struct {
	Name     string
	Provider string
	Settings cdr.Settings
}

// Register notes the configured sources. It is an error when a name stands for
// another provider already: its rows could no longer be told apart.
func (s *Store) Register(ctx context.Context, sources []Source) error {
	for _, src := range sources {
		callingCode, nationalPattern := number.National(src.Settings.Country)
		provider, err := db.New(s.pool).RegisterSource(ctx, db.RegisterSourceParams{
			Name: src.Name, Provider: src.Provider, CallingCode: nullText(callingCode), NationalPattern: nullText(nationalPattern),
			Currency: nullText(src.Settings.Currency), Country: nullText(src.Settings.Country),
			AnswerEvents: nullBool(src.Settings.AnswerEvents), CostIncludesTax: nullText(src.Settings.CostIncludesTax),
		})
		if err != nil {
			return fmt.Errorf("register source %s: %w", src.Name, err)
		}
		if provider != src.Provider {
			return fmt.Errorf("source %s: the name stands for provider %s in this database, not for %s; choose another name", src.Name, provider, src.Provider)
		}
	}
	return nil
}

// Sources returns the registered sources by name.
func (s *Store) Sources(ctx context.Context) (map[string]Source, error) {
	rows, err := db.New(s.pool).Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	sources := make(map[string]Source, len(rows))
	for _, r := range rows {
		sources[r.Name] = Source{r.Name, r.Provider, settings(r.Currency, r.Country, r.AnswerEvents, r.CostIncludesTax)}
	}
	return sources, nil
}

// Probe returns an error unless the database answers and can be written to.
func (s *Store) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	readOnly, err := db.New(s.pool).IsReadOnly(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("probe the database: %w", err)
	case readOnly != nil && *readOnly:
		return ErrReadOnly
	}
	return nil
}
