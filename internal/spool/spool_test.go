package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestAppendAndReadInOrder(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{SegmentBytes: 300})
	add(t, s, deliveries(0, 10)...)
	wantDeliveries(t, peek(t, s), deliveries(0, 10))
	if len(files(t, s.dir)) < 3 {
		t.Fatalf("want several segments, got %v", files(t, s.dir))
	}
	entries := read(t, s, 4)
	wantDeliveries(t, plain(entries), deliveries(0, 4))
	done(t, s, entries[2])
	done(t, s, entries[0]) // before what is done: nothing
	wantDeliveries(t, peek(t, s), deliveries(3, 10))
	add(t, s, delivery(10))
	want(t, "oldest", s.Stats().Oldest, delivery(3).ReceivedAt)
	want(t, "waiting", s.Stats().Deliveries, 8)
	wantDeliveries(t, drain(t, s), deliveries(3, 11))
}

func TestReadIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	d := delivery(1)
	d.Body = make([]byte, 6<<20)
	add(t, s, d, d, d, d)
	want(t, "entries", len(read(t, s, 100)), 3)
}

func TestDrainedSpoolIsEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 300})
	for round := range 3 {
		add(t, s, deliveries(0, 7)...)
		first := files(t, dir)[0]
		entries := read(t, s, 5)
		done(t, s, entries[4])
		if f := files(t, dir); f[0] == first {
			t.Fatalf("round %d: the drained segment is there: %v", round, f)
		}
		drain(t, s)
		want(t, "files", files(t, dir), "[position]")
		want(t, "stats", s.Stats(), Stats{MaxBytes: 8 << 30})
	}
	shut(t, s)
	s = open(t, dir, Options{})
	add(t, s, delivery(1))
	wantDeliveries(t, peek(t, s), deliveries(1, 2))
	if files(t, dir)[0] == "1" {
		t.Fatal("a number was given again")
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "spool")
	s := open(t, dir, Options{SegmentBytes: 500})
	add(t, s, deliveries(0, 9)...)
	done(t, s, read(t, s, 2)[1])
	before := s.Stats()
	shut(t, s)
	for range 3 {
		s = open(t, dir, Options{})
		want(t, "stats", s.Stats(), before)
		wantDeliveries(t, peek(t, s), deliveries(2, 9))
		shut(t, s)
	}
	s = open(t, dir, Options{})
	add(t, s, delivery(9))
	wantDeliveries(t, drain(t, s), deliveries(2, 10))
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	const writers, each = 64, 30
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 20_000})
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := s.Append(context.Background(), delivery(w*each+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make(map[string]int)
	last := make(map[int]int)
	for len(seen) < writers*each {
		select {
		case <-s.Ready():
		case <-time.After(10 * time.Second):
			t.Fatalf("only %d came", len(seen))
		}
		for _, d := range drainBy(t, s, 200) {
			seen[string(d.Body)]++
			var id int
			if _, err := fmt.Sscanf(string(d.Body), `{"id":%d}`, &id); err != nil {
				t.Fatal(err)
			}
			if before, ok := last[id/each]; ok && before >= id {
				t.Fatalf("writer %d: %d after %d", id/each, id, before)
			}
			last[id/each] = id
		}
	}
	group.Wait()
	for body, n := range seen {
		want(t, body, n, 1)
	}
	want(t, "files", files(t, dir), "[position]")
}

func TestReady(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	want(t, "signals of an empty spool", len(s.Ready()), 0)
	add(t, s, deliveries(0, 3)...)
	want(t, "signals", len(s.Ready()), 1)
	shut(t, s)
	want(t, "signals after a restart", len(open(t, dir, Options{}).Ready()), 1)
}

func TestFull(t *testing.T) {
	t.Parallel()
	size := int64(len(frameOf(t, delivery(1))))
	j, log := newJournal()
	s := open(t, t.TempDir(), Options{MaxBytes: 4*size + size/2, SegmentBytes: 2 * size, Log: log})
	add(t, s, deliveries(0, 4)...)
	for range 3 {
		if err := s.Append(t.Context(), delivery(4)); !errors.Is(err, ErrFull) {
			t.Fatalf("got %v", err)
		}
	}
	want(t, "stats", s.Stats(), Stats{Deliveries: 4, Bytes: 4 * size, MaxBytes: 4*size + size/2, Oldest: start, Failing: true})
	done(t, s, read(t, s, 2)[1])
	add(t, s, deliveries(4, 6)...)
	wantDeliveries(t, peek(t, s), deliveries(2, 6))
	want(t, "failing", s.Stats().Failing, false)
	want(t, "alarms", j.count("deliveries are refused"), 1)
	want(t, "all-clears", j.count("deliveries are taken again"), 1)
}

func TestSecondOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	_, err := Open(dir, Options{})
	var used *InUseError
	if !errors.As(err, &used) || used.PID != os.Getpid() || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
	shut(t, s)
	open(t, dir, Options{})
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	add(t, s, delivery(1))
	entry := read(t, s, 1)[0]
	shut(t, s)
	shut(t, s)
	_, readErr := s.Read(t.Context(), 1)
	for _, err := range []error{s.Append(t.Context(), delivery(2)), readErr, s.Done(entry)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestCheckBesideOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, deliveries(0, 5)...)
	done(t, s, read(t, s, 2)[1])
	before := files(t, dir)
	tail := frameOf(t, delivery(9))[:40]
	appendTo(t, s.segments[0].path, tail)
	var listed []cdr.Delivery
	r, err := Check(dir, func(d cdr.Delivery) error {
		listed = append(listed, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantDeliveries(t, listed, deliveries(2, 5))
	want(t, "report", r, Report{Deliveries: 3, Done: 2, Bytes: s.Stats().Bytes, Oldest: delivery(2).ReceivedAt, Tail: 40, Segments: 1})
	want(t, "files", files(t, dir), before)
	stop := errors.New("stop")
	if _, err := Check(dir, func(cdr.Delivery) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
}

func appendTo(t testing.TB, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.Write(b)
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
