package api

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/config"
)

// metrics are labelled with configured names only.
type metrics struct {
	deliveries *prometheus.CounterVec
	records    *prometheus.CounterVec
	refused    *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	receipt    *lastReceipts
	taken      map[string]*takenCounters // by source
}

// takenCounters are what a taken delivery counts, found at the start: finding
// them costs more than counting.
type takenCounters struct {
	deliveries, stored, duplicates, quarantined, spooled prometheus.Counter

	last    *atomic.Int64 // when one was last taken, in lastReceipts
	traffic traffic
}

func newMetrics(registry *prometheus.Registry, sources []config.Source) (metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := metrics{
		deliveries: counter("cdrstore_deliveries_total",
			"Requests of a source: taken (200), refused (4xx), unavailable (503) or failed (500).", "source", "outcome"),
		records: counter("cdrstore_records_total",
			"Records of the deliveries that were taken.", "source", "outcome"),
		refused: counter("cdrstore_refused_total",
			"Requests that were not taken, by status. For DIDLogic a 4xx is final.", "source", "status"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cdrstore_request_duration_seconds", Help: "Time from the headers of a request to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 30, 60},
		}, []string{"route", "status"}),
		receipt: newLastReceipts(sources),
		taken:   map[string]*takenCounters{},
	}
	err := errors.Join(registry.Register(m.deliveries), registry.Register(m.records),
		registry.Register(m.refused), registry.Register(m.duration), registry.Register(m.receipt))
	m.start(sources)
	return m, err
}

// start makes counters begin at zero, so that the first refusal is a change
// that an alarm can see.
func (m metrics) start(sources []config.Source) {
	m.refused.WithLabelValues(unknown, "404")
	for _, s := range sources {
		for _, outcome := range []string{"refused", "unavailable", "failed"} {
			m.deliveries.WithLabelValues(s.Name, outcome)
		}
		m.taken[s.Name] = &takenCounters{
			deliveries:  m.deliveries.WithLabelValues(s.Name, "taken"),
			stored:      m.records.WithLabelValues(s.Name, "stored"),
			duplicates:  m.records.WithLabelValues(s.Name, "duplicate"),
			quarantined: m.records.WithLabelValues(s.Name, "quarantined"),
			spooled:     m.records.WithLabelValues(s.Name, "spooled"),
			last:        m.receipt.at[s.Name],
		}
		for _, status := range []string{"401", "403", "405", "413", "500", "503"} {
			m.refused.WithLabelValues(s.Name, status)
		}
	}
}

// count counts a request of a source, and what became of its records.
func (m metrics) count(x *exchange, status int, took time.Duration) {
	if status != http.StatusOK {
		m.deliveries.WithLabelValues(x.source, outcome(status)).Inc()
		m.refused.WithLabelValues(x.source, strconv.Itoa(status)).Inc()
		return
	}
	taken := m.taken[x.source]
	taken.last.Store(x.start.UnixMilli())
	taken.traffic.add(x.result, took)
	taken.deliveries.Inc()
	taken.stored.Add(float64(x.result.Stored))
	taken.duplicates.Add(float64(x.result.Duplicates))
	taken.quarantined.Add(float64(x.result.Quarantined))
	taken.spooled.Add(float64(x.result.Spooled))
}

// timer returns what takes the durations of a route by status. It finds the one
// of 200 once, and not before there is a 200.
func (m metrics) timer(route string) func(status int) prometheus.Observer {
	ok := sync.OnceValue(func() prometheus.Observer { return m.duration.WithLabelValues(route, "200") })
	return func(status int) prometheus.Observer {
		if status == http.StatusOK {
			return ok()
		}
		return m.duration.WithLabelValues(route, strconv.Itoa(status))
	}
}

func outcome(status int) string {
	switch {
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	case status < http.StatusInternalServerError:
		return "refused"
	}
	return "failed"
}
