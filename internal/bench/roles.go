package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/bench/byhand"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// receiver is cdrstore itself.
const receiver = "receiver"

// What this program is besides the bench, in processes of their own.
const (
	roleByHand = "byhand" // the opponent
	roleParse  = "parse"  // the receiver without a database: it answers as soon as it has decoded
)

func serveByHand(ctx context.Context) error {
	pool, err := byhand.Pool(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	return serve(ctx, byhand.Handler(pool, quiet()))
}

func serveParse(ctx context.Context) error {
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	server, err := api.New(api.Options{Sources: cfg.Sources, Loopback: true, Log: quiet(), Write: decoder(provider.Adapters())})
	if err != nil {
		return err
	}
	return serve(ctx, server.Handler())
}

// decoder stands in for the writer.
func decoder(adapters map[string]provider.Adapter) api.WriteFunc {
	return func(_ context.Context, d cdr.Delivery) (ingest.Result, error) {
		n := len(adapters[d.Provider].Read(d))
		return ingest.Result{Received: n, Stored: n}, nil
	}
}

// serve answers until ctx ends.
func serve(ctx context.Context, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler} //nolint:gosec // on loopback, for the bench alone
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("takes deliveries at http://%s/hooks/\n", listener.Addr())
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
