package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestServe starts the receiver on a database: it registers its sources, keeps the
// sums for reports, and stops when it is told to.
func TestServe(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	set := map[string]string{"DATABASE_URL": url, "CDRSTORE_LISTEN": "127.0.0.1:0", "CDRSTORE_DATA_DIR": t.TempDir()}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := set[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only read from
	late := time.After(time.Minute)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for ready := false; !ready; {
		if err := conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM source) = $1 AND EXISTS (SELECT FROM usage_state)", len(cfg.Sources)).Scan(&ready); err != nil {
			t.Fatal(err)
		}
		select {
		case <-poll.C:
		case err := <-served:
			t.Fatalf("it stopped: %v", err)
		case <-late:
			t.Fatal("after a minute it has neither registered its sources nor computed sums")
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("stop: %v", err)
	}
}
