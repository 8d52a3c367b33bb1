package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/migrations"
)

// stopTimeout is how long requests in flight may take once a stop was asked for.
const stopTimeout = 20 * time.Second

func serveCommand() *cobra.Command {
	var verbose bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the receiver",
		Long: `Runs the receiver: finds a Postgres (DATABASE_URL, else an own one in the data
directory, which is installed where it is missing), applies the migrations and
takes deliveries on CDRSTORE_LISTEN. Ctrl-C finishes what is in flight and stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelInfo
			if verbose {
				level = slog.LevelDebug
			}
			return serve(cmd.Context(), logger(level))
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log every delivery")
	return cmd
}

func serve(ctx context.Context, log *slog.Logger) error {
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by Shutdown before; here for early returns
	d, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer d.close(log)
	if err := migrations.Up(ctx, d.url, log); err != nil {
		return err
	}
	s, err := store.Open(ctx, d.url, log)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Register(ctx, registered(cfg)); err != nil {
		return err
	}
	w := ingest.NewWriter(s, log, ingest.Options{})
	defer w.Close()
	server, err := newServer(cfg, s, w, log)
	if err != nil {
		return err
	}
	fmt.Print(welcome(cfg, listener.Addr().String(), d.url))
	return run(ctx, server, listener, d.ended, log)
}

// listen takes the address before anything else is started, so that a taken port
// is said at once.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program; choose another address: CDRSTORE_LISTEN=127.0.0.1:8081", address)
	}
	if err != nil {
		return nil, fmt.Errorf("CDRSTORE_LISTEN: %w", err)
	}
	return l, nil
}

func registered(cfg config.Config) []store.Source {
	sources := make([]store.Source, len(cfg.Sources))
	for i, s := range cfg.Sources {
		sources[i] = store.Source{Name: s.Name, Provider: s.Provider, Settings: s.Settings}
	}
	return sources
}

func newServer(cfg config.Config, s *store.Store, w *ingest.Writer, log *slog.Logger) (*api.Server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return api.New(api.Options{
		Sources: cfg.Sources, TrustedProxies: cfg.TrustedProxies, Loopback: cfg.Loopback(),
		Write: w.Write, Log: log, Registry: registry,
		Ready: func(ctx context.Context) api.Readiness {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			if err := s.Ping(ctx); err != nil {
				return api.Readiness{Status: "database away"}
			}
			return api.Readiness{Status: "ok"}
		},
	})
}

// run serves until it is told to stop or an own Postgres ends.
func run(ctx context.Context, server *api.Server, listener net.Listener, ended <-chan struct{}, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var cause error
	select {
	case err := <-served:
		return err
	case <-ended:
		cause = errors.New("the own Postgres has ended; its log is in the data directory")
	case <-ctx.Done():
		log.Info("stopping")
	}
	stop, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return errors.Join(cause, server.Shutdown(stop), <-served)
}
