package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

// consoleOf opens the console of a configuration beside a receiver.
func consoleOf(t *testing.T, env map[string]string) (*web, *strings.Builder) {
	t.Helper()
	cfg, err := config.Load(func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	url := pgtest.New(t)
	s, err := store.Open(t.Context(), url, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := ingest.NewWriter(s, log, ingest.Options{})
	t.Cleanup(w.Close)
	opened, err := openConsole(t.Context(), cfg, url, s, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := readers(t.Context(), url, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	server, err := newServer(cfg, s, w, nil, pool, opened.onReceiver(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.start(t.Context(), server))
	return opened, &said
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestConsoleOnItsOwnAddress(t *testing.T) {
	t.Parallel()
	w, _ := consoleOf(t, map[string]string{"CDRSTORE_CONSOLE": "127.0.0.1:0"})
	if w.onReceiver() != nil {
		t.Error("it is on the receiver's port too")
	}
	address := w.address("receiver")
	if _, port, err := net.SplitHostPort(address); err != nil || port == "0" {
		t.Fatalf("address %s", address)
	}
	status, body := fetch(t, "http://"+address+"/")
	if status != http.StatusOK || !strings.Contains(body, "didlogic") {
		t.Errorf("status %d: %s", status, body)
	}
	if status, _ := fetch(t, "http://"+address+"/hooks/didlogic"); status != http.StatusNotFound {
		t.Errorf("it takes deliveries: %d", status)
	}
	_, err := w.pool.Exec(t.Context(), "INSERT INTO source (name, provider) VALUES ('x', 'wavix')")
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("its connections write: %v", err)
	}
}

func TestConsoleIsClosedToTheWorld(t *testing.T) {
	t.Parallel()
	env := map[string]string{"CDRSTORE_LISTEN": "0.0.0.0:0", "CDRSTORE_TOKEN": "hook"}
	w, said := consoleOf(t, env)
	if w != nil || w.onReceiver() != nil || w.address("receiver") != "" || strings.Count(said.String(), "there is no web console") != 1 {
		t.Errorf("%v: %s", w, said)
	}
	env["CDRSTORE_CONSOLE_TOKEN"] = "s3cret"
	w, said = consoleOf(t, env)
	if w.onReceiver() == nil || w.address("receiver") != "receiver" || strings.Contains(said.String(), "s3cret") {
		t.Errorf("%v: %s", w, said)
	}
	w, said = consoleOf(t, map[string]string{"CDRSTORE_CONSOLE": "off"})
	if w != nil || strings.Contains(said.String(), "console") {
		t.Errorf("off: %v, %s", w, said)
	}
}
