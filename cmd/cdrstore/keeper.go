package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/cdrstore/cdrstore/internal/config"
)

// keeper starts an own Postgres again when it ends, and stops it in the end.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func keep(cfg config.Config, d database, log *slog.Logger) keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := keeper{cancel, make(chan struct{})}
	go func() {
		defer close(k.done)
		for {
			select {
			case <-ctx.Done():
				d.close(log)
				return
			case <-d.ended: // never, when the server is not ours
				log.Error("ALARM: the own Postgres has ended, starting it again")
				d.close(log) // gives its directory free
				d = reconnect(ctx, cfg, log)
			}
		}
	}()
	return k
}

// reconnect starts the server until it runs. Its address stays the same.
func reconnect(ctx context.Context, cfg config.Config, log *slog.Logger) database {
	poll := time.NewTicker(time.Second)
	defer poll.Stop()
	for {
		d, err := connect(ctx, cfg, log)
		if err == nil {
			return d
		}
		log.Error("ALARM: the own Postgres does not start", slog.Any("error", err))
		select {
		case <-poll.C:
		case <-ctx.Done():
			return database{stop: func(context.Context) error { return nil }}
		}
	}
}

// stop stops the server and waits until it has.
func (k keeper) stop() {
	k.cancel()
	<-k.done
}
