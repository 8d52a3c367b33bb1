package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load sends deliveries over several connections until it is stopped, each to
// all of its targets at once.
type load struct {
	*ledger
	targets  atomic.Pointer[[]string]
	mu       sync.Mutex
	generate *generator
	client   *http.Client
	stopped  chan struct{}
	running  sync.WaitGroup
}

// startLoad loads receivers.
func startLoad(t *testing.T, connections int, to ...*receiver) *load {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := &load{
		ledger: newLedger(), generate: newGenerator(seed), stopped: make(chan struct{}),
		client: &http.Client{
			Timeout:   45 * time.Second, // more than the receiver takes
			Transport: &http.Transport{MaxIdleConnsPerHost: 2 * connections, ExpectContinueTimeout: 10 * time.Second},
			// A redirect is an answer, and a wrong one.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	l.aim(to...)
	for range connections {
		l.running.Go(l.send)
	}
	t.Cleanup(l.stop)
	return l
}

// aim sends everything to other receivers from now on.
func (l *load) aim(to ...*receiver) {
	var targets []string
	for _, r := range to {
		targets = append(targets, r.url)
	}
	l.targets.Store(&targets)
}

// stop returns when all answers are there.
func (l *load) stop() {
	l.mu.Lock()
	select {
	case <-l.stopped:
	default:
		close(l.stopped)
	}
	l.mu.Unlock()
	l.running.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) send() {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for {
		select {
		case <-l.stopped:
			return
		default:
		}
		d := l.next()
		var all sync.WaitGroup
		var refused atomic.Bool
		for _, target := range *l.targets.Load() {
			all.Go(func() {
				if !l.post(context.Background(), target, d) {
					refused.Store(true)
				}
			})
		}
		all.Wait()
		if refused.Load() {
			select {
			case <-pause.C:
			case <-l.stopped:
			}
		}
	}
}

func (l *load) next() delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.generate.next()
}

// post sends a delivery once, notes what is answered and reports whether it was
// acknowledged.
func (l *load) post(ctx context.Context, target string, d delivery) bool {
	l.sent(d)
	begin := time.Now()
	req, err := http.NewRequestWithContext(ctx, d.method(), target+"/hooks/"+d.path, bytes.NewReader(d.sent()))
	if err != nil {
		return l.failed(err)
	}
	if d.kind != "" {
		req.Header.Set("Content-Type", d.kind)
	}
	if d.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if d.expect {
		req.Header.Set("Expect", "100-continue")
	}
	res, err := l.client.Do(req)
	if err != nil {
		return l.failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return l.failed(err)
	}
	return l.answered(d, res, body, time.Since(begin))
}

// answer is the body of a 200.
type answer struct {
	Received, Stored, Duplicates, Quarantined, Spooled int
}

// check compares an answer with what was sent.
func (d delivery) check(body []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("%s: %w", body, err)
	}
	if a.Received != len(d.records) || a.Stored+a.Duplicates+a.Quarantined+a.Spooled != a.Received {
		return a, fmt.Errorf("%s to %d records of %s", body, len(d.records), d.source())
	}
	return a, nil
}
