package metrics

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/spool"
)

func TestSpool(t *testing.T) {
	t.Parallel()
	none := figures(t, Spool(nil))
	if len(none) != 7 {
		t.Errorf("without a spool: %v", none)
	}
	for name, value := range none {
		if value != 0 {
			t.Errorf("%s is %v without a spool", name, value)
		}
	}
	sp, err := spool.Open(t.TempDir(), spool.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sp.Close() }()
	if age := figures(t, Spool(sp))["cdrstore_spool_oldest_age_seconds"]; age != 0 {
		t.Errorf("an empty spool has an age of %v", age)
	}
	for range 2 {
		if err := sp.Append(t.Context(), cdr.Delivery{Source: "a", ReceivedAt: time.Now().Add(-time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	got := figures(t, Spool(sp))
	wantFigures(t, got, map[string]float64{
		"cdrstore_spool_deliveries": 2, "cdrstore_spool_max_bytes": 1 << 20, "cdrstore_spool_failing": 0, "cdrstore_spool_bytes": float64(sp.Stats().Bytes),
	})
	if age := got["cdrstore_spool_oldest_age_seconds"]; age < 60 || age > 600 {
		t.Errorf("age %v, want a minute and a bit", age)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantFigures(t, figures(t, Connections(pool.Stat)), map[string]float64{
		"cdrstore_pool_acquired_connections": 1, "cdrstore_pool_idle_connections": 0, "cdrstore_pool_max_connections": 1,
	})
	waited := make(chan error)
	go func() {
		waited <- pool.AcquireFunc(context.WithoutCancel(t.Context()), func(*pgxpool.Conn) error { return nil })
	}()
	time.AfterFunc(20*time.Millisecond, conn.Release)
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	got := figures(t, Connections(pool.Stat))
	wantFigures(t, got, map[string]float64{"cdrstore_pool_acquired_connections": 0, "cdrstore_pool_idle_connections": 1})
	if got["cdrstore_pool_waits_total"] < 1 || got["cdrstore_pool_wait_seconds_total"] <= 0 {
		t.Errorf("no wait is counted: %v", got)
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	got := figures(t, Build())
	if len(got) != 1 {
		t.Fatalf("%v", got)
	}
	for name, value := range got {
		if value != 1 {
			t.Errorf("%s is %v", name, value)
		}
	}
}
