package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// newServer puts the receiver's HTTP side on top of the writer. The spool may be
// nil.
func newServer(cfg config.Config, s *store.Store, w *ingest.Writer, sp *spool.Spool, log *slog.Logger) (*api.Server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registerSpool(registry, sp)
	return api.New(api.Options{
		Sources: cfg.Sources, TrustedProxies: cfg.TrustedProxies, Loopback: cfg.Loopback(),
		Write: w.Write, Log: log, Registry: registry,
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

func registerSpool(registry *prometheus.Registry, sp *spool.Spool) {
	gauge := func(name, help string, read func(spool.Stats) float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if sp == nil {
				return 0
			}
			return read(sp.Stats())
		}))
	}
	gauge("cdrstore_spool_bytes", "Bytes of the spool's segments.", func(s spool.Stats) float64 { return float64(s.Bytes) })
	gauge("cdrstore_spool_max_bytes", "How many bytes the spool may hold.", func(s spool.Stats) float64 { return float64(s.MaxBytes) })
	gauge("cdrstore_spool_deliveries", "Deliveries that wait in the spool.", func(s spool.Stats) float64 { return float64(s.Deliveries) })
	gauge("cdrstore_spool_failures", "Failed writes and syncs of the spool since the start.", func(s spool.Stats) float64 { return float64(s.Failures) })
	gauge("cdrstore_spool_damaged", "Pieces of the spool that could not be read since the start.", func(s spool.Stats) float64 { return float64(s.Damaged) })
}
