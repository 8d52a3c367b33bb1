package pgtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// roomy is how much a memory file system must hold to carry the test databases.
const roomy = 2 << 30

// prefix begins the names of test servers' directories.
const prefix = "cdrstore-test-"

// abandoned is how old a directory is that nobody works in, though its server may be stopped for a while.
const abandoned = time.Hour

// makeDir makes the directory of a test server, and removes those that killed tests left behind.
func makeDir() (string, error) {
	parent := fastDir()
	if err := sweep(parent, time.Now().Add(-abandoned)); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", fmt.Errorf("create a directory for the test server: %w", err)
	}
	return dir, nil
}

// fastDir is where servers for tests live: in memory where that is roomy, for a
// test database is some thousand files that are copied and dropped again, ten
// times as fast there.
func fastDir() string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomy {
		return os.TempDir()
	}
	return shm
}

// sweep removes test servers' directories from before a moment, but for those that somebody else owns or that
// run. In memory each would hold 100 MB and more until the machine restarts.
func sweep(parent string, before time.Time) error {
	dirs, err := filepath.Glob(filepath.Join(parent, prefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		// The directory changes while a server is made, its lock with each start.
		if !older(dir, before) || !older(filepath.Join(dir, "lock"), before) || running(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("remove an old test server: %w", err)
		}
	}
	return nil
}

// older is true as well of what is not there.
func older(path string, before time.Time) bool {
	info, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().Before(before)
}

// running says whether a process holds the lock of the server in dir, or whether that cannot be known.
func running(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close() //nolint:errcheck // it was only read from
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}
