package chaos

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestClients has all kinds of bad and odd clients beside a load that must not
// notice them.
func TestClients(t *testing.T) {
	t.Parallel()
	s := settings{database: pgtest.New(t), dir: t.TempDir()}
	r := start(t, s)
	r.drained(t)
	l := startLoad(t, 8, r)
	odd := newGenerator(1)
	odd.marks, odd.calls = 1_000_000, 1_000_000 // none that the load has

	allowFiles(t)
	idle := hold(t, r, either(500, 10_000), "")
	head := "POST /hooks/didww HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
	inHead := hold(t, r, either(50, 500), head)
	inBody := hold(t, r, either(50, 500), head+"Content-Length: 1000\r\n\r\n{\"type\":")
	t.Logf("held open: %d idle connections, %d within the head, %d within the body of a request", len(idle), len(inHead), len(inBody))
	dropped := either(100, 1000)
	for i := range dropped {
		drop(t, r, head, i)
	}
	for range either(20, 200) {
		chunked(t, r, l, odd.next())
	}
	for range either(5, 50) {
		pipelined(t, r, l, odd)
	}
	wantMore(t, l, "stored meanwhile", either(1000, 20_000), counts.stored)
	l.stop()
	if median, longest := l.latency(); median > time.Second {
		t.Errorf("the others waited %v (median), %v (longest)", median, longest)
	}
	if c := l.now(); c.acknowledged != c.deliveries {
		t.Errorf("%d of %d deliveries were acknowledged, want all", c.acknowledged, c.deliveries)
	}
	if long() { // in the short run there is no time to see it
		wantClosed(t, inHead)
		wantClosed(t, inBody)
		t.Log("the receiver has closed all that stalled")
	}
	r.drained(t)
	t.Logf("dropped within the body: %d", dropped)
	l.check(t, s)
}

func dial(t *testing.T, r *receiver) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// hold opens connections that say something and then nothing more.
func hold(t *testing.T, r *receiver, n int, say string) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = dial(t, r)
		write(t, conns[i], []byte(say))
	}
	t.Cleanup(func() {
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return conns
}

func write(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// drop sends the first of two lines whole and goes. Nothing of it may be stored:
// check finds a mark that the load never sent.
func drop(t *testing.T, r *receiver, head string, n int) {
	t.Helper()
	line := fmt.Sprintf(`{"type":"outbound-call-start-event","id":"x","mark":"dropped-%d","attributes":{"call_id":"dropped-%d","time_start":"2026-03-03T12:00:00.250000+00:00"}}`+"\n", n, n)
	conn := dial(t, r)
	write(t, conn, fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, 2*len(line), line))
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// head is the start of a request for a delivery.
func (d delivery) head(more string) []byte {
	h := fmt.Appendf(nil, "%s /hooks/%s HTTP/1.1\r\nHost: localhost\r\n%s", d.method(), d.path, more)
	if d.kind != "" {
		h = fmt.Appendf(h, "Content-Type: %s\r\n", d.kind)
	}
	if d.gzip {
		h = append(h, "Content-Encoding: gzip\r\n"...)
	}
	return append(h, "\r\n"...)
}

// chunked sends a delivery in pieces of a few bytes.
func chunked(t *testing.T, r *receiver, l *load, d delivery) {
	t.Helper()
	conn := dial(t, r)
	defer func() { _ = conn.Close() }()
	l.sent(d)
	if d.kind == "" { // a GET has no body
		write(t, conn, d.head(""))
	} else {
		write(t, conn, d.head("Transfer-Encoding: chunked\r\n"))
		body := d.sent()
		for len(body) > 0 {
			n := min(len(body), 100)
			write(t, conn, fmt.Appendf(nil, "%x\r\n%s\r\n", n, body[:n]))
			body = body[n:]
		}
		write(t, conn, []byte("0\r\n\r\n"))
	}
	wantTaken(t, bufio.NewReader(conn), l, d)
}

// pipelined sends ten deliveries before it reads an answer.
func pipelined(t *testing.T, r *receiver, l *load, g *generator) {
	t.Helper()
	conn := dial(t, r)
	defer func() { _ = conn.Close() }()
	var requests bytes.Buffer
	var deliveries []delivery
	for range 10 {
		d := g.next()
		body := d.sent()
		requests.Write(d.head(fmt.Sprintf("Content-Length: %d\r\n", len(body))))
		requests.Write(body)
		deliveries = append(deliveries, d)
		l.sent(d)
	}
	write(t, conn, requests.Bytes())
	answers := bufio.NewReader(conn)
	for _, d := range deliveries {
		wantTaken(t, answers, l, d)
	}
}

// wantTaken reads an answer, which must be 200.
func wantTaken(t *testing.T, from *bufio.Reader, l *load, d delivery) {
	t.Helper()
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !l.answered(d, res, body, 0) {
		t.Errorf("%s: %s", res.Status, body)
	}
}

// wantClosed waits until the receiver has closed connections, after an answer or
// without one.
func wantClosed(t *testing.T, conns []net.Conn) {
	t.Helper()
	for _, c := range conns {
		_, err := io.Copy(io.Discard, c)
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of this very call
			t.Errorf("a connection that stalls is kept: %v", err)
		}
	}
}
