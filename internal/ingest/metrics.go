package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// metrics are what a Writer counts. What has labels is found once, at the start.
type metrics struct {
	batchDeliveries, batchRecords, commit prometheus.Histogram

	failures                        *prometheus.CounterVec
	unavailable, contended, refused prometheus.Counter // of failures

	decodeErrors, problems *prometheus.CounterVec
	decoded                map[string]decodeCounters // by provider

	drained prometheus.Counter
	away    prometheus.GaugeFunc
}

// decodeCounters are of one provider.
type decodeCounters struct{ errors, problems prometheus.Counter }

func newMetrics(away func() bool) metrics {
	m := metrics{
		batchDeliveries: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdrstore_batch_deliveries", Help: "Deliveries, or shares of one, in one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10), // to 512
		}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdrstore_batch_records", Help: "Records in one commit.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2500, 5000},
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdrstore_commit_duration_seconds", Help: "Time from the beginning of a batch's transaction to its commit, tries again included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdrstore_commit_failures_total", Help: "Batches that were not committed: unavailable (the database is away or late), contended (other writers were faster each time) or refused (our fault).",
		}, []string{"reason"}),
		decodeErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdrstore_decode_errors_total", Help: "Records that could not be read, which go to quarantine.",
		}, []string{"provider"}),
		problems: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdrstore_field_problems_total", Help: "Fields that were there but could not be read, in records that could.",
		}, []string{"provider"}),
		decoded: map[string]decodeCounters{},
		drained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cdrstore_spool_drained_total", Help: "Deliveries that were taken off the spool because they are stored.",
		}),
		away: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cdrstore_database_away", Help: "1 while the database does not take deliveries, so that they are spooled or refused.",
		}, func() float64 {
			if away() {
				return 1
			}
			return 0
		}),
	}
	m.unavailable, m.contended, m.refused = m.failures.WithLabelValues("unavailable"), m.failures.WithLabelValues("contended"), m.failures.WithLabelValues("refused")
	for _, a := range provider.All() {
		m.decoded[a.Name] = decodeCounters{m.decodeErrors.WithLabelValues(a.Name), m.problems.WithLabelValues(a.Name)}
	}
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.batchDeliveries, m.batchRecords, m.commit, m.failures, m.decodeErrors, m.problems, m.drained, m.away,
	}
}

// committed counts a batch that was written.
func (m *metrics) committed(deliveries, records int, took time.Duration) {
	m.batchDeliveries.Observe(float64(deliveries))
	m.batchRecords.Observe(float64(records))
	m.commit.Observe(took.Seconds())
}

// read counts what could not be read of a delivery.
func (m *metrics) read(provider string, records []cdr.Record) {
	rejects, problems := 0, 0
	for i := range records {
		if records[i].Reject != nil {
			rejects++
		}
		for j := range records[i].Events {
			problems += len(records[i].Events[j].Problems)
		}
	}
	if rejects > 0 {
		m.decoded[provider].errors.Add(float64(rejects))
	}
	if problems > 0 {
		m.decoded[provider].problems.Add(float64(problems))
	}
}

// Describe is of prometheus.Collector.
func (w *Writer) Describe(to chan<- *prometheus.Desc) {
	for _, c := range w.metrics.all() {
		c.Describe(to)
	}
}

// Collect is of prometheus.Collector: a Writer can be registered.
func (w *Writer) Collect(to chan<- prometheus.Metric) {
	for _, c := range w.metrics.all() {
		c.Collect(to)
	}
}
