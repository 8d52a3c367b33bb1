package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// plan says how traffic is sent.
type plan struct {
	connections int
	rate        float64       // requests a second, whatever the answers do; 0: each connection sends when it has its answer
	atMost      time.Duration // then it ends, even when there is more to send; 0: when everything is sent
	goOn        bool          // without a checkpoint before it
}

// load is what came of sending traffic.
type load struct {
	requests, records int
	took              time.Duration
	latencies         []time.Duration // sorted; from when a request should have been sent to its answer
}

// send sends traffic in its order, over some connections.
func send(ctx context.Context, address string, t traffic, p plan) (load, int, error) {
	var next atomic.Int64
	var mu sync.Mutex
	var all load
	var failed error
	clients, err := dialAll(ctx, address, p.connections)
	if err != nil {
		return load{}, 0, err
	}
	begin := time.Now()
	worker := func(c *client) error {
		defer c.close()
		var own load
		for {
			due := time.Now()
			if p.atMost > 0 && due.Sub(begin) >= p.atMost || ctx.Err() != nil {
				break
			}
			i := int(next.Add(1)) - 1
			if i >= len(t.requests) {
				break
			}
			if p.rate > 0 {
				due = begin.Add(time.Duration(float64(i) / p.rate * float64(time.Second)))
				time.Sleep(time.Until(due)) //nolint:forbidigo // the time to pass is the point here
			}
			if err := c.do(t.requests[i].wire); err != nil {
				return fmt.Errorf("request %d: %w", i, err)
			}
			own.latencies = append(own.latencies, time.Since(due))
			own.requests++
			own.records += t.requests[i].records
		}
		mu.Lock()
		defer mu.Unlock()
		all.requests += own.requests
		all.records += own.records
		all.latencies = append(all.latencies, own.latencies...)
		return nil
	}
	var running sync.WaitGroup
	for _, c := range clients {
		running.Go(func() {
			if err := worker(c); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	running.Wait()
	all.took = time.Since(begin)
	slices.Sort(all.latencies)
	return all, min(int(next.Load()), len(t.requests)), errors.Join(failed, ctx.Err())
}

// percentile of the latencies, 0.5 the median.
func (l load) percentile(q float64) time.Duration {
	if len(l.latencies) == 0 {
		return 0
	}
	return l.latencies[min(len(l.latencies)-1, int(q*float64(len(l.latencies))))]
}

// rest returns what is left of the stories that have begun before a request, so
// that all their rows can be checked.
func (t traffic) rest(begun int) (rest traffic, stories map[int]bool) {
	stories = map[int]bool{}
	for _, r := range t.requests[:begun] {
		stories[r.story] = true
	}
	rest.rows, rest.cdrs = t.rows, t.cdrs
	for _, r := range t.requests[begun:] {
		if stories[r.story] {
			rest.requests = append(rest.requests, r)
		}
	}
	return rest, stories
}

var errSpooled = errors.New("the receiver spooled a delivery: it does not measure the database then")

// accepted reads an answer.
func accepted(status int, body []byte) error {
	switch {
	case status != 200:
		return fmt.Errorf("answered %d: %s", status, bytes.TrimSpace(body))
	case !bytes.Contains(body, []byte(`"spooled":0`)):
		return errSpooled
	}
	return nil
}
