package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// Both limits of what is in flight: a delivery that is being written keeps the
// next one out, and lets it in afterwards.
func TestTooMuchInFlight(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000)
	for name, limits := range map[string]api.Limits{
		"requests": {Requests: 1},
		"bytes":    {InFlight: 1500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, end := make(chan struct{}), make(chan struct{})
			r := start(t, api.Options{Limits: limits, Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
				began <- struct{}{}
				<-end
				return ingest.Result{Received: 1, Stored: 1}, nil
			}})
			first := dial(t, r.url)
			first.say(head+"Content-Length: 1000\n\n%s", text)
			<-began
			wantProblem(t, r.post("/hooks/didww", text), 503)
			if a := r.send("GET", "/readyz", nil); a.status != 200 {
				t.Error("health does not answer under load")
			}
			close(end)
			wantTaken(t, first.hear())
			go func() { <-began }()
			wantTaken(t, r.post("/hooks/didww", text))
		})
	}
}

// While a delivery is written it holds its body only: not what it was inflated
// from, nor what was inflated of a broken one.
func TestWritingHoldsTheBodyOnly(t *testing.T) {
	t.Parallel()
	sent := zip(random(4000)) // does not get smaller
	for name, body := range map[string]string{"inflated": sent, "broken": sent[:len(sent)-4]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, end := make(chan struct{}), make(chan struct{})
			r := start(t, api.Options{
				Limits: api.Limits{Body: 5000, Inflated: 5000, InFlight: 15100},
				Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
					began <- struct{}{}
					<-end
					return ingest.Result{Received: 1, Stored: 1}, nil
				},
			})
			answers := make(chan answer, 2)
			for range 2 {
				go func() { answers <- r.post("/hooks/didww", body) }()
				select {
				case <-began:
				case a := <-answers:
					t.Errorf("refused: %s", a.body)
				}
			}
			close(end)
			if !t.Failed() {
				wantTaken(t, <-answers)
				wantTaken(t, <-answers)
			}
		})
	}
}

// Whatever becomes of a body, its memory is given back.
func TestMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Limits: api.Limits{Body: 3000, Inflated: 5000, InFlight: 8000, Requests: 1}})
	good := zip(strings.Repeat("x", 4000))
	for range 20 {
		wantTaken(t, r.post("/hooks/didww", good))
		wantTaken(t, r.post("/hooks/didww", good[:len(good)-4]))
		wantProblem(t, r.post("/hooks/didww", zip(strings.Repeat("x", 9000))), 413)
		wantProblem(t, r.send("POST", "/hooks/didww", io.MultiReader(strings.NewReader(strings.Repeat("x", 9000)))), 413)
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	r := start(t, api.Options{Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
		began <- struct{}{}
		<-end
		return ingest.Result{Received: 1, Stored: 1}, nil
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, stopped := make(chan error, 1), make(chan error, 1)
	go func() { served <- r.server.Serve(listener) }()
	c := dial(t, listener.Addr().String())
	c.say(head + "Content-Length: 2\n\n{}")
	<-began
	go func() { stopped <- r.server.Shutdown(context.Background()) }()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("takes connections after Shutdown")
	}
	close(end)
	wantTaken(t, c.hear())
	if err := <-stopped; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestShutdownEndsInTime(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	r := start(t, api.Options{Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
		began <- struct{}{}
		<-end
		return ingest.Result{}, nil
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.server.Serve(listener) }()
	c := dial(t, listener.Addr().String())
	c.say(head + "Content-Length: 2\n\n{}")
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
}
