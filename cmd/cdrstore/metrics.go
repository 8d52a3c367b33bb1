package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/metrics"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// newRegistry has everything that /metrics tells but what the HTTP side counts,
// which adds itself.
func newRegistry(cfg config.Config, s *store.Store, w *ingest.Writer, sp *spool.Spool, readers *pgxpool.Pool, log *slog.Logger) (*prometheus.Registry, error) {
	sources := make([]string, len(cfg.Sources))
	for i := range cfg.Sources {
		sources[i] = cfg.Sources[i].Name
	}
	registry := prometheus.NewRegistry()
	var faults []error
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), metrics.Build(),
		w, metrics.Spool(sp), metrics.Connections(s.Connections), metrics.NewDatabase(readers, sources, log),
	} {
		faults = append(faults, registry.Register(c))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return registry, nil
}

// remember tells the server what the database knows of receipts before this
// start. Without it a source counts from its next delivery on.
func remember(ctx context.Context, readers *pgxpool.Pool, server *api.Server, log *slog.Logger) {
	last, err := metrics.LastReceipts(ctx, readers)
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("receipts before this start are not in the metrics", slog.Any("error", err))
		}
		return
	}
	server.Received(last)
}

// logTraffic has the server log its traffic every minute until end is called,
// which logs the rest.
func logTraffic(server *api.Server) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	minute := time.NewTicker(time.Minute)
	var logging sync.WaitGroup
	logging.Go(func() { server.LogTraffic(ctx, minute.C) })
	return func() {
		cancel()
		logging.Wait()
		minute.Stop()
	}
}
