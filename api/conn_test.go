package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// client is a connection over which a test says every byte itself.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, url string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) say(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, strings.ReplaceAll(format, "\n", "\r\n"), args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) hear() answer {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

const head = "POST /hooks/didww HTTP/1.1\nHost: x\n"

// A refusal comes before the body, of which nothing is sent here.
func TestRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path   string
		length int
		expect string
		status int
	}{
		{"/hooks/nobody", 1000, "", 404},
		{"/hooks/didww", 1000, "", 401},
		{"/hooks/didww", 1000, "Expect: 100-continue\n", 401},
		{"/hooks/didww", 1000_000, "", 401},
		{"/hooks/listed", 1000, "", 403},
		{"/hooks/didww?token=t", 16<<20 + 1, "", 413},
		{"/hooks/didww?token=t", 16<<20 + 1, "Expect: 100-continue\n", 413},
	} {
		r := start(t, api.Options{
			Limits: api.Limits{BodyGrace: time.Hour},
			Sources: []config.Source{
				{Name: "didww", Provider: "didww", Tokens: []string{"t"}},
				{Name: "listed", Provider: "didww", AllowIPs: prefixes("192.0.2.1/32")},
			},
		})
		conn := dial(t, r.url)
		conn.say("POST %s HTTP/1.1\nHost: x\n%sContent-Length: %d\n\n", c.path, c.expect, c.length)
		wantProblem(t, conn.hear(), c.status)
	}
}

// HTTP/1.0 ends a body without a length by the end of the connection, and net/http
// reads none.
func TestNoLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request string
		status  int
	}{
		{"POST /hooks/didww HTTP/1.0\n\n{}", 411},
		{"POST /hooks/didww HTTP/1.0\nConnection: keep-alive\n\n{}", 411},
		{"POST /hooks/didww HTTP/1.0\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n", 411},
		{"POST /hooks/didww?a=b HTTP/1.0\n\n{}", 411},
		{"POST /hooks/voipnow?token=x HTTP/1.0\n\nCallID=1", 411},
		{"POST /hooks/nobody HTTP/1.0\n\n{}", 404},
		{"POST /hooks/didww HTTP/1.0\nContent-Length: 2\n\n{}", 200},
		{"POST /hooks/didww HTTP/1.0\nContent-Length: 0\n\n", 200},
		{"POST /hooks/voipnow?CallID=1 HTTP/1.0\n\n", 200},
		{"GET /hooks/voipnow?CallID=1 HTTP/1.0\n\n", 200},
		{head + "\n", 200}, // HTTP/1.1 has a body only where it says so
	} {
		r := start(t, api.Options{})
		conn := dial(t, r.url)
		conn.say("%s", strings.ReplaceAll(c.request, "\n", "\r\n"))
		a := conn.hear()
		if a.status != c.status || len(r.kept()) > 0 != (c.status == 200) {
			t.Errorf("%q: %d %s", c.request, a.status, a.body)
		}
		if c.status == 411 {
			wantProblem(t, a, 411)
			if rest, err := io.ReadAll(conn.in); err != nil || len(rest) > 0 {
				t.Errorf("%q: then %q, %v", c.request, rest, err)
			}
		}
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{})
	c := dial(t, r.url)
	c.say(head + "Expect: 100-continue\nContent-Length: 2\n\n")
	if line, err := c.in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := c.in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	c.say("{}")
	wantTaken(t, c.hear())
}

func TestPipelined(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{})
	c := dial(t, r.url)
	c.say(head + "Content-Length: 1\n\n1" + head + "Transfer-Encoding: chunked\n\n1\n2\n0\n\n" + head + "Content-Length: 1\n\n3")
	for range 3 {
		wantTaken(t, c.hear())
	}
	for i, d := range r.kept() {
		if string(d.Body) != fmt.Sprint(i+1) {
			t.Errorf("delivery %d: %s", i, d.Body)
		}
	}
}

// A client that stalls in its body loses its slot, and the next one gets it.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Limits: api.Limits{Requests: 1, BodyGrace: 300 * time.Millisecond}})
	c := dial(t, r.url)
	c.say(head + "Content-Length: 10\n\n12345")
	a := c.hear()
	wantProblem(t, a, 503)
	if !strings.Contains(a.body, "too slowly") {
		t.Errorf("detail: %s", a.body)
	}
	wantTaken(t, r.post("/hooks/didww", "{}"))
	if len(r.kept()) != 1 {
		t.Error("part of a body was stored")
	}
}

// The time for a body grows with what has come.
func TestProgressProlongsABody(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Limits: api.Limits{BodyGrace: 500 * time.Millisecond, BodyRate: 1}})
	c := dial(t, r.url)
	c.say(head+"Content-Length: 61\n\n%060d", 1)
	// The body has earned a minute by now; its last byte comes after the grace.
	<-time.After(time.Second)
	c.say("2")
	wantTaken(t, c.hear())
}

// The deadline of a body is not one of the database, nor of the next request.
func TestConnectionOutlivesTheBodysDeadline(t *testing.T) {
	t.Parallel()
	const grace = 300 * time.Millisecond
	r := start(t, api.Options{
		Limits: api.Limits{BodyGrace: grace},
		Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
			<-time.After(2 * grace)
			return ingest.Result{Received: 1, Stored: 1}, nil
		},
	})
	c := dial(t, r.url)
	for range 2 {
		c.say(head + "Content-Length: 2\n\n{}")
		wantTaken(t, c.hear())
	}
	c.say("GET /hooks/voipnow?a=b HTTP/1.1\nHost: x\n\n")
	wantTaken(t, c.hear())
}

func TestDroppedBody(t *testing.T) {
	t.Parallel()
	for _, request := range []string{
		head + "Content-Length: 10\n\n12345",
		head + "Transfer-Encoding: chunked\n\n5\n12345\n",
		head + "Transfer-Encoding: chunked\n\nzz\n",
	} {
		r := start(t, api.Options{})
		c := dial(t, r.url)
		c.say("%s", strings.ReplaceAll(request, "\n", "\r\n"))
		if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		a := c.hear()
		wantProblem(t, a, 503)
		if !strings.Contains(a.body, "ended early") || len(r.kept()) != 0 {
			t.Errorf("%q: %s", request, a.body)
		}
	}
}

// What a client brought is stored also when it does not wait for the answer.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	type seen struct {
		ctx context.Context
		end chan struct{}
	}
	writes := make(chan seen)
	r := start(t, api.Options{Write: func(ctx context.Context, _ cdr.Delivery) (ingest.Result, error) {
		s := seen{ctx, make(chan struct{})}
		writes <- s
		<-s.end
		return ingest.Result{}, ctx.Err()
	}})
	c := dial(t, r.url)
	c.say(head + "Content-Length: 2\n\n{}")
	write := <-writes
	_ = c.conn.Close()
	// Another request gives the server time to notice.
	if a := r.send("GET", "/healthz", nil); a.status != 200 {
		t.Error(a.status)
	}
	if _, limited := write.ctx.Deadline(); !limited || write.ctx.Err() != nil {
		t.Errorf("limited %v, error %v", limited, write.ctx.Err())
	}
	close(write.end)
}

func TestWriteIsLimited(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{
		Limits: api.Limits{WriteTimeout: time.Millisecond},
		Write: func(ctx context.Context, _ cdr.Delivery) (ingest.Result, error) {
			<-ctx.Done()
			return ingest.Result{}, fmt.Errorf("write: %w", ctx.Err())
		},
	})
	wantProblem(t, r.post("/hooks/didww", "{}"), 503)
}
