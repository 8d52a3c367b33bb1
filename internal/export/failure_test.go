package export

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestInterruptedInTheMiddle stops exports to files by the two ways in which they
// are stopped in life.
func TestInterruptedInTheMiddle(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 30000)
	for _, format := range Formats() {
		for name, stop := range map[string]func(cancel func()){
			"context canceled": func(cancel func()) { cancel() },
			"read row 5001": func(func()) {
				if _, err := pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'FETCH%'`); err != nil {
					t.Error(err)
				}
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			dir := t.TempDir()
			o := Options{What: "cdr", Format: format, Output: filepath.Join(dir, "out")}
			n, err := Run(ctx, pool, o, nil, func(rows, _ int64) {
				if rows == 5000 {
					if found := entries(t, dir); found != "[out.part]" {
						t.Errorf("%s: in the middle there are %s", format, found)
					}
					stop(cancel)
				}
			})
			cancel()
			if err == nil || !strings.Contains(err.Error(), name) || !strings.HasSuffix(err.Error(), "("+o.Output+": no file was left)") || n < 5000 || n > 29000 {
				t.Errorf("%s: %d rows, %v", format, n, err)
			}
			if found := entries(t, dir); found != "[]" {
				t.Errorf("%s: %s are left", format, found)
			}
		}
	}
}

// limited is a disk that is full after some bytes.
type limited struct{ left int }

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		n := l.left
		l.left = 0
		return n, syscall.ENOSPC
	}
	l.left -= len(p)
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 3000)
	for _, format := range Formats() {
		var whole bytes.Buffer
		o := Options{What: "cdr", Format: format, Output: "-"}
		if _, err := Run(t.Context(), pool, o, &whole, silent); err != nil {
			t.Fatal(err)
		}
		size := whole.Len()
		for _, left := range []int{0, 1, 5, size / 100, size / 2, size - 100, size - 1} {
			if _, err := Run(t.Context(), pool, o, &limited{left}, silent); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, %d bytes of %d: %v", format, left, size, err)
			}
		}
		if _, err := Run(t.Context(), pool, o, &limited{size}, silent); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestClosedAndStalledPipes(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 20000)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	o := Options{What: "cdr", Output: "-"}
	if _, err := Run(t.Context(), pool, o, w, silent); err == nil || !strings.Contains(err.Error(), "closed before the last row") {
		t.Errorf("%v", err)
	}
	// A reader that reads a little and then stalls.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, pool, o, writer, silent)
		ended <- err
	}()
	if _, err := io.ReadFull(reader, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for its reader")
	}
}

// TestMemoryIsBounded exports 100,000 calls, some 57 MB as NDJSON. Not parallel,
// so that other tests' memory does not count.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	pool := pgtest.Pool(t)
	const calls = 100_000
	fill(t, pool, calls)
	for format, bound := range map[string]uint64{csv: 8 << 20, ndjson: 8 << 20, parquet: 64 << 20} {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		runtime.GC()
		metrics.Read(sample)
		before := sample[0].Value.Uint64()
		var most uint64
		o := Options{What: "call", Format: format, Output: filepath.Join(t.TempDir(), "x")}
		n, err := Run(t.Context(), pool, o, nil, func(int64, int64) {
			runtime.GC() // one that runs beside the export counts what is made meanwhile
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
		})
		if err != nil || n != calls {
			t.Fatalf("%s: %d rows, %v", format, n, err)
		}
		t.Logf("%s: %d MiB live at most", format, (max(most, before)-before)>>20)
		if most > before+bound {
			t.Errorf("%s: %d MiB live", format, (most-before)>>20)
		}
		if format == parquet {
			severalGroups(t, o.Output)
		}
	}
}

// severalGroups looks whether a Parquet file of much text was written in parts.
func severalGroups(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.RowGroups()); n < 2 {
		t.Errorf("%d row groups", n)
	}
}
