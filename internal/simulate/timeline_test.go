package simulate

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"
	"time"
)

// everything prints all that a run sends.
func everything(o Options) []byte {
	var b bytes.Buffer
	for d := range newTimeline(o).deliveries(3) {
		fmt.Fprintln(&b, d.at, d.line, d.delivery)
	}
	return b.Bytes()
}

// TestSameBytes: a seed sends the same for ever, two seeds nothing in common.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	o := Options{Calls: 400, Seed: 42, Providers: names()}
	first := everything(o)
	if !bytes.Equal(first, everything(o)) {
		t.Error("the same seed sends other bytes")
	}
	other := o
	other.Seed = 43
	if bytes.Equal(first, everything(other)) {
		t.Error("two seeds send the same")
	}
}

// TestReplay: what is replayed is what a run sends, by time.
func TestReplay(t *testing.T) {
	t.Parallel()
	o := Options{Calls: 60, Seed: 9, Providers: names()}
	var want []Request
	for d := range newTimeline(o).deliveries(8) {
		want = append(want, d.request())
	}
	n := 0
	for r := range Replay(o.Seed, o.Calls) {
		if n >= len(want) || !r.At.Equal(want[n].At) || r.Target != want[n].Target || !bytes.Equal(r.Body, want[n].Body) || r.At.IsZero() {
			t.Fatalf("request %d is %s at %v", n, r.Target, r.At)
		}
		n++
	}
	if n != len(want) || n == 0 {
		t.Errorf("%d requests, want %d", n, len(want))
	}
}

// TestOrder: deliveries come by time, those of one story on one line, and a
// timeline holds few of them.
func TestOrder(t *testing.T) {
	t.Parallel()
	o := Options{Calls: 5000, Seed: 3, Providers: names()}
	timeline := newTimeline(o)
	var last time.Time
	held, n := 0, 0
	for d := range timeline.deliveries(5) {
		if d.at.Before(last) {
			t.Fatalf("%v after %v", d.at, last)
		}
		last = d.at
		held = max(held, len(timeline.queue))
		n++
	}
	if held > 3000 || n < 20_000 {
		t.Errorf("held %d of %d deliveries", held, n)
	}
}

// TestStories: all calls are told, with ids of the seed that others do not have,
// and the mix is what it should be.
func TestStories(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(simulated)
	const calls = 1000
	for _, name := range names() {
		seen := map[string]bool{}
		answered, alive, told := 0, 0, 0
		for _, s := range newTimeline(Options{Calls: calls, Seed: 1 << 63, Providers: []string{name}}).stories() {
			for _, r := range s.rows {
				if seen[r.id] || r.call != nil && !pattern.MatchString(r.id) || !bytes.Contains([]byte(r.id), []byte(mark(name, 1<<63))) {
					t.Fatalf("%s: id %s", name, r.id)
				}
				seen[r.id] = true
				if r.call == nil {
					continue
				}
				told++
				if r.call.Disposition == "" {
					alive++
				}
				if r.call.Disposition == "answered" {
					answered++
				}
			}
		}
		if told != calls || answered < calls/2 || answered > calls*7/10 || name != "didlogic" && (alive < calls/40 || alive > calls/7) {
			t.Errorf("%s: told %d calls, %d answered, %d alive", name, told, answered, alive)
		}
	}
}
