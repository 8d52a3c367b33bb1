//go:build unix

package api_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// BenchmarkDelivery is the HTTP side of a delivery, over connections that stay
// open. Bare is what net/http alone takes to read a body and to answer: the
// floor.
func BenchmarkDelivery(b *testing.B) {
	record := `{"call_id":"4f1d2c6e","time_start":"2026-05-13 12:45:40","src":"447700900123","dst":"447700900456"}`
	event := strings.Repeat(record+"\n", 5)
	batch := strings.Repeat(record+"\n", 300)
	bare, server := http.HandlerFunc(answerBare), benchServer(b).Handler()
	for _, c := range []struct {
		name, target, headers, body string
		handler                     http.Handler
	}{
		{"bare", "/hooks/open", "", event, bare},
		{"event", "/hooks/open", "", event, server},
		{"token", "/hooks/token?token=secret", "", event, server},
		{"basic", "/hooks/basic", "Authorization: " + basic("acme", "secret") + "\r\n", event, server},
		{"bare-batch", "/hooks/open", "", batch, bare},
		{"batch", "/hooks/open", "", batch, server},
		{"gzip", "/hooks/open", "Content-Encoding: gzip\r\n", zip(batch), server},
	} {
		b.Run(c.name, func(b *testing.B) {
			request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: cdr.example.com\r\nUser-Agent: sender/1.0\r\n"+
				"Accept: */*\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
				c.target, c.headers, len(c.body), c.body)
			exchangeMany(b, serveBench(b, c.handler), []byte(request), 16)
		})
	}
}

func answerBare(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"received":1,"stored":1,"duplicates":0,"quarantined":0,"spooled":0,"errors":[]}`+"\n")
}

func benchServer(b *testing.B) *api.Server {
	b.Helper()
	s, err := api.New(api.Options{
		Loopback: true,
		Sources: []config.Source{
			{Name: "open", Provider: "didww"},
			{Name: "token", Provider: "didww", Tokens: []string{"secret"}},
			{Name: "basic", Provider: "didww", BasicAuth: config.BasicAuth{Username: "acme", Passwords: []string{"secret"}}},
		},
		Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
			return ingest.Result{Received: 1, Stored: 1}, nil
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func serveBench(b *testing.B, h http.Handler) (address string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	b.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// exchangeMany sends one request b.N times over some connections, and reports
// the processor time of one exchange beside the time on the clock.
func exchangeMany(b *testing.B, address string, request []byte, connections int) {
	b.Helper()
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	var conns []net.Conn
	for range connections {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		conns = append(conns, conn)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	for _, conn := range conns {
		all.Go(func() {
			in := bufio.NewReader(conn)
			for left.Add(-1) >= 0 {
				if err := exchangeOne(conn, in, request); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// exchangeOne reads as little of an answer as tells where it ends.
func exchangeOne(conn net.Conn, in *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	length, status := 0, true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if status && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("answer %q", line)
		}
		status = false
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			for _, digit := range bytes.TrimSpace(value) {
				length = 10*length + int(digit-'0')
			}
		}
		if len(line) == len("\r\n") {
			_, err := in.Discard(length)
			return err
		}
	}
}

func processorTime(b *testing.B) int64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
