package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/config"
)

// TestKeeperStartsPostgresAgain kills the own server and wants another one at the
// same address.
func TestKeeperStartsPostgresAgain(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "cdrstore-test-") // t.TempDir is closed to the server's user
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as said
		t.Fatal(err)
	}
	cfg, log := config.Config{DataDir: dir}, slog.New(slog.DiscardHandler)
	d, err := connect(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	url, k := d.url, keep(cfg, d, log)
	defer k.stop()
	for range 2 {
		first := serverPID(t, dir)
		if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-ended(t, first)
		awaitServer(t, url)
		if again := serverPID(t, dir); again == first {
			t.Errorf("the server still has pid %d", again)
		}
	}
}

func serverPID(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "postgres", "*", "postmaster.pid"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v: want one pid file", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// ended is closed when a process has ended.
func ended(t *testing.T, pid int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		poll := time.NewTicker(5 * time.Millisecond)
		defer poll.Stop()
		for syscall.Kill(pid, 0) == nil && t.Context().Err() == nil {
			<-poll.C
		}
	}()
	return done
}

// awaitServer waits until the server answers.
func awaitServer(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			if err := conn.Close(ctx); err != nil {
				t.Error(err)
			}
			return
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatalf("no server after a minute: %v", err)
		}
	}
}
