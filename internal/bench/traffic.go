package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/cdrstore/cdrstore/internal/simulate"
)

// request is one HTTP request as it goes over the line.
type request struct {
	wire    []byte
	story   int
	records int
	body    []byte            // of it, for those that take it without HTTP
	header  map[string]string // as well
}

// traffic is what one round sends to each target, made before the clock runs.
type traffic struct {
	requests []request
	rows     [][]simulate.Row // of each story
	cdrs     []int            // of each story that is a batch: how many different ones it has
}

// window is how many stories are told at a time.
const window = 256

// mixed returns at least so many requests of all providers. Every delivery comes
// one to four times; the next one is drawn from all that the open stories have
// left, so that they overtake each other.
func mixed(seed uint64, atLeast int) traffic {
	return mixedAs(seed, atLeast, func(*simulate.Story) {})
}

// mixedAs is mixed with every story changed.
func mixedAs(seed uint64, atLeast int, change func(*simulate.Story)) traffic {
	var t traffic
	random := rand.New(rand.NewPCG(seed, 5))
	var open [][]request
	next := map[string]int{}
	for i := 0; len(open) > 0 || len(t.requests) < atLeast; i++ {
		for len(open) < window && len(t.requests) < atLeast {
			provider := simulate.Providers()[len(t.rows)%len(simulate.Providers())]
			open = append(open, t.tell(random, provider, seed, next, change))
		}
		s := random.IntN(len(open))
		story := open[s]
		n := random.IntN(len(story))
		t.requests = append(t.requests, story[n])
		story[n] = story[len(story)-1]
		if open[s] = story[:len(story)-1]; len(open[s]) == 0 {
			open[s] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	return t
}

// tell returns the requests of a new story.
func (t *traffic) tell(random *rand.Rand, provider string, seed uint64, next map[string]int, change func(*simulate.Story)) []request {
	calls := 1
	if provider == "didww" {
		calls = 5 // the CDRs of several calls come in one request
	}
	told := simulate.Tell(provider, seed, next[provider], calls)
	next[provider] += calls
	change(&told)
	t.rows, t.cdrs = append(t.rows, told.Rows), append(t.cdrs, 0)
	var requests []request
	for _, r := range told.Requests {
		one := wire(r)
		one.story = len(t.rows) - 1
		requests = append(requests, slices.Repeat([]request{one}, 1+random.IntN(4))...)
	}
	return requests
}

// once is the traffic without its repeats.
func (t traffic) once() traffic {
	seen := map[*byte]bool{}
	first := traffic{rows: t.rows, cdrs: t.cdrs}
	for _, r := range t.requests {
		if !seen[&r.wire[0]] {
			seen[&r.wire[0]] = true
			first.requests = append(first.requests, r)
		}
	}
	return first
}

// batchSize is how many CDRs a request of DIDWW has at most.
const batchSize = 1000

// batches returns requests with 1,000 CDRs of DIDWW each.
func batches(seed uint64, n int) traffic {
	t := traffic{rows: make([][]simulate.Row, n), cdrs: make([]int, n)}
	for i := range n {
		batch, distinct := simulate.TellBatch(seed, i*batchSize, batchSize)
		r := wire(batch)
		r.story, t.cdrs[i] = i, distinct
		t.requests = append(t.requests, r)
	}
	return t
}

func wire(r simulate.Request) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n", r.Method, r.Target, len(r.Body))
	for name, value := range r.Header {
		if name != "Expect" { // the body follows at once
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return request{wire: b.Bytes(), records: r.Records, body: r.Body, header: r.Header}
}
