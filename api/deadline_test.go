package api_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// watched is a connection that keeps the deadlines that were set.
type watched struct {
	net.Conn
	mu          sync.Mutex
	read, write time.Time
}

// watching is a listener that takes one connection.
type watching struct {
	net.Listener
	conn *watched
}

func (l watching) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.conn.Conn = conn
	return l.conn, nil
}

func (w *watched) SetReadDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = at
	return w.Conn.SetReadDeadline(at)
}

func (w *watched) SetWriteDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !at.IsZero() { // net/http takes it off after the answer
		w.write = at
	}
	return w.Conn.SetWriteDeadline(at)
}

// left returns how far away the deadlines are.
func (w *watched) left() (read, write time.Duration, unlimited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Until(w.read), time.Until(w.write), w.read.IsZero()
}

// A body has the grace. While it is written the read deadline is off, for it
// would look like a client that went away; an answer that was long in coming has
// as much time to be read as one that was not.
func TestDeadlinesOfADelivery(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{}
	r := start(t, api.Options{Write: func(_ context.Context, d cdr.Delivery) (ingest.Result, error) {
		if read, _, unlimited := w.left(); !unlimited {
			t.Errorf("%s: while it is written there are %v to read", d.Method, read)
		}
		if d.Method == "POST" {
			<-time.After(2 * time.Second)
		}
		return ingest.Result{Received: 1, Stored: 1}, nil
	}})
	go func() { _ = r.server.Serve(watching{listener, w}) }()
	t.Cleanup(func() { _ = listener.Close() })
	c := dial(t, listener.Addr().String())
	c.say(head + "Expect: 100-continue\nContent-Length: 2\n\n")
	for range 2 {
		if _, err := c.in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if read, write, _ := w.left(); read < 10*time.Second || read > 15*time.Second || write < 25*time.Second {
		t.Errorf("a body has %v, a continue %v", read, write)
	}
	c.say("{}")
	wantTaken(t, c.hear())
	if _, write, _ := w.left(); write < 29*time.Second {
		t.Errorf("an answer has %v", write)
	}
	c.say("GET /hooks/voipnow?a=b HTTP/1.1\nHost: x\n\n")
	wantTaken(t, c.hear())
	c.say("POST /hooks/nobody HTTP/1.1\nHost: x\nContent-Length: 2\n\n")
	wantProblem(t, c.hear(), 404)
	if read, _, unlimited := w.left(); unlimited || read > 5*time.Second {
		t.Errorf("a body that nobody reads has %v", read)
	}
}

// Bytes that come one by one earn no time worth the name.
func TestTrickledBody(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Limits: api.Limits{BodyGrace: 500 * time.Millisecond}})
	c := dial(t, r.url)
	c.say(head + "Content-Length: 1000\n\n")
	answered := make(chan answer)
	go func() { answered <- c.hear() }()
	for range 100 {
		_, _ = c.conn.Write([]byte("x")) // fails when it was answered
		select {
		case a := <-answered:
			wantProblem(t, a, 503)
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Error("no answer in five seconds")
}

// What a client announces is not taken before it comes.
func TestAnnouncedBodyTakesNoMemory(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Limits: api.Limits{InFlight: 40 << 10}})
	for range 2 {
		c := dial(t, r.url)
		c.say(head + "Expect: 100-continue\nContent-Length: 16000000\n\n")
		if line, err := c.in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q %v", line, err)
		}
	}
	wantTaken(t, r.post("/hooks/didww", "{}"))
}
