package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// maxRead is how many bytes one Read returns, save for the last delivery of it.
const maxRead = 16 << 20

// Entry is a delivery in the spool.
type Entry struct {
	Delivery cdr.Delivery // without Provider and Settings

	end position // after it
	nth int64    // frame of its segment, from 1
}

// Read returns the oldest deliveries that are not Done, at most n; none when all
// are. Until they are Done it returns the same again. What is damaged is passed
// over and reported; after an error of the disk nothing is: the next Read tries
// again.
func (s *Spool) Read(ctx context.Context, n int) ([]Entry, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.isClosed() {
		return nil, ErrClosed
	}
	b := batch{most: n}
	if err := s.collect(ctx, &b); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	switch {
	case len(b.entries) > 0:
		return b.entries, nil
	case s.position.before(b.passed.end):
		return nil, s.advance(b.passed)
	}
	return nil, s.retire()
}

// Done says that an entry of the last Read and all before it are safe elsewhere:
// they are not read again. After an error they may be, after a restart.
func (s *Spool) Done(last Entry) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.isClosed() {
		return ErrClosed
	}
	if !s.position.before(last.end) {
		return nil
	}
	return s.advance(last)
}

// batch is what one Read gathers.
type batch struct {
	most    int
	bytes   int64
	entries []Entry
	passed  Entry // damage before the first entry; it has no delivery
}

func (b *batch) full() bool { return len(b.entries) >= b.most || b.bytes >= maxRead }

// collect fills a batch. It returns an error only when that comes before the
// first entry; else the next Read begins with it.
func (s *Spool) collect(ctx context.Context, b *batch) error {
	for _, p := range s.parts() {
		if b.full() {
			return nil
		}
		if err := s.collectPart(ctx, p, b); err != nil {
			if len(b.entries) > 0 {
				return nil
			}
			return err
		}
	}
	return nil
}

// part is what of a segment is not Done.
type part struct {
	segment  *segment
	from, to int64
	nth      int64 // frames before from
}

func (s *Spool) parts() []part {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []part
	for _, seg := range s.segments {
		if from := s.position.offsetIn(seg.number); from < seg.size {
			parts = append(parts, part{seg, from, seg.size, seg.done})
		}
	}
	return parts
}

func (s *Spool) collectPart(ctx context.Context, p part, b *batch) error {
	f, err := os.Open(p.segment.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := newWalker(f, p.from, p.to)
	for nth := p.nth; !b.full(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		st, err := w.next(nil)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.segment.path, err)
		}
		end := position{p.segment.number, st.to}
		if st.damage != "" {
			s.report(p.segment, Damage{p.segment.path, st.from, st.to - st.from, st.damage})
			if len(b.entries) == 0 {
				b.passed = Entry{end: end, nth: nth}
			}
			continue
		}
		nth++
		b.bytes += st.to - st.from
		b.entries = append(b.entries, Entry{st.delivery, end, nth})
	}
	return nil
}

// advance moves the position to the end of an entry and removes what is drained.
func (s *Spool) advance(to Entry) error {
	s.mu.Lock()
	s.position = to.end
	for _, seg := range s.segments {
		switch offset := to.end.offsetIn(seg.number); {
		case offset >= seg.size:
			seg.done = seg.frames
		case offset > 0:
			seg.done = to.nth
		}
	}
	s.mu.Unlock()
	s.findOldest()
	// Segments go first: a damaged one must be aside before a position says that
	// it is drained, for another process may find no damage in it and remove it.
	err := s.retire()
	if err == nil {
		err = to.end.write(s.dir, s.disk.sync)
	}
	if err != nil {
		s.alarm("what is done may be read again", err)
	}
	return err
}

func (s *Spool) findOldest() {
	b := batch{most: 1}
	err := s.collect(context.Background(), &b)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.waiting() == 0:
		s.oldest = time.Time{}
	case err == nil && len(b.entries) > 0:
		s.oldest = b.entries[0].Delivery.ReceivedAt
	}
}

// retire removes the segments that are drained.
func (s *Spool) retire() error {
	removed := false
	for seg := s.drained(); seg != nil; seg = s.drained() {
		if err := removeSegment(s.dir, seg); err != nil {
			return err
		}
		s.mu.Lock()
		s.drop(seg)
		s.mu.Unlock()
		removed = true
	}
	if removed {
		return s.disk.syncDir(s.dir)
	}
	return nil
}

// drained returns the first segment when it is, and ends the writing to it.
func (s *Spool) drained() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return nil
	}
	seg := s.segments[0]
	if seg.busy || s.position.offsetIn(seg.number) < seg.size {
		return nil
	}
	seg.shut()
	return seg
}
