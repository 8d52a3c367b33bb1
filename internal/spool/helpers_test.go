package spool

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 891000, time.UTC)

// delivery returns a delivery that is known by its number.
func delivery(i int) cdr.Delivery {
	return cdr.Delivery{
		Source: "didww", Method: "POST", ContentType: "application/json",
		Body:       fmt.Appendf(nil, `{"id":%d}`, i),
		ReceivedAt: start.Add(time.Duration(i) * time.Second),
	}
}

func deliveries(from, to int) []cdr.Delivery {
	var list []cdr.Delivery
	for i := from; i < to; i++ {
		list = append(list, delivery(i))
	}
	return list
}

func bodies(list []cdr.Delivery) string {
	var parts []string
	for _, d := range list {
		parts = append(parts, string(d.Body))
	}
	return strings.Join(parts, " ")
}

func frameOf(t testing.TB, d cdr.Delivery) []byte {
	t.Helper()
	b, err := encodeFrame(&d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, dir string, o Options) *Spool {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// unsynced is a disk without the waiting, for tests of what is written.
func unsynced() *disk {
	d := realDisk()
	d.sync = func(*os.File) error { return nil }
	d.syncDir = func(string) error { return nil }
	return &d
}

// memoryDir is a directory in memory where there is such a place, for the same.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "spool-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func shut(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func add(t testing.TB, s *Spool, list ...cdr.Delivery) {
	t.Helper()
	for _, d := range list {
		if err := s.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

// peek returns all that can be read, without Done.
func peek(t testing.TB, s *Spool) []cdr.Delivery {
	t.Helper()
	return plain(read(t, s, 1<<30))
}

func read(t testing.TB, s *Spool, n int) []Entry {
	t.Helper()
	entries, err := s.Read(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func plain(entries []Entry) []cdr.Delivery {
	var list []cdr.Delivery
	for _, e := range entries {
		list = append(list, e.Delivery)
	}
	return list
}

func done(t testing.TB, s *Spool, e Entry) {
	t.Helper()
	if err := s.Done(e); err != nil {
		t.Fatal(err)
	}
}

// drain reads and acknowledges until nothing is left.
func drain(t testing.TB, s *Spool) []cdr.Delivery {
	t.Helper()
	return drainBy(t, s, 3)
}

func drainBy(t testing.TB, s *Spool, n int) []cdr.Delivery {
	t.Helper()
	var list []cdr.Delivery
	for {
		entries := read(t, s, n)
		if len(entries) == 0 {
			return list
		}
		list = append(list, plain(entries)...)
		done(t, s, entries[len(entries)-1])
	}
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantDeliveries(t testing.TB, got, want []cdr.Delivery) {
	t.Helper()
	if bodies(got) != bodies(want) {
		t.Fatalf("deliveries:\n got %s\nwant %s", bodies(got), bodies(want))
	}
}

// files lists a spool's files below its directory, without the lock.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*", "damaged/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			name, _ := filepath.Rel(dir, f)
			if name != "lock" {
				names = append(names, strings.TrimLeft(strings.TrimSuffix(name, segmentSuffix), "0"))
			}
		}
	}
	slices.Sort(names)
	return names
}

func write(t testing.TB, dir string, number uint64, frames ...[]byte) string {
	t.Helper()
	path := filepath.Join(dir, segmentName(number))
	if err := os.WriteFile(path, bytes.Join(frames, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

func newJournal() (*journal, *slog.Logger) {
	j := &journal{}
	return j, slog.New(slog.NewTextHandler(j, nil))
}
