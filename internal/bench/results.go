package main

import "slices"

// results is what a run has measured.
type results struct {
	Rounds []round `json:"rounds"`
	Memory uint64  `json:"receiver_bytes_at_1000_connections,omitempty"`
	Syncs  float64 `json:"syncs_per_second,omitempty"`
}

// found returns the sum of the rounds of a kind.
func (r results) found(kind, target string, connections int) (round, bool) {
	i := slices.IndexFunc(r.Rounds, func(o round) bool {
		return o.Kind == kind && o.Target == target && o.Connections == connections
	})
	if i < 0 {
		return round{}, false
	}
	return r.Rounds[i], true
}
