package main

import (
	"runtime"
	"sync/atomic"
	"testing"
)

func TestGarbagePercent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		held uint64
		want int
	}{
		{0, leastGarbage},
		{8 << 20, 1300},
		{56 << 20, 100},
		{70 << 20, leastGarbage},
		{1 << 40, leastGarbage},
	} {
		if is := garbagePercent(c.held); is != c.want {
			t.Errorf("%d MB are held: %d %%, want %d", c.held>>20, is, c.want)
		}
	}
	if held() == 0 {
		t.Error("nothing is held, although this test runs on a stack")
	}
}

func TestAfterCollections(t *testing.T) {
	t.Parallel()
	var done atomic.Int32
	afterCollections(func() { done.Add(1) })
	for done.Load() < 3 { // not each of those that follow at once is noticed
		runtime.GC()
	}
}
