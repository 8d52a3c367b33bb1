//go:build !linux

package postgres

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
)

// processAttributes put the server into a process group of its own, so that Ctrl-C does not reach it before us.
// If we are killed it stays; the next start stops it.
func processAttributes(a *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// serverProcesses lists the main process of a server that runs in data.
func serverProcesses(ctx context.Context, data string) []int {
	out, err := exec.CommandContext(ctx, "ps", "-axo", "pid=,args=").Output()
	if err != nil {
		return nil
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		pid, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(args, "/postgres -D "+data+" ") {
			continue
		}
		if n, err := atoi(pid); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

// totalMemory is not known here.
func totalMemory() int64 { return 0 }

// canPassLocked reports whether a server can be let through directories that
// are closed to its account.
func canPassLocked() bool { return false }
