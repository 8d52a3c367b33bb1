package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// newServer puts the receiver's HTTP side on top of the writer. The spool may be
// nil, and so may the console; readers is for what metrics need of the database.
func newServer(cfg config.Config, s *store.Store, w *ingest.Writer, sp *spool.Spool, readers *pgxpool.Pool, web http.Handler, log *slog.Logger) (*api.Server, error) {
	registry, err := newRegistry(cfg, s, w, sp, readers, log)
	if err != nil {
		return nil, err
	}
	return api.New(api.Options{
		Sources: cfg.Sources, TrustedProxies: cfg.TrustedProxies, Loopback: cfg.Loopback(),
		Write: w.Write, Log: log, Registry: registry, Console: web,
		Ready: func(ctx context.Context) api.Readiness { return readiness(ctx, s, w, sp) },
	})
}

// readiness says whether deliveries can be taken: by the database, else by the
// spool.
func readiness(ctx context.Context, s *store.Store, w *ingest.Writer, sp *spool.Spool) api.Readiness {
	var r api.Readiness
	var stats spool.Stats
	if sp != nil {
		stats = sp.Stats()
		r.SpoolDeliveries, r.SpoolBytes = stats.Deliveries, stats.Bytes
	}
	switch {
	case !w.Away() && s.Probe(ctx) == nil:
		r.Status = "ok"
	case sp != nil && !stats.Failing:
		r.Status = "spooling"
	default:
		r.Status = "unavailable"
	}
	return r
}
