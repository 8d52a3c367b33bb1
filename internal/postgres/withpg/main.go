// Command withpg runs a command beside a temporary Postgres, so that the tests of all packages share one server:
//
//	go run ./internal/postgres/withpg -- go test ./...
//
// It installs Postgres when it is missing, and ends with the command's exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg -- COMMAND [ARGUMENT…]")
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil)), args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
		code = max(code, 1)
	}
	cancel()
	os.Exit(code)
}

// run starts the server, installing it first when it is missing, and then the command, whose exit code it returns.
// A server that the environment names already is used instead.
func run(ctx context.Context, log *slog.Logger, args []string) (code int, err error) {
	if url := os.Getenv(pgtest.URLVariable); url != "" {
		return execute(ctx, args, url)
	}
	_, err = postgres.Find()
	if errors.Is(err, postgres.ErrNotFound) {
		err = postgres.Install(ctx, log)
	}
	if err != nil {
		return 1, err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	err = pgtest.WithServer(ctx, quiet, func(url string) error {
		code, err = execute(ctx, args, url)
		return err
	})
	return code, err
}

// execute runs the command with the server's URL in its environment.
func execute(ctx context.Context, args []string, url string) (code int, err error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), pgtest.URLVariable+"="+url)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("run %s: %w", args[0], err)
	}
	return 0, nil
}
