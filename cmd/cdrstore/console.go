package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/console"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// web is the console of a running receiver. A nil one is none: all its methods
// do nothing.
type web struct {
	*console.Console
	pool     *pgxpool.Pool
	listener net.Listener // nil: on the receiver's port
	log      *slog.Logger
	server   *api.Server // set by start, before anybody asks
}

// openConsole takes the address of the console, where it has one of its own.
func openConsole(ctx context.Context, cfg config.Config, url string, s *store.Store, sp *spool.Spool, log *slog.Logger) (*web, error) {
	if !cfg.ConsoleOpen() {
		if cfg.Console.On {
			log.Info("there is no web console, because it would be open to others than this machine: " +
				"set CDRSTORE_CONSOLE_USER and CDRSTORE_CONSOLE_PASSWORD, or CDRSTORE_CONSOLE_TOKEN")
		}
		return nil, nil
	}
	pool, err := consolePool(ctx, url)
	if err != nil {
		return nil, err
	}
	w := &web{pool: pool, log: log}
	o := console.Options{
		Pool: pool, Log: log, User: cfg.Console.User, Password: cfg.Console.Password, Token: cfg.Console.Token,
		Loopback: cfg.ConsoleLoopback(), Mask: cfg.Console.Mask, Counts: w.counts, Replay: replayer(s),
	}
	if sp != nil {
		o.Spool = func() console.Spool {
			stats := sp.Stats()
			return console.Spool{Deliveries: stats.Deliveries, Bytes: stats.Bytes, MaxBytes: stats.MaxBytes, Failing: stats.Failing}
		}
	}
	if w.Console, err = console.New(o); err != nil {
		pool.Close()
		return nil, err
	}
	if cfg.Console.Listen != "" {
		if w.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Console.Listen); err != nil {
			pool.Close()
			return nil, fmt.Errorf("CDRSTORE_CONSOLE: %w", err)
		}
	}
	return w, nil
}

// consolePool are few connections that only read, and give up on what takes
// long. Plans are made for what is asked: most conditions of a search are empty.
func consolePool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	c.MaxConns, c.MinConns, c.MinIdleConns = 4, 0, 0
	c.ConnConfig.ConnectTimeout = 3 * time.Second
	for name, value := range map[string]string{
		"application_name": "cdrstore console", "timezone": "UTC", "default_transaction_read_only": "on",
		"statement_timeout": "10s", "plan_cache_mode": "force_custom_plan",
	} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return pool, nil
}

// replayer reads pieces of the quarantine again, through the store: the console's
// own connections only read.
func replayer(s *store.Store) console.ReplayFunc {
	return func(ctx context.Context, c console.Chosen) (ingest.Replayed, error) {
		return ingest.Replay(ctx, s, store.Choice{Source: c.Source, Reason: c.Reason, ID: c.ID}, func(int) {})
	}
}

func (w *web) counts() []console.Count {
	var counts []console.Count
	for _, c := range w.server.Counts() {
		counts = append(counts, console.Count(c))
	}
	return counts
}

// onReceiver is what the receiver's port shows; nil: nothing.
func (w *web) onReceiver() http.Handler {
	if w == nil || w.listener != nil {
		return nil
	}
	return w.Console
}

// address is where a browser finds it; empty: nowhere.
func (w *web) address(receiver string) string {
	switch {
	case w == nil:
		return ""
	case w.listener != nil:
		return w.listener.Addr().String()
	}
	return receiver
}

// start samples the counters of the receiver, and serves where the console has an
// address of its own. What it returns ends all that.
func (w *web) start(ctx context.Context, server *api.Server) (stop func()) {
	if w == nil {
		return func() {}
	}
	w.server = server
	ctx, cancel := context.WithCancel(ctx)
	own := &http.Server{
		Handler: w.Console, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 6 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	}
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	if w.listener != nil {
		running.Go(func() {
			if err := own.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
				w.log.Error("the console serves no more", slog.Any("error", err))
			}
		})
	}
	return func() {
		cancel()
		_ = own.Close() // pages are asked for again
		running.Wait()
		w.pool.Close()
	}
}
