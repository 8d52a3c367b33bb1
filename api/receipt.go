package api

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/config"
)

// lastReceipts knows when each source last had a delivery taken. A source of
// which nothing is known yet has no series: a made-up zero would look like a
// silence since 1970.
type lastReceipts struct {
	desc *prometheus.Desc
	at   map[string]*atomic.Int64 // by source, milliseconds of Unix time; 0: not known
}

func newLastReceipts(sources []config.Source) *lastReceipts {
	l := &lastReceipts{
		desc: prometheus.NewDesc("cdrstore_last_receipt_timestamp_seconds",
			"When a delivery of the source was last taken, Unix time; absent while none is known.", []string{"source"}, nil),
		at: map[string]*atomic.Int64{},
	}
	for _, s := range sources {
		l.at[s.Name] = new(atomic.Int64)
	}
	return l
}

// Describe is of prometheus.Collector.
func (l *lastReceipts) Describe(to chan<- *prometheus.Desc) { to <- l.desc }

// Collect is of prometheus.Collector.
func (l *lastReceipts) Collect(to chan<- prometheus.Metric) {
	for source, at := range l.at {
		if ms := at.Load(); ms > 0 {
			to <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(ms)/1000, source)
		}
	}
}

// Received says when sources last sent something, as the database knows it from
// before this start. What came since counts more, and sources that are not
// configured count nothing.
func (s *Server) Received(last map[string]time.Time) {
	for source, at := range last {
		if known := s.metrics.receipt.at[source]; known != nil && !at.IsZero() {
			known.CompareAndSwap(0, at.UnixMilli())
		}
	}
}
