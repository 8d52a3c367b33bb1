package main

import (
	"os"
	"runtime/debug"
)

// ballast is memory that is never touched, so that it takes none. It only counts
// when Go decides how much garbage may gather.
type ballast []byte

// tuneMemory lets garbage wait longer than Go does by itself while the receiver
// holds little, for what a delivery leaves behind is much, and no longer where
// many connections make it hold more. Above the limit it is collected as always.
// GOGC and GOMEMLIMIT win. What is returned must be kept while it is to work.
func tuneMemory() ballast {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(512 << 20)
	}
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	debug.SetGCPercent(75)
	return make(ballast, 20<<20)
}
