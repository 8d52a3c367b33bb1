package simulate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// patience is how often a delivery is tried while the receiver answers 5xx, a
// second apart.
const patience = 30

// grace is how long answers are waited for after an interruption, so that the
// report counts what is stored.
const grace = time.Second

// answer is what the receiver says to a delivery.
type answer struct {
	Received    int `json:"received"`
	Stored      int `json:"stored"`
	Duplicates  int `json:"duplicates"`
	Quarantined int `json:"quarantined"`
	Spooled     int `json:"spooled"`
}

func (a *answer) add(b answer) {
	a.Received += b.Received
	a.Stored += b.Stored
	a.Duplicates += b.Duplicates
	a.Quarantined += b.Quarantined
	a.Spooled += b.Spooled
}

// sender sends deliveries over several connections and counts what is said to
// them.
type sender struct {
	o       Options
	client  *http.Client
	zippers sync.Pool // of *gzip.Writer, which are large

	mu     sync.Mutex
	report *Report
}

func newSender(o Options, r *Report) *sender {
	return &sender{o: o, report: r, client: &http.Client{
		Timeout: time.Minute,
		// No proxy: the receiver is on this machine.
		Transport: &http.Transport{MaxIdleConnsPerHost: o.Connections, ExpectContinueTimeout: time.Second},
		// A redirect is an answer, and a wrong one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reach says how to start the receiver where nobody answers.
func (s *sender) reach(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.o.URL+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask the receiver: %w", err)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("no receiver answers at %s; start it in another terminal with `make run`: %w", s.o.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("what answers at %s is not cdrstore (%s to /healthz); start it with `make run`", s.o.URL, res.Status)
	}
	return nil
}

// sendAll sends what comes until it ends, ctx does or a delivery fails. What
// belongs on one line goes in its order.
func (s *sender) sendAll(ctx context.Context, deliveries func(yield func(sending) bool), p *progress) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	inFlight, drop := outlive(ctx, grace)
	defer drop()
	lines := make([]chan sending, s.o.Connections)
	var running sync.WaitGroup
	for i := range lines {
		lines[i] = make(chan sending, 64)
		running.Go(func() {
			for d := range lines[i] {
				if ctx.Err() != nil {
					continue
				}
				if err := s.send(ctx, inFlight, d.delivery); err != nil {
					stop(err)
					continue
				}
				p.add()
			}
		})
	}
	pace := newPace(s.o.Rate)
	for d := range deliveries {
		if !pace.wait(ctx) {
			break
		}
		select {
		case lines[d.line] <- d:
		case <-ctx.Done():
		}
	}
	for _, line := range lines {
		close(line)
	}
	running.Wait()
	return context.Cause(ctx)
}

// outlive returns a context that ends a while after another one.
func outlive(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(after):
			end()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); end() }
}

// send sends one delivery and counts the answer. While the receiver cannot take
// it, it is tried again, as providers do.
func (s *sender) send(ctx, inFlight context.Context, d delivery) error {
	for try := 1; ; try++ {
		status, body, err := s.post(inFlight, d)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.report.Answers[status]++
		s.mu.Unlock()
		if status >= 500 && try < patience {
			select {
			case <-time.After(time.Second):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if status != http.StatusOK {
			return s.refused(d, status, body)
		}
		return s.count(d, body)
	}
}

func (s *sender) post(ctx context.Context, d delivery) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, d.method, s.o.URL+d.target(), bytes.NewReader(s.compress(d)))
	if err != nil {
		return 0, nil, fmt.Errorf("make a delivery of %s: %w", d.provider, err)
	}
	for name, value := range d.header {
		req.Header.Set(name, value)
	}
	if s.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.o.Token)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("the receiver at %s no longer answers: %w", s.o.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, nil, fmt.Errorf("read the receiver's answer: %w", err)
	}
	return res.StatusCode, body, nil
}

// compress returns the body as it goes over the line.
func (s *sender) compress(d delivery) []byte {
	if d.header["Content-Encoding"] != "gzip" {
		return d.body
	}
	w, ok := s.zippers.Get().(*gzip.Writer)
	if !ok {
		w = gzip.NewWriter(nil)
	}
	defer s.zippers.Put(w)
	return zip(w, d.body)
}

func zip(w *gzip.Writer, body []byte) []byte {
	var b bytes.Buffer
	w.Reset(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// refused says what an answer other than 200 means for the user.
func (s *sender) refused(d delivery, status int, body []byte) error {
	switch status {
	case http.StatusUnauthorized:
		if s.o.Token == "" {
			return fmt.Errorf("the receiver wants a token for %s (401): give it the one of the receiver, CDRSTORE_TOKEN=… make demo", d.provider)
		}
		return fmt.Errorf("the token is not the one that the receiver wants for %s (401): give it the same CDRSTORE_TOKEN", d.provider)
	case http.StatusForbidden:
		return fmt.Errorf("the receiver does not take %s from this address (403): it has an allow-list", d.provider)
	case http.StatusNotFound:
		return fmt.Errorf("the receiver has no source named %s (404): simulate sends to the sources that are there without CDRSTORE_CONFIG; choose those it has with --providers", d.provider)
	}
	return fmt.Errorf("the receiver answers a delivery of %s (%s) with %d: %s", d.provider, d.kind, status, bytes.TrimSpace(body))
}

// count adds a delivery and the answer 200 to the report.
func (s *sender) count(d delivery, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("the receiver's answer is unreadable: %w", err)
	}
	if a.Received != d.records || a.Stored+a.Duplicates+a.Quarantined+a.Spooled != d.records {
		return fmt.Errorf("the receiver counts the %d records of a delivery of %s (%s) as %s", d.records, d.provider, d.kind, bytes.TrimSpace(body))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.sent(d)
	s.report.Said.add(a)
	return nil
}

// interrupted reports whether the caller ended a run.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
