package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// processAttributes put the server into a process group of its own, so that Ctrl-C does not reach it
// before us, and let it shut down when we die without a word.
func processAttributes(a *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
		if a.locked != nil {
			attr.AmbientCaps = []uintptr{capDACOverride}
		}
	}
	return attr
}

// capDACOverride is CAP_DAC_OVERRIDE of <linux/capability.h>. With it a server
// that root started in its own home (mode 0700) reaches its data there.
const capDACOverride = 1

// canPassLocked reports whether a server can be let through directories that
// are closed to its account.
func canPassLocked() bool { return true }

// serverProcesses lists the processes of a server that runs in data: all of them work in that directory.
func serverProcesses(_ context.Context, data string) []int {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil
	}
	var pids []int
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || cwd != data {
			continue
		}
		dir := filepath.Dir(link)
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil || strings.TrimSpace(string(name)) != "postgres" {
			continue
		}
		if pid, err := atoi(filepath.Base(dir)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// totalMemory is the machine's memory in bytes, 0 when that cannot be read.
func totalMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	var kb int64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kb); err != nil {
		return 0
	}
	limit, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if bytes, e := atoi(string(limit)); err == nil && e == nil {
		return min(kb<<10, int64(bytes)) // a container may have less than the machine
	}
	return kb << 10
}
