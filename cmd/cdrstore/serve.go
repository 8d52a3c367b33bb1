package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/report"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/migrations"
)

func serveCommand() *cobra.Command {
	var verbose bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the receiver",
		Long: `Runs the receiver: finds a Postgres (DATABASE_URL, else an own one in the data
directory, which is installed where it is missing), applies the migrations and
takes deliveries on CDRSTORE_LISTEN. While a DATABASE_URL does not answer it
takes deliveries all the same and keeps them in the spool in the data directory.
It logs text on a terminal and JSON elsewhere, one line per source and minute in
which something was taken.
Ctrl-C finishes what is in flight and stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(os.LookupEnv)
			if err != nil {
				return err
			}
			if verbose {
				cfg.Log = slog.LevelDebug
			}
			return serve(cmd.Context(), cfg, logger(cfg.Log))
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log every delivery, as CDRSTORE_LOG=debug does")
	return cmd
}

func serve(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	tuneMemory()
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by Shutdown before; here for early returns
	spool, err := openSpool(cfg, log)
	if err != nil {
		return err
	}
	defer closeSpool(spool, log)
	d, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	keeper := keep(cfg, d, log)
	defer keeper.stop()
	s, err := store.Open(ctx, d.url, log)
	if err != nil {
		return err
	}
	defer s.Close()
	w := ingest.NewWriter(s, log, ingest.Options{Timeout: cfg.Late, Spool: spool, Sources: byName(cfg), Waiting: true})
	defer w.Close()
	readers, err := readers(ctx, d.url, 1)
	if err != nil {
		return err
	}
	defer readers.Close()
	web, err := openConsole(ctx, cfg, d.url, s, spool, log)
	if err != nil {
		return err
	}
	server, err := newServer(cfg, s, w, spool, readers, web.onReceiver(), log)
	if err != nil {
		return err
	}
	defer web.start(ctx, server)()
	fmt.Print(welcome(cfg, listener.Addr().String(), web.address(listener.Addr().String()), d.url))
	return run(ctx, cfg, server, listener, log, func(ctx context.Context) error {
		if err := prepare(ctx, cfg, d.url, s, log); err != nil {
			return err
		}
		w.Connected()
		remember(ctx, readers, server, log)
		var joining sync.WaitGroup
		defer joining.Wait()
		joining.Go(func() { joinImported(ctx, s, log) })
		report.Keep(ctx, d.url, log)
		return nil
	})
}

// joinImported joins, each minute, what was imported within a week with what was
// pushed since: DIDWW repeats a CDR until it is accepted, also one that a file has
// brought meanwhile.
func joinImported(ctx context.Context, s *store.Store, log *slog.Logger) {
	poll := time.NewTicker(time.Minute)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
		joined, err := s.JoinImported(ctx, time.Now().AddDate(0, 0, -7))
		if err != nil && ctx.Err() == nil {
			log.Warn("imported calls were not joined with pushed ones", slog.Any("error", err))
		}
		if joined > 0 {
			log.Info("imported calls were pushed since and are one call now", slog.Int("calls", joined))
		}
	}
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

func openSpool(cfg config.Config, log *slog.Logger) (*spool.Spool, error) {
	if !cfg.Spool {
		return nil, nil
	}
	// Open to others, for the own Postgres may run as another user; what is in it is not.
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return nil, fmt.Errorf("CDRSTORE_DATA_DIR: %w", err)
	}
	return spool.Open(spoolDir(cfg), spool.Options{MaxBytes: cfg.SpoolBytes, Log: log})
}

func closeSpool(s *spool.Spool, log *slog.Logger) {
	if s == nil {
		return
	}
	if err := s.Close(); err != nil {
		log.Error("close the spool", slog.Any("error", err))
	}
}

// prepare applies the migrations and registers the sources, as soon as the
// database answers.
func prepare(ctx context.Context, cfg config.Config, url string, s *store.Store, log *slog.Logger) error {
	poll := time.NewTicker(time.Second)
	defer poll.Stop()
	for said := false; ; said = true {
		err := migrations.Up(ctx, url, log)
		if err == nil {
			err = s.Register(ctx, registered(cfg))
		}
		if err == nil || ctx.Err() != nil || store.FaultOf(err) != store.FaultAway {
			return err
		}
		if !said {
			log.Error("the database does not answer yet", slog.Any("error", err), slog.Bool("spooling", cfg.Spool))
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
		}
	}
}

func registered(cfg config.Config) []store.Source {
	sources := make([]store.Source, len(cfg.Sources))
	for i, s := range cfg.Sources {
		sources[i] = store.Source{Name: s.Name, Provider: s.Provider, Settings: s.Settings}
	}
	return sources
}

// byName finds the sources under their names and former names.
func byName(cfg config.Config) map[string]store.Source {
	sources := map[string]store.Source{}
	for i, s := range registered(cfg) {
		sources[s.Name] = s
		for _, former := range cfg.Sources[i].Aliases {
			sources[former] = s
		}
	}
	return sources
}

// run serves until it is told to stop, or what has to be done beside it fails.
func run(ctx context.Context, cfg config.Config, server *api.Server, listener net.Listener, log *slog.Logger, beside func(context.Context) error) error {
	served, failed := make(chan error, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer logTraffic(server)()
	var prepared sync.WaitGroup
	defer prepared.Wait()
	defer cancel()
	go func() { served <- server.Serve(listener) }()
	prepared.Go(func() {
		if err := beside(ctx); err != nil && ctx.Err() == nil {
			failed <- err
		}
	})
	var cause error
	select {
	case err := <-served:
		return err
	case cause = <-failed:
	case <-ctx.Done():
		log.Info("stopping")
	}
	stop, cancelStop := context.WithTimeout(context.Background(), cfg.Stop)
	defer cancelStop()
	return errors.Join(cause, server.Shutdown(stop), <-served)
}
