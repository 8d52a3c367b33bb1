package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Limits of the heap.
const (
	roomyHeap    = 112 << 20 // garbage gathers until here, however little is held
	leastGarbage = 75        // and to so many percent of what is held at least
	memoryLimit  = 512 << 20 // above it is collected ever more often
)

// tuneMemory lets garbage gather longer than Go does by itself while the receiver
// holds little, for what a delivery leaves behind is much, and each collection
// holds deliveries up. Where many connections make it hold more it is collected
// as always. GOGC and GOMEMLIMIT win.
func tuneMemory() {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	debug.SetGCPercent(leastGarbage)
	afterCollections(func() { debug.SetGCPercent(garbagePercent(held())) })
}

// garbagePercent is GOGC's value with which all that is held and garbage become
// roomyHeap.
func garbagePercent(held uint64) int {
	if held == 0 || held >= roomyHeap {
		return leastGarbage
	}
	return max(leastGarbage, int((roomyHeap-held)*100/held))
}

// held is what the last collection found in use on the heap, and the stacks.
func held() uint64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}

// canary is an object that nothing holds, so that every collection finds it.
type canary struct{ _ *byte }

// afterCollections does something after each collection of garbage, from now on.
func afterCollections(do func()) {
	var found func(*canary)
	found = func(c *canary) {
		do()
		runtime.SetFinalizer(c, found)
	}
	runtime.SetFinalizer(new(canary), found)
}
