package api

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What is said of answer times is never below the truth and at most a quarter
// above it.
func TestAnswerTimes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for _, n := range []int{1, 2, 3, 99, 100, 101, 5000} {
		var a answerTimes
		var times []time.Duration
		for range n {
			took := time.Duration(random.Int64N(int64(1) << (13 + random.IntN(25))))
			times = append(times, took)
			a.add(took)
		}
		slices.Sort(times)
		half, most := a.take()
		for got, want := range map[time.Duration]time.Duration{half: times[(n+1)/2-1], most: times[(99*n+99)/100-1]} {
			if want = want.Truncate(time.Microsecond); got < want || got > max(want, 4*time.Microsecond)*5/4 {
				t.Errorf("of %d times: %v, want %v and no more than a quarter above", n, got, want)
			}
		}
		if half, most = a.take(); half != 0 || most != 0 {
			t.Errorf("not forgotten: %v %v", half, most)
		}
	}
}

func TestAnswerTimesAtTheEnds(t *testing.T) {
	t.Parallel()
	var a answerTimes
	a.add(-time.Second)
	if half, most := a.take(); half != 5*time.Microsecond || most != half {
		t.Errorf("below: %v %v", half, most)
	}
	a.add(1 << 62)
	if half, most := a.take(); half < 2*time.Hour || most != half {
		t.Errorf("above: %v %v", half, most)
	}
	last := 0
	for us := range 100_000 {
		n := step(time.Duration(us) * time.Microsecond)
		if n < last || n > last+1 || top(n) <= time.Duration(us)*time.Microsecond {
			t.Fatalf("%d us: step %d after %d, which ends at %v", us, n, last, top(n))
		}
		last = n
	}
}
