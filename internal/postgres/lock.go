package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// RunningError says that another process runs a server in the same directory.
type RunningError struct {
	// Dir is the server's directory.
	Dir string
	// PID is the process that owns the server, 0 when it has not said so yet.
	PID int

	socket string
}

// Error names the directory and the process.
func (e *RunningError) Error() string {
	return fmt.Sprintf("Postgres in %s is already running by pid %d", e.Dir, e.PID)
}

// URL is the address of a database of the running server, empty when its owner has not said it yet.
func (e *RunningError) URL(database string) string {
	if e.socket == "" {
		return ""
	}
	return socketURL(e.socket, database)
}

// lockDir takes the directory's lock, which ends with the returned file or with the process.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the Postgres directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = writeLock(f, "")
	}
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, runningError(dir)
	}
	return nil, fmt.Errorf("lock the Postgres directory: %s: %w", path, err)
}

// unlock gives the directory free. Closing the file alone does not while a process that is being started holds a
// copy of it. A second time it says os.ErrClosed.
func unlock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Flock(int(fd), syscall.LOCK_UN) }); err != nil {
		return f.Close() // closed already, and says so by os.ErrClosed
	}
	return errors.Join(failed, f.Close())
}

// writeLock says in the lock file who runs the server and where it listens.
func writeLock(f *os.File, socket string) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write the Postgres lock: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+socket+"\n"), 0); err != nil {
		return fmt.Errorf("write the Postgres lock: %w", err)
	}
	return nil
}

// runningError reads what writeLock wrote; the owner of the lock may not have come to it yet.
func runningError(dir string) *RunningError {
	e := &RunningError{Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil {
		return e
	}
	pid, socket, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	if n, err := atoi(pid); err == nil {
		e.PID, e.socket = n, strings.TrimSpace(socket)
	}
	return e
}
