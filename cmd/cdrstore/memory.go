package main

import (
	"os"
	"runtime/debug"
)

// tuneMemory lets garbage wait longer than Go does by itself: what lives in the
// receiver is small, and what a delivery leaves behind is much. Above the limit
// it is collected as always. GOGC and GOMEMLIMIT win.
func tuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(150)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(512 << 20)
	}
}
