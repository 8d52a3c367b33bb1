package spool

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// maxRead is how many bytes one Read returns, save for a larger delivery alone.
const maxRead = 16 << 20

// Entry is a delivery in the spool.
type Entry struct {
	Delivery cdr.Delivery // without Provider and Settings

	end position // after it
	nth int64    // of its segment, from 1
}

// Read returns the oldest deliveries that are not Done, at most n; none when all
// are. Until they are Done it returns the same again. After an error of the disk
// nothing is passed over: the next Read tries again.
func (s *Spool) Read(ctx context.Context, n int) ([]Entry, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.isClosed() {
		return nil, ErrClosed
	}
	entries, to, err := s.collect(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	if len(entries) == 0 && s.position.before(to.end) {
		// Nothing but damage was left of these segments.
		return nil, s.advance(to)
	}
	return entries, nil
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

// part is what of a segment can be read.
type part struct {
	segment *segment
	from    int64
	size    int64
	nth     int64 // frames before from
}

// parts lists what is not Done.
func (s *Spool) parts() []part {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []part
	for _, seg := range s.segments {
		p := part{segment: seg, from: s.position.offsetIn(seg.number), size: seg.size}
		if p.from > 0 {
			p.nth = seg.done
		}
		if p.from < p.size {
			parts = append(parts, p)
		}
	}
	return parts
}

// collect reads entries, and where it came to without any. An error counts only
// before the first entry: the next Read begins with it.
func (s *Spool) collect(ctx context.Context, n int) (entries []Entry, to Entry, err error) {
	to.end = s.position
	for _, p := range s.parts() {
		entries, to, err = s.collectPart(ctx, p, n, entries)
		if err != nil && len(entries) == 0 {
			return nil, to, err
		}
		if err != nil || len(entries) >= n || to.nth < 0 {
			break
		}
	}
	return entries, to, nil
}
