package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// forget has the machine give back the memory in which it keeps the files of a
// folder.
func forget(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		var file *os.File
		if err == nil && entry.Type().IsRegular() {
			file, err = os.Open(path)
		}
		if errors.Is(err, fs.ErrNotExist) { // it was a temporary one
			return nil
		}
		if file == nil || err != nil {
			return err
		}
		return errors.Join(unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED), file.Close())
	})
}
