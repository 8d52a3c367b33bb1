package api

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/config"
)

// metrics are labelled with configured names only.
type metrics struct {
	deliveries *prometheus.CounterVec
	records    *prometheus.CounterVec
	refused    *prometheus.CounterVec
	duration   *prometheus.HistogramVec
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
	}
	err := errors.Join(registry.Register(m.deliveries), registry.Register(m.records),
		registry.Register(m.refused), registry.Register(m.duration))
	m.start(sources)
	return m, err
}

// start makes counters begin at zero, so that the first refusal is a change
// that an alarm can see.
func (m metrics) start(sources []config.Source) {
	m.refused.WithLabelValues(unknown, "404")
	for _, s := range sources {
		for _, outcome := range []string{"taken", "refused", "unavailable", "failed"} {
			m.deliveries.WithLabelValues(s.Name, outcome)
		}
		for _, outcome := range []string{"stored", "duplicate", "quarantined", "spooled"} {
			m.records.WithLabelValues(s.Name, outcome)
		}
		for _, status := range []string{"401", "403", "405", "413", "500", "503"} {
			m.refused.WithLabelValues(s.Name, status)
		}
	}
}

func (m metrics) count(x *exchange, status int) {
	m.deliveries.WithLabelValues(x.source, outcome(status)).Inc()
	if status != http.StatusOK {
		m.refused.WithLabelValues(x.source, strconv.Itoa(status)).Inc()
		return
	}
	m.records.WithLabelValues(x.source, "stored").Add(float64(x.result.Stored))
	m.records.WithLabelValues(x.source, "duplicate").Add(float64(x.result.Duplicates))
	m.records.WithLabelValues(x.source, "quarantined").Add(float64(x.result.Quarantined))
	m.records.WithLabelValues(x.source, "spooled").Add(float64(x.result.Spooled))
}

func outcome(status int) string {
	switch {
	case status == http.StatusOK:
		return "taken"
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	case status < http.StatusInternalServerError:
		return "refused"
	}
	return "failed"
}
