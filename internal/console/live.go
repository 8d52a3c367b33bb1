package console

import (
	"sync"
	"time"
)

// remembered is how many samples, one a second, the plots go back.
const remembered = 301

// live remembers what the counters said in the last minutes.
type live struct {
	mu      sync.Mutex
	samples []sample // oldest first
}

type sample struct {
	at     time.Time
	counts []Count
}

func newLive() *live { return &live{} }

// sample notes what the counters say now.
func (c *Console) sample(at time.Time) {
	if c.Counts == nil {
		return
	}
	s := sample{at, c.Counts()}
	c.live.mu.Lock()
	defer c.live.mu.Unlock()
	if len(c.live.samples) == remembered {
		c.live.samples = append(c.live.samples[:0:0], c.live.samples[1:]...)
	}
	c.live.samples = append(c.live.samples, s)
}

// since returns the samples from a moment on, oldest first.
func (l *live) since(at time.Time) []sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range l.samples {
		if !s.at.Before(at) {
			return l.samples[i:len(l.samples):len(l.samples)]
		}
	}
	return nil
}

// outcome is a figure that the receiver counts.
type outcome struct {
	Name, Title string
	of          func(Count) int64
}

// outcomes are what the page Now plots, in this order.
func outcomes() []outcome {
	return []outcome{
		{"stored", "Records stored", func(c Count) int64 { return c.Stored }},
		{"duplicates", "Records seen before", func(c Count) int64 { return c.Duplicates }},
		{"quarantined", "Records set aside in quarantine", func(c Count) int64 { return c.Quarantined }},
		{"spooled", "Records kept in the spool", func(c Count) int64 { return c.Spooled }},
		{"deliveries", "Deliveries (requests)", func(c Count) int64 { return c.Deliveries }},
	}
}

// plot is what console.js draws.
type plot struct {
	X      []float64 `json:"x"` // Unix time, seconds
	Series []line    `json:"series"`
	Zone   string    `json:"zone"`
	Unit   string    `json:"unit"`
}

type line struct {
	Label  string    `json:"label"`
	Values []float64 `json:"values"` // one for each x
}

// rates are the changes of a figure between samples, per second, of each source.
func rates(samples []sample, of func(Count) int64) plot {
	p := plot{X: []float64{}, Series: []line{}, Unit: "/s"}
	if len(samples) == 0 {
		return p
	}
	for i := range samples[0].counts {
		p.Series = append(p.Series, line{samples[0].counts[i].Source, []float64{}})
	}
	for k := 1; k < len(samples); k++ {
		took := samples[k].at.Sub(samples[k-1].at).Seconds()
		if took <= 0 || len(samples[k].counts) != len(p.Series) || len(samples[k-1].counts) != len(p.Series) {
			continue // the clock was set back
		}
		p.X = append(p.X, float64(samples[k].at.UnixMilli())/1000)
		for i := range p.Series {
			change := of(samples[k].counts[i]) - of(samples[k-1].counts[i])
			p.Series[i].Values = append(p.Series[i].Values, float64(change)/took)
		}
	}
	return p
}

// mean is the rate per second over all of some samples, of each source.
func mean(samples []sample, of func(Count) int64) map[string]float64 {
	means := map[string]float64{}
	if len(samples) < 2 {
		return means
	}
	first, last := samples[0], samples[len(samples)-1]
	took := last.at.Sub(first.at).Seconds()
	for i := range last.counts {
		if took > 0 && i < len(first.counts) {
			means[last.counts[i].Source] = float64(of(last.counts[i])-of(first.counts[i])) / took
		}
	}
	return means
}
