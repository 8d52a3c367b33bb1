package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// joinPatience is how long a server of another process may take to answer before it is said.
const joinPatience = 10 * time.Second

// Ensure returns the URL of a Postgres that can be used, whatever it takes: the server that another process
// runs in dir, else an own one there, for which Postgres is installed when it is missing and allowInstall is
// set, else the one of docker-compose.yml. Call stop when it is not needed any more.
// ended is closed when the server has ended, and nil when it is not ours.
func Ensure(ctx context.Context, log *slog.Logger, dir string, allowInstall bool) (
	url string, stop func(context.Context) error, ended <-chan struct{}, err error,
) {
	url, stop, ended, err = startOrJoin(ctx, log, dir)
	if !errors.Is(err, ErrNotFound) {
		return url, stop, ended, err
	}
	tried := []error{err}
	if allowInstall {
		log.Info("no Postgres found, installing it")
		if err = Install(ctx, log); err == nil {
			return startOrJoin(ctx, log, dir)
		}
		tried = append(tried, err)
	}
	if url, err = Compose(ctx, log, "."); err == nil {
		return url, func(context.Context) error { return nil }, nil, nil
	}
	tried = append(tried, err)
	return "", nil, nil, fmt.Errorf("there is no Postgres to be had: set DATABASE_URL to a server of yours, "+
		"or install Postgres %d or newer:\n%w", oldest, errors.Join(tried...))
}

// startOrJoin starts a server in dir, or waits until the one that another process starts there can be used.
func startOrJoin(ctx context.Context, log *slog.Logger, dir string) (
	string, func(context.Context) error, <-chan struct{}, error,
) {
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for began := time.Now(); ; {
		s, err := Start(ctx, log, Options{Dir: dir})
		if err == nil {
			return s.URL(Database), s.Stop, s.Done(), nil
		}
		var running *RunningError
		if !errors.As(err, &running) {
			return "", nil, nil, err
		}
		if url := running.URL(Database); url != "" {
			if err = ping(ctx, url); err == nil {
				log.Info("using the Postgres of another process", "pid", running.PID, "directory", running.Dir)
				return url, func(context.Context) error { return nil }, nil, nil
			}
		}
		if time.Since(began) > joinPatience {
			began = time.Now()
			log.Warn("waiting for the Postgres of another process", "pid", running.PID, "directory", running.Dir, "error", err)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return "", nil, nil, fmt.Errorf("wait for the Postgres of another process: %w: %w", err, ctx.Err())
		}
	}
}
