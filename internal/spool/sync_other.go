//go:build !linux

package spool

import "os"

// syncFile makes the bytes of a file and its length last.
func syncFile(f *os.File) error { return f.Sync() }
