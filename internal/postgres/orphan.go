package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long a server left behind may take to end before it is told more firmly.
const patience = 30 * time.Second

// stopOrphan ends a server that outlived the process that had started it, so that two never
// work on the same data. We hold the directory's lock, so nobody else owns that server.
func stopOrphan(ctx context.Context, log *slog.Logger, data string) error {
	data, err := filepath.EvalSymlinks(data)
	if err != nil {
		return fmt.Errorf("locate the Postgres data: %w", err)
	}
	pidFile := filepath.Join(data, "postmaster.pid")
	pid, err := readPID(pidFile)
	if err != nil {
		return err
	}
	pids := serverProcesses(ctx, data)
	if len(pids) > 0 {
		log.Info("stopping a Postgres that was left behind", "data", data, "pids", pids)
		if slices.Contains(pids, pid) {
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
		if err := awaitEnd(ctx, data); err != nil {
			return err
		}
	}
	// Postgres itself sees that a process has ended, but takes a zombie, or a stranger who got the same number,
	// for the old server.
	if pid < 0 || (pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)) {
		if err := os.Remove(pidFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the lock of a Postgres that has ended: %w", err)
		}
	}
	return nil
}

// awaitEnd waits until no process of the server is left; those that dawdle are told to quit at once.
func awaitEnd(ctx context.Context, data string) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	quit := time.NewTimer(patience)
	defer quit.Stop()
	giveUp := time.NewTimer(2 * patience)
	defer giveUp.Stop()
	for {
		pids := serverProcesses(ctx, data)
		if len(pids) == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-quit.C:
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGQUIT)
			}
		case <-giveUp.C:
			return fmt.Errorf("a Postgres left behind in %s does not end: stop its processes %v", data, pids)
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of a Postgres left behind: %w", ctx.Err())
		}
	}
}

// readPID reads whose lock the data directory has: 0 when there is none, -1 when it cannot be made out.
func readPID(pidFile string) (int, error) {
	text, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the lock of the Postgres data: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if pid, err := atoi(first); err == nil && pid > 0 {
		return pid, nil
	}
	return -1, nil
}
