package api

import (
	"context"
	"log/slog"
	"maps"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cdrstore/cdrstore/internal/ingest"
)

// traffic is what a source had taken since its last line in the log.
type traffic struct {
	deliveries, stored, duplicates, quarantined, spooled atomic.Int64
	answers                                              answerTimes
}

// add counts a delivery that was taken, without a lock and without allocating.
func (t *traffic) add(r ingest.Result, took time.Duration) {
	t.deliveries.Add(1)
	addSome(&t.stored, r.Stored)
	addSome(&t.duplicates, r.Duplicates)
	addSome(&t.quarantined, r.Quarantined)
	addSome(&t.spooled, r.Spooled)
	t.answers.add(took)
}

// addSome leaves alone what does not change: most of these are zero.
func addSome(to *atomic.Int64, n int) {
	if n != 0 {
		to.Add(int64(n))
	}
}

// write logs what came since the last time, and begins anew. A delivery that is
// counted meanwhile may be in this line with one figure and in the next with
// another; none is lost.
func (t *traffic) write(log *slog.Logger, source string) {
	deliveries := t.deliveries.Swap(0)
	if deliveries == 0 {
		return
	}
	half, most := t.answers.take()
	log.Info("traffic", slog.String("source", source), slog.Int64("deliveries", deliveries),
		slog.Int64("stored", t.stored.Swap(0)), slog.Int64("duplicates", t.duplicates.Swap(0)),
		slog.Int64("quarantined", t.quarantined.Swap(0)), slog.Int64("spooled", t.spooled.Swap(0)),
		slog.Duration("p50", half), slog.Duration("p99", most))
}

// LogTraffic logs one line for each source that had something taken, at every
// tick and once more when the context ends. It has p50 and p99 of the time to the
// answer, at most a quarter above the true ones.
func (s *Server) LogTraffic(ctx context.Context, tick <-chan time.Time) {
	sources := slices.Sorted(maps.Keys(s.metrics.taken))
	for running := true; running; {
		select {
		case <-tick:
		case <-ctx.Done():
			running = false
		}
		for _, source := range sources {
			s.metrics.taken[source].traffic.write(s.log, source)
		}
	}
}

// answerTimes counts times in steps, four for each doubling, from 4 microseconds
// to two hours.
type answerTimes [4 * 31]atomic.Int64

func (a *answerTimes) add(took time.Duration) { a[min(step(took), len(a)-1)].Add(1) }

// take returns the times that half and 99 % of the answers did not exceed, and
// forgets them.
func (a *answerTimes) take() (half, most time.Duration) {
	var counts [len(answerTimes{})]int64
	var all int64
	for i := range a {
		counts[i] = a[i].Swap(0)
		all += counts[i]
	}
	var seen int64
	for i, n := range counts {
		if n == 0 {
			continue
		}
		if seen += n; 2*seen >= all && half == 0 {
			half = top(i)
		}
		if 100*seen >= 99*all {
			return half, top(i)
		}
	}
	return half, most
}

// step is the place of a time: the power of two microseconds that it has reached
// and the two bits behind its first.
func step(took time.Duration) int {
	us := max(uint64(max(took, 0)/time.Microsecond), 4)
	power := bits.Len64(us) - 1
	return 4*(power-2) + int(us>>(power-2)&3)
}

// top is where a step ends.
func top(step int) time.Duration {
	return time.Duration(uint64(4+step%4+1)<<(step/4)) * time.Microsecond
}
