package api

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Count is what was taken from one source since the start: requests, and records
// by what became of them.
type Count struct {
	Source                                               string
	Deliveries, Stored, Duplicates, Quarantined, Spooled int64
	LastReceipt                                          time.Time // UTC; zero: not known
}

// Counts reads the counters of all sources, in the order of their names.
func (s *Server) Counts() []Count {
	counts := make([]Count, 0, len(s.metrics.taken))
	for _, source := range slices.Sorted(maps.Keys(s.metrics.taken)) {
		taken := s.metrics.taken[source]
		c := Count{
			Source: source, Deliveries: counted(taken.deliveries), Stored: counted(taken.stored), Duplicates: counted(taken.duplicates),
			Quarantined: counted(taken.quarantined), Spooled: counted(taken.spooled),
		}
		if ms := taken.last.Load(); ms > 0 {
			c.LastReceipt = time.UnixMilli(ms).UTC()
		}
		counts = append(counts, c)
	}
	return counts
}

func counted(c prometheus.Counter) int64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return 0 // a counter without labels of its own cannot fail
	}
	return int64(m.GetCounter().GetValue())
}
