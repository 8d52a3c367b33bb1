package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// slowSyncSource makes every sync of the program that it is loaded into take 2 ms
// longer.
const slowSyncSource = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static int late(const char *name, int fd) {
	int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	struct timespec more = {0, 2000000};
	int result = sync(fd);
	nanosleep(&more, 0);
	return result;
}
int fdatasync(int fd) { return late("fdatasync", fd); }
int fsync(int fd) { return late("fsync", fd); }
`

// slowSync compiles the library that slows a disk down. It fails with
// exec.ErrNotFound where there is no C compiler.
func (b *bench) slowSync(ctx context.Context) (string, error) {
	source, library := filepath.Join(b.dir, "slowsync.c"), filepath.Join(b.dir, "slowsync.so")
	if err := os.WriteFile(source, []byte(slowSyncSource), 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-o", library, source, "-ldl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("compile a slow sync: %w\n%s", err, out)
	}
	return library, nil
}

// syncRate is how often a second a page is written and synced, one after another.
func (b *bench) syncRate(ctx context.Context) (float64, error) {
	f, err := os.Create(filepath.Join(b.dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // it is removed with its directory
	page := make([]byte, 8192)
	n, begin := 0, time.Now()
	for ; time.Since(begin) < time.Second && ctx.Err() == nil; n++ {
		if _, err := f.WriteAt(page, int64(n%1024)*int64(len(page))); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(begin).Seconds(), ctx.Err()
}
