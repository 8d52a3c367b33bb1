package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
)

const maxQueued = 1024

// Open takes the spool in a directory, which is made when it is missing, and
// recovers it from any crash: a frame that was cut short at the end is cut off,
// other damage is reported and passed over, and its segment is kept. While
// another process owns the spool the error is an InUseError.
func Open(dir string, o Options) (*Spool, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 30
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{
		dir: dir, o: o, disk: realDisk(), log: o.Log, lock: lock,
		queue: make(chan *request, maxQueued), stopped: make(chan struct{}), ready: make(chan struct{}, 1),
	}
	if o.disk != nil {
		s.disk = *o.disk
	}
	if err := s.recover(); err != nil {
		_ = unlock(lock)
		return nil, fmt.Errorf("open the spool in %s: %w", dir, err)
	}
	if s.waiting() > 0 {
		s.signal()
	}
	go s.run()
	return s, nil
}

// recover reads what an earlier process left.
func (s *Spool) recover() error {
	numbers, err := listSegments(s.dir)
	if err != nil {
		return err
	}
	aside, err := listSegments(filepath.Join(s.dir, damagedDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(aside) > 0 {
		s.log.Warn("spool: damaged segments are kept aside", slog.Int("segments", len(aside)),
			slog.String("dir", filepath.Join(s.dir, damagedDir)))
	}
	s.position, err = readPosition(s.dir)
	if err != nil {
		s.alarm("all is read again", err)
	}
	s.next = nextNumber(s.position.segment, numbers, aside)
	if numbers, err = s.removeEmpty(numbers); err != nil {
		return err
	}
	for i, number := range numbers {
		if err := s.adopt(number, i == len(numbers)-1); err != nil {
			return err
		}
	}
	if err := s.retire(); err != nil {
		s.alarm("drained segments stay", err)
	}
	return nil
}

// nextNumber never gives a number again that a position or a segment has.
func nextNumber(done uint64, lists ...[]uint64) uint64 {
	for _, list := range lists {
		if len(list) > 0 {
			done = max(done, list[len(list)-1])
		}
	}
	return done + 1
}

// removeEmpty removes the segments that hold nothing, so that the last one left
// is the one that was written to last.
func (s *Spool) removeEmpty(numbers []uint64) ([]uint64, error) {
	var kept []uint64
	for _, number := range numbers {
		path := filepath.Join(s.dir, segmentName(number))
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("list the segments: %w", err)
		}
		if info.Size() > 0 {
			kept = append(kept, number)
			continue
		}
		if err := os.Remove(path); err != nil {
			s.alarm("an empty segment stays", err)
		}
	}
	return kept, nil
}

// adopt takes a segment of an earlier process into the list.
func (s *Spool) adopt(number uint64, last bool) error {
	seg := &segment{number: number, path: filepath.Join(s.dir, segmentName(number))}
	offset := s.position.offsetIn(number)
	v, err := surveySegment(seg.path, offset, last, nil)
	if err == nil && !v.exact {
		s.alarm("a segment is read again", fmt.Errorf("position %d of %s is inside a frame", offset, seg.path))
		s.position = position{segment: number}
		v, err = surveySegment(seg.path, 0, last, nil)
	}
	if err != nil && v.size == 0 {
		return err
	}
	if err != nil {
		// What cannot be read now is met again by Read, which says so and waits.
		s.alarm("a segment cannot be looked through", err)
		seg.unread = true
	}
	seg.size, seg.frames, seg.done = v.size, v.frames, v.done
	if s.oldest.IsZero() {
		s.oldest = v.oldest
	}
	for _, d := range v.damage {
		s.report(seg, d)
	}
	if v.torn > 0 {
		s.cut(seg, v.torn)
	}
	if seg.size == 0 {
		return removeSegment(s.dir, seg)
	}
	if offset == math.MaxInt64 || number == s.position.segment && s.position.offset == seg.size {
		seg.done = seg.frames
	}
	s.segments = append(s.segments, seg)
	return nil
}

// cut takes a torn tail off. It was never acknowledged.
func (s *Spool) cut(seg *segment, torn int64) {
	s.log.Warn("spool: a frame that was cut short is removed", slog.String("segment", seg.path),
		slog.Int64("offset", seg.size), slog.Int64("bytes", torn))
	f, err := os.OpenFile(seg.path, os.O_WRONLY, 0)
	if err == nil {
		err = f.Truncate(seg.size)
		if err == nil {
			err = s.disk.sync(f)
		}
		_ = f.Close()
	}
	if err != nil {
		s.alarm("a frame that was cut short stays", err)
	}
}
