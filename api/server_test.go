package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// receiver is a server on loopback and what came out of it.
type receiver struct {
	t        *testing.T
	server   *api.Server
	url      string
	log      *lockedBuffer
	registry *prometheus.Registry

	mu         sync.Mutex
	deliveries []cdr.Delivery
}

// start serves with the five default sources on loopback, unless o says
// otherwise. Deliveries are kept in the receiver unless o has a Write.
func start(t *testing.T, o api.Options) *receiver {
	t.Helper()
	r := &receiver{t: t, log: &lockedBuffer{}, registry: prometheus.NewRegistry()}
	if o.Sources == nil {
		o.Loopback = true
		for _, name := range []string{"didww", "didlogic", "voipnow", "piopiy", "wavix"} {
			o.Sources = append(o.Sources, config.Source{Name: name, Provider: name})
		}
	}
	if o.Write == nil {
		o.Write = r.keep
	}
	o.Registry = r.registry
	o.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if r.server, err = api.New(o); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(r.server.Handler())
	s.Start()
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *receiver) keep(_ context.Context, d cdr.Delivery) (ingest.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliveries = append(r.deliveries, d)
	return ingest.Result{Received: 1, Stored: 1}, nil
}

// kept returns the deliveries so far.
func (r *receiver) kept() []cdr.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.deliveries)
}

// last returns the one delivery that is expected.
func (r *receiver) last() cdr.Delivery {
	r.t.Helper()
	all := r.kept()
	if len(all) != 1 {
		r.t.Fatalf("%d deliveries, want 1", len(all))
	}
	return all[0]
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one request; headers are names and values in turn.
func (r *receiver) send(method, path string, body io.Reader, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	client := http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	res, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (r *receiver) post(path, body string, headers ...string) answer {
	r.t.Helper()
	return r.send(http.MethodPost, path, strings.NewReader(body), headers...)
}

// wantProblem checks that an answer is a problem document of a status.
func wantProblem(t *testing.T, a answer, status int) {
	t.Helper()
	var doc struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatalf("status %d, body %q: %v", a.status, a.body, err)
	}
	if a.status != status || doc.Status != status || doc.Type != "about:blank" ||
		doc.Title != http.StatusText(status) || doc.Detail == "" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("want a problem %d, got %d %v %q", status, a.status, a.header, a.body)
	}
	if got := a.header.Get("Retry-After") != ""; got != (status == http.StatusServiceUnavailable) {
		t.Errorf("status %d, Retry-After %v", status, a.header["Retry-After"])
	}
}

func wantTaken(t *testing.T, a answer) {
	t.Helper()
	const want = `{"received":1,"stored":1,"duplicates":0,"quarantined":0,"spooled":0,"errors":[]}` + "\n"
	if a.status != http.StatusOK || a.body != want || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %v %q", a.status, a.header, a.body)
	}
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
