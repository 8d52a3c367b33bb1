package main

import "fmt"

// mark is one figure that means something on any machine, mostly a ratio of two
// that were measured side by side, with what it should be.
type mark struct {
	Name  string  `json:"name"`
	Is    float64 `json:"is"`
	Floor float64 `json:"floor,omitempty"` // 0: none
	Aim   float64 `json:"aim,omitempty"`
	Less  bool    `json:"less_is_better,omitempty"`
}

func (m mark) verdict() string {
	reached := func(bound float64) bool {
		return bound != 0 && (m.Less && m.Is <= bound || !m.Less && m.Is >= bound)
	}
	switch {
	case m.Floor == 0 && m.Aim == 0:
		return ""
	case reached(m.Aim):
		return "aim"
	case reached(m.Floor):
		return "floor"
	}
	return "MISSED"
}

// marks are those of what was measured in this run.
func (r results) marks() []mark {
	all := append(r.againstByHand("mixed"), r.againstByHand("slow")...)
	if pace, ok := r.found("pace", receiver, 64); ok {
		all = append(all, mark{"p99 in ms at half of the peak rate", pace.P99, 10, 0, true})
	}
	first, ok := r.found("first", receiver, 64)
	if again, both := r.found("again", receiver, 64); ok && both {
		all = append(all, mark{"processor time of a repeat / of a first delivery", again.micros() / first.micros(), 1, 0, true})
	}
	if r.Memory > 0 {
		all = append(all, mark{"MB of the receiver at 1,000 connections", float64(r.Memory) / (1 << 20), 150, 0, true})
	}
	return append(all, r.againstCopy()...)
}

// againstByHand compares the receiver with its opponent.
func (r results) againstByHand(kind string) []mark {
	var all []mark
	floors, aims := []float64{1.2, 1.5, 2.2, 2.8}, []float64{2, 2, 3.5, 4}
	for i, connections := range levels() {
		ours, ok := r.found(kind, receiver, connections)
		theirs, both := r.found(kind, roleByHand, connections)
		if !ok || !both {
			continue
		}
		m := mark{Name: fmt.Sprintf("%s: rate at %d connections / by hand", kind, connections), Is: ours.perSecond() / theirs.perSecond(), Floor: 1}
		if kind == "mixed" {
			m.Floor, m.Aim = floors[i], aims[i]
		}
		all = append(all, m)
		switch {
		case kind == "mixed" && connections == 64:
			all = append(all, mark{"mixed: p99 at 64 connections / by hand", ours.P99 / theirs.P99, 0.5, 0, true})
		case kind == "mixed" && connections == 256:
			all = append(all, mark{"mixed: processor time at 256 connections / by hand", ours.micros() / theirs.micros(), 1.0 / 3, 0.2, true})
		}
	}
	return all
}

// againstCopy compares batches with COPY.
func (r results) againstCopy() []mark {
	var all []mark
	for _, connections := range batchLevels() {
		limit, ok := r.found("batches", "COPY", connections)
		if !ok {
			continue
		}
		if ours, ok := r.found("batches", receiver, connections); ok {
			all = append(all,
				mark{fmt.Sprintf("batches: CDRs/s at %d connections", connections), ours.recordsPerSecond(), 30_000, 0, false},
				mark{fmt.Sprintf("batches: rate at %d connections / COPY", connections), ours.recordsPerSecond() / limit.recordsPerSecond(), 1.0 / 3, 0, false})
		}
		if alone, ok := r.found("batches", "store", connections); ok {
			all = append(all, mark{fmt.Sprintf("batches: store alone on %d connections / COPY", connections),
				alone.recordsPerSecond() / limit.recordsPerSecond(), 0.4, 0.5, false})
		}
	}
	return all
}
