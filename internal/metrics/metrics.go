// Package metrics gives Prometheus what is not counted on the path of a delivery:
// the state of the spool, of the connections and of the program, and what only the
// database knows, read seldom and with a limit. docs/metrics.md lists everything.
//
// It imports store, spool and db; it knows no HTTP, neither api nor ingest.
package metrics

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/spool"
)

// Build tells which program runs: cdrstore_build_info, always 1.
func Build() prometheus.Collector {
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "cdrstore_build_info", Help: "Always 1; the labels say what was built and by which Go.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "go_version": runtime.Version()},
	})
	g.Set(1)
	return g
}

// figure is one value of a state that is read as a whole.
type figure[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(T) float64
}

func gauge[T any](name, help string, read func(T) float64) figure[T] {
	return figure[T]{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, read}
}

func counter[T any](name, help string, read func(T) float64) figure[T] {
	return figure[T]{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, read}
}

// state is a collector of figures that belong to one moment.
type state[T any] struct {
	now     func() T
	figures []figure[T]
}

// Describe is of prometheus.Collector.
func (s state[T]) Describe(to chan<- *prometheus.Desc) {
	for _, f := range s.figures {
		to <- f.desc
	}
}

// Collect is of prometheus.Collector.
func (s state[T]) Collect(to chan<- prometheus.Metric) {
	now := s.now()
	for _, f := range s.figures {
		to <- prometheus.MustNewConstMetric(f.desc, f.kind, f.read(now))
	}
}

// Spool tells the state of the spool; without one all is zero.
func Spool(sp *spool.Spool) prometheus.Collector {
	now := func() spool.Stats {
		if sp == nil {
			return spool.Stats{}
		}
		return sp.Stats()
	}
	return state[spool.Stats]{now, []figure[spool.Stats]{
		gauge("cdrstore_spool_bytes", "Bytes of the spool's segments.", func(s spool.Stats) float64 { return float64(s.Bytes) }),
		gauge("cdrstore_spool_max_bytes", "How many bytes the spool may hold; 0: there is none.", func(s spool.Stats) float64 { return float64(s.MaxBytes) }),
		gauge("cdrstore_spool_deliveries", "Deliveries that wait in the spool.", func(s spool.Stats) float64 { return float64(s.Deliveries) }),
		gauge("cdrstore_spool_oldest_age_seconds", "How long ago the oldest delivery in the spool came; 0: it is empty.", func(s spool.Stats) float64 {
			if s.Oldest.IsZero() {
				return 0
			}
			return max(0, time.Since(s.Oldest).Seconds())
		}),
		gauge("cdrstore_spool_failing", "1 while the spool takes nothing: it is full, or its disk fails.", func(s spool.Stats) float64 { return one(s.Failing) }),
		gauge("cdrstore_spool_failures", "Failed writes and syncs of the spool since the start.", func(s spool.Stats) float64 { return float64(s.Failures) }),
		gauge("cdrstore_spool_damaged", "Pieces of the spool that could not be read since the start.", func(s spool.Stats) float64 { return float64(s.Damaged) }),
	}}
}

// Connections tells the state of the connections that deliveries are written by.
func Connections(now func() *pgxpool.Stat) prometheus.Collector {
	return state[*pgxpool.Stat]{now, []figure[*pgxpool.Stat]{
		gauge("cdrstore_pool_acquired_connections", "Connections to the database that are in use.", func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) }),
		gauge("cdrstore_pool_idle_connections", "Connections to the database that are not in use.", func(s *pgxpool.Stat) float64 { return float64(s.IdleConns()) }),
		gauge("cdrstore_pool_max_connections", "How many connections to the database there may be.", func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) }),
		counter("cdrstore_pool_waits_total", "How often a connection was waited for, because none was idle.", func(s *pgxpool.Stat) float64 { return float64(s.EmptyAcquireCount()) }),
		counter("cdrstore_pool_wait_seconds_total", "How long connections were waited for, all together.", func(s *pgxpool.Stat) float64 { return s.EmptyAcquireWaitTime().Seconds() }),
	}}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
