package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// writeFile has f write a file that is there whole or not at all: it is written
// beside its place, synced, and then renamed. A device or a pipe is written to
// as it is.
func writeFile(path string, f func(io.Writer) error) error {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved // else the link would be replaced, not the file
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writePart(path, "no file was left", f)
	case err != nil:
		return fmt.Errorf("--output: %w", err)
	case info.IsDir():
		return fmt.Errorf("--output: %s is a directory", path)
	case info.Mode().IsRegular():
		return writePart(path, "the file is the one from before", f)
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return errors.Join(f(w), w.Close())
}

// writePart writes path's .part and gives it its name. An error says what is at
// path now.
func writePart(path, otherwise string, f func(io.Writer) error) error {
	part := path + ".part"
	w, err := createPart(part)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	defer func() { _ = w.Close() }() // only at the end, because it ends the lock
	err = f(w)
	if err == nil {
		err = w.Sync()
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("%w (%s: %s)", errors.Join(err, os.Remove(part)), path, otherwise)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%s is complete, but may be gone after a power failure: %w", path, err)
	}
	return nil
}

// createPart opens an empty file for this process alone. One that a killed
// export left is written over.
func createPart(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err = claim(f); err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// claim is an error where another process has the file, or had it when it was
// opened here and has renamed it since.
func claim(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	taken := errors.Is(err, syscall.EWOULDBLOCK)
	if err != nil && !taken {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(f.Name())
	if taken || err != nil || !os.SameFile(mine, now) {
		return fmt.Errorf("%s is being written by another export", f.Name())
	}
	return nil
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// interruptible writes until the context ends, also where a reader that has
// stalled would hold a write for ever. What it was given last may then be
// written still.
type interruptible struct {
	ctx context.Context
	w   io.Writer
}

// Write writes p.
func (i interruptible) Write(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	written := make(chan result, 1)
	go func() {
		n, err := i.w.Write(p)
		written <- result{n, err}
	}()
	select {
	case r := <-written:
		return r.n, r.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
