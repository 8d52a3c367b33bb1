package spool

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// maxGroup is how many bytes are gathered for one write.
const maxGroup = 4 << 20

// request is a delivery that waits to be written.
type request struct {
	frame    []byte
	received time.Time
	done     chan error
}

// Append takes a delivery. It returns nil when the delivery can no longer be
// lost. After an error it is not safe, though it may still be read: when the
// context ended while it was being written, or when its sync failed.
// ReceivedAt is kept in whole microseconds; Provider and Settings are not kept.
func (s *Spool) Append(ctx context.Context, d cdr.Delivery) error {
	frame, err := encodeFrame(&d)
	if err != nil {
		return fmt.Errorf("spool a delivery: %w", err)
	}
	r := &request{frame: frame, received: d.ReceivedAt, done: make(chan error, 1)}
	if err := s.enqueue(ctx, r); err != nil {
		return fmt.Errorf("spool a delivery: %w", err)
	}
	select {
	case err = <-r.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("spool a delivery: %w", err)
	}
	return nil
}

func (s *Spool) enqueue(ctx context.Context, r *request) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return ErrClosed
	}
	select {
	case s.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run writes what is queued until the spool is closed. While one group is being
// synced the next one grows.
func (s *Spool) run() {
	defer close(s.stopped)
	var room []byte
	for first := range s.queue {
		room = s.commit(s.gather(first), room[:0])
		if cap(room) > 2*maxGroup {
			room = nil
		}
	}
}

func (s *Spool) gather(first *request) []*request {
	group, bytes := []*request{first}, len(first.frame)
	runtime.Gosched() // lets those who were just answered come again
	for bytes < maxGroup {
		select {
		case r, open := <-s.queue:
			if !open {
				return group
			}
			group = append(group, r)
			bytes += len(r.frame)
		default:
			return group
		}
	}
	return group
}

// commit writes a group with one write and one sync and answers each request.
func (s *Spool) commit(group []*request, room []byte) []byte {
	group = s.admit(group)
	if len(group) == 0 {
		return room
	}
	joined := group[0].frame
	if len(group) > 1 {
		for _, r := range group {
			room = append(room, r.frame...)
		}
		joined = room
	}
	seg, err := s.writable(int64(len(joined)))
	if err == nil {
		err = s.put(seg, joined)
	}
	if err != nil {
		s.fail(seg, err)
	} else {
		s.grow(seg, int64(len(joined)), group)
	}
	for _, r := range group {
		r.done <- err
	}
	return room
}

// admit refuses what would make the spool too large.
func (s *Spool) admit(group []*request) []*request {
	s.mu.Lock()
	bytes := s.bytes()
	s.mu.Unlock()
	admitted := group[:0]
	for _, r := range group {
		if bytes+int64(len(r.frame)) > s.o.MaxBytes {
			s.setFailing(true, ErrFull)
			r.done <- ErrFull
			continue
		}
		bytes += int64(len(r.frame))
		admitted = append(admitted, r)
	}
	return admitted
}

// writable returns the segment that the next bytes go to. It may be returned
// with an error when it was made but may not last.
func (s *Spool) writable(bytes int64) (*segment, error) {
	s.mu.Lock()
	if seg := s.active(); seg != nil {
		if seg.size+bytes <= s.o.SegmentBytes {
			seg.busy = true
			s.mu.Unlock()
			return seg, nil
		}
		seg.shut()
	}
	seg := &segment{number: s.next, path: filepath.Join(s.dir, segmentName(s.next)), busy: true}
	s.next++
	s.mu.Unlock()

	f, err := s.disk.create(seg.path)
	if err != nil {
		return nil, fmt.Errorf("make a segment: %w", err)
	}
	seg.file = f
	s.mu.Lock()
	s.segments = append(s.segments, seg)
	s.mu.Unlock()
	return seg, s.disk.syncDir(s.dir)
}

// active is the segment that is written to, if there is one.
func (s *Spool) active() *segment {
	if n := len(s.segments); n > 0 && s.segments[n-1].file != nil {
		return s.segments[n-1]
	}
	return nil
}

func (s *Spool) put(seg *segment, b []byte) error {
	if _, err := s.disk.write(seg.file, b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := s.disk.sync(seg.file); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// grow makes a group that is synced visible to Read.
func (s *Spool) grow(seg *segment, bytes int64, group []*request) {
	s.mu.Lock()
	if s.waiting() == 0 {
		s.oldest = group[0].received
	}
	seg.size += bytes
	seg.frames += int64(len(group))
	seg.busy = false
	s.mu.Unlock()
	s.setFailing(false, nil)
	s.warnFilling()
	s.signal()
}

// fail gives a segment up: nothing is known about what a file holds whose write
// or sync failed, save for what was synced before. The next group gets a new one.
func (s *Spool) fail(seg *segment, err error) {
	s.mu.Lock()
	s.failures++
	s.mu.Unlock()
	s.setFailing(true, err)
	if seg == nil {
		return
	}
	// Frames that were not acknowledged go, so that they do not look like damage
	// after a restart. Where that fails they do.
	if e := seg.file.Truncate(seg.size); e != nil {
		s.log.Error("spool: frames that were not acknowledged stay", slog.String("segment", seg.path), slog.Any("error", e))
	}
	s.mu.Lock()
	seg.shut()
	seg.busy = false
	empty := seg.size == 0
	if empty {
		s.drop(seg)
	}
	s.mu.Unlock()
	if empty {
		if e := os.Remove(seg.path); e != nil {
			s.log.Error("spool: an empty segment stays", slog.Any("error", e))
		}
	}
}

// setFailing logs when the spool stops taking deliveries and when it takes them
// again, not for each delivery in between.
func (s *Spool) setFailing(failing bool, err error) {
	s.mu.Lock()
	changed := s.failing != failing
	s.failing = failing
	if failing {
		s.failedAt = time.Now()
	}
	s.mu.Unlock()
	switch {
	case changed && failing:
		s.log.Error("ALARM: spool: deliveries are refused", slog.Any("error", err))
	case changed:
		s.log.Info("spool: deliveries are taken again")
	}
}

// warnFilling raises an alarm when the spool gets three quarters full, and again
// only after it was less than half full.
func (s *Spool) warnFilling() {
	s.mu.Lock()
	bytes, said := s.bytes(), s.filling
	switch {
	case bytes > s.o.MaxBytes/4*3:
		s.filling = true
	case bytes < s.o.MaxBytes/2:
		s.filling = false
	}
	alarm := s.filling && !said
	s.mu.Unlock()
	if alarm {
		s.log.Error("ALARM: spool: three quarters full", slog.Int64("bytes", bytes), slog.Int64("max_bytes", s.o.MaxBytes))
	}
}
