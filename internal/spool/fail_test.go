package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// faults makes the calls of a disk fail that are named.
type faults struct {
	mu    sync.Mutex
	fails map[string]error
	short bool // a write that fails writes half
	syncs int
}

func (f *faults) set(what string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = map[string]error{what: err}
}

func (f *faults) get(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[what]
}

func (f *faults) disk() *disk {
	d := realDisk()
	return &disk{
		create: func(path string) (*os.File, error) {
			if err := f.get("create"); err != nil {
				return nil, err
			}
			return d.create(path)
		},
		write: func(file *os.File, b []byte) (int, error) {
			if err := f.get("write"); err != nil {
				if !f.short {
					return 0, err
				}
				n, _ := file.Write(b[:len(b)/2])
				return n, err
			}
			return d.write(file, b)
		},
		sync: func(file *os.File) error {
			f.mu.Lock()
			f.syncs++
			f.mu.Unlock()
			if err := f.get("sync"); err != nil {
				return err
			}
			return d.sync(file)
		},
		syncDir: func(dir string) error {
			if err := f.get("syncDir"); err != nil {
				return err
			}
			return d.syncDir(dir)
		},
	}
}

func TestFailureAndRecovery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what  string
		err   error
		short bool
		first bool // fails for the first delivery of a new segment
	}{
		{what: "write", err: syscall.EIO},
		{what: "write", err: syscall.ENOSPC, short: true},
		{what: "write", err: io.ErrShortWrite, short: true, first: true},
		{what: "sync", err: syscall.EIO},
		{what: "sync", err: syscall.EDQUOT, first: true},
		{what: "create", err: syscall.EMFILE, first: true},
		{what: "syncDir", err: syscall.EIO, first: true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := &faults{short: c.short}
			j, log := newJournal()
			s := open(t, dir, Options{disk: f.disk(), Log: log})
			kept := 0
			if !c.first {
				add(t, s, deliveries(0, 2)...)
				kept = 2
			}
			failed := int64(0)
			fail := func(what string, err error) {
				f.set(what, err)
				if got := s.Append(t.Context(), delivery(100)); !errors.Is(got, err) {
					t.Fatalf("got %v, want %v", got, err)
				}
				failed++
			}
			fail(c.what, c.err)
			want(t, "stats", []any{s.Stats().Failing, s.Stats().Failures}, "[true 1]")
			wantDeliveries(t, peek(t, s), deliveries(0, kept))
			fail("create", syscall.EMFILE)
			fail("syncDir", syscall.EIO)
			fail("write", syscall.ENOSPC)
			f.set("", nil)
			add(t, s, deliveries(kept, 4)...)
			want(t, "stats", []any{s.Stats().Failing, s.Stats().Failures}, fmt.Sprint([]any{false, failed}))
			want(t, "alarms", j.count("deliveries are refused"), 1)
			want(t, "all-clears", j.count("deliveries are taken again"), 1)
			want(t, "segments", len(files(t, dir)), 1+min(kept, 1))
			shut(t, s)
			s = open(t, dir, Options{})
			want(t, "damaged", s.Stats().Damaged, 0)
			wantDeliveries(t, drain(t, s), deliveries(0, 4))
		})
	}
}

// TestNoSecondTryOnAFailedFile counts: one sync for each attempt, each in a file of
// its own.
func TestNoSecondTryOnAFailedFile(t *testing.T) {
	t.Parallel()
	f := &faults{}
	s := open(t, t.TempDir(), Options{disk: f.disk()})
	add(t, s, delivery(0))
	first := s.segments[0].path
	f.set("sync", syscall.EIO)
	if s.Append(t.Context(), delivery(1)) == nil {
		t.Fatal("no error")
	}
	want(t, "syncs", f.syncs, 2)
	f.set("", nil)
	add(t, s, delivery(2))
	want(t, "syncs", f.syncs, 3)
	if s.segments[1].path == first || s.segments[0].file != nil {
		t.Fatal("the failed file is written to")
	}
}

// TestFailureFailsTheWholeGroup holds the first sync until others wait, so that
// they make one group.
func TestFailureFailsTheWholeGroup(t *testing.T) {
	t.Parallel()
	const writers = 20
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f := &faults{}
	d := f.disk()
	inner := d.sync
	d.sync = func(file *os.File) error {
		once.Do(func() { close(held); <-release })
		return inner(file)
	}
	s := open(t, t.TempDir(), Options{disk: d})
	errs := make(chan error, writers)
	first := make(chan error, 1)
	go func() { first <- s.Append(t.Context(), delivery(0)) }()
	<-held
	for i := range writers {
		go func() { errs <- s.Append(t.Context(), delivery(1+i)) }()
	}
	for len(s.queue) < writers {
		runtime.Gosched()
	}
	f.set("write", syscall.ENOSPC)
	close(release)
	want(t, "first", <-first, nil)
	for range writers {
		if err := <-errs; !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("got %v", err)
		}
	}
	want(t, "failures", s.Stats().Failures, 1)
	want(t, "syncs", f.syncs, 1)
	wantDeliveries(t, peek(t, s), deliveries(0, 1))
}

// TestNothingIsSeenBeforeItIsSynced reads while a sync hangs.
func TestNothingIsSeenBeforeItIsSynced(t *testing.T) {
	t.Parallel()
	held, release := make(chan struct{}), make(chan struct{})
	d := realDisk()
	d.sync = func(file *os.File) error {
		held <- struct{}{}
		<-release
		return syncFile(file)
	}
	s := open(t, t.TempDir(), Options{disk: &d})
	result := make(chan error, 1)
	go func() { result <- s.Append(t.Context(), delivery(0)) }()
	<-held
	want(t, "read", len(peek(t, s)), 0)
	want(t, "stats", s.Stats(), Stats{MaxBytes: 8 << 30})
	select {
	case err := <-result:
		t.Fatalf("answered %v before the sync", err)
	default:
	}
	close(release)
	want(t, "append", <-result, nil)
	wantDeliveries(t, peek(t, s), deliveries(0, 1))
}

// TestDirectoryIsSyncedForANewSegment: a file without a name is lost.
func TestDirectoryIsSyncedForANewSegment(t *testing.T) {
	t.Parallel()
	d := realDisk()
	dirs := 0
	d.syncDir = func(dir string) error {
		dirs++
		return syncDir(dir)
	}
	size := int64(len(frameOf(t, delivery(0))))
	s := open(t, t.TempDir(), Options{disk: &d, SegmentBytes: 2 * size})
	for i := range 5 {
		add(t, s, delivery(i))
		want(t, "synced", dirs, i/2+1)
	}
}

func TestUnreadableSegmentStopsReadingAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, deliveries(0, 3)...)
	path := s.segments[0].path
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Read(t.Context(), 9); err == nil {
			t.Fatal("no error")
		}
	}
	want(t, "waiting", s.Stats().Deliveries, 3)
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	wantDeliveries(t, drain(t, s), deliveries(0, 3))
}

func TestPositionThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, deliveries(0, 3)...)
	if err := os.Mkdir(filepath.Join(dir, positionFile), 0o700); err != nil {
		t.Fatal(err)
	}
	entries := read(t, s, 3)
	if s.Done(entries[1]) == nil {
		t.Fatal("no error")
	}
	want(t, "failures", s.Stats().Failures, 1)
	wantDeliveries(t, peek(t, s), deliveries(2, 3))
	if err := os.Remove(filepath.Join(dir, positionFile)); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	wantDeliveries(t, peek(t, open(t, dir, Options{})), deliveries(0, 3))
}

// TestDamagedSegmentThatCannotBeSetAside must not be drained for good.
func TestDamagedSegmentThatCannotBeSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	frame := frameOf(t, delivery(0))
	write(t, dir, 1, frame, []byte("garbage"))
	obstacle := filepath.Join(dir, damagedDir, segmentName(1))
	if err := os.MkdirAll(filepath.Join(obstacle, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	want(t, "number of entries", len(read(t, s, 9)), 1)
	if err := s.Done(read(t, s, 9)[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), 9); err == nil {
		t.Fatal("no error")
	}
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	want(t, "number of entries", len(read(t, s, 9)), 0)
	kept, err := os.ReadFile(obstacle)
	want(t, "kept", []any{len(kept), err}, fmt.Sprintf("[%d <nil>]", len(frame)+7))
}
