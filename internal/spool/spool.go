package spool

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// Errors of Append. What was refused is not in the spool.
var (
	// ErrFull says that the spool holds as much as it may.
	ErrFull = errors.New("the spool is full")
	// ErrClosed says that the spool was closed.
	ErrClosed = errors.New("the spool is closed")
)

// Options of a Spool; zero values are the defaults.
type Options struct {
	MaxBytes     int64        // how much the segments may hold together; 8 GiB
	SegmentBytes int64        // when the next segment is begun; 64 MiB
	Log          *slog.Logger // where alarms go; nowhere

	disk *disk // the real one unless a test sets it
}

// Stats are the figures of a spool.
type Stats struct {
	Deliveries int64     // that are not Done
	Bytes      int64     // of the segments, with what is Done in them
	MaxBytes   int64     // how large Bytes may become
	Oldest     time.Time // receipt of the next delivery to be read; zero when there is none
	Failing    bool      // the last delivery could not be taken: full, or the disk fails
	Failures   int64     // of the disk since Open
	Damaged    int64     // pieces met since Open that could not be read
}

// Spool is a log of deliveries on disk. Many goroutines may append; one reads.
type Spool struct {
	dir  string
	o    Options
	disk disk
	log  *slog.Logger
	lock *os.File

	closing sync.RWMutex // held for reading while a request is queued
	closed  bool
	queue   chan *request
	stopped chan struct{} // closed when the queue is written
	ready   chan struct{}

	reading sync.Mutex // one Read or Done at a time

	mu       sync.Mutex // never held while the disk works
	segments []*segment // in order of number
	next     uint64     // number of the next segment
	position position   // up to where all is Done
	oldest   time.Time
	failing  bool
	failedAt time.Time
	filling  bool // the alarm about it is raised
	failures int64
	damaged  int64
}

// Ready receives after deliveries were taken, and after Open when some were
// there already. One receipt may stand for many deliveries.
func (s *Spool) Ready() <-chan struct{} { return s.ready }

func (s *Spool) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Stats returns the figures of this moment.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Deliveries: s.waiting(), Bytes: s.bytes(), MaxBytes: s.o.MaxBytes, Oldest: s.oldest,
		Failing: s.isFailing(), Failures: s.failures, Damaged: s.damaged,
	}
}

// retryAfter is how long a failure counts: a receiver that is said to take
// nothing gets nothing to try it with.
const retryAfter = 30 * time.Second

// isFailing reports whether the next delivery would be refused, as far as is
// known: the last one was, not long ago, or there is no room.
func (s *Spool) isFailing() bool {
	full := s.bytes() > s.o.MaxBytes/100*99
	return s.failing && (full || time.Since(s.failedAt) < retryAfter)
}

func (s *Spool) waiting() int64 {
	var n int64
	for _, seg := range s.segments {
		n += seg.frames - seg.done
	}
	return n
}

func (s *Spool) bytes() int64 {
	var n int64
	for _, seg := range s.segments {
		n += seg.size
	}
	return n
}

// Close writes what is queued and gives the directory free.
func (s *Spool) Close() error {
	s.closing.Lock()
	first := !s.closed
	s.closed = true
	if first {
		close(s.queue)
	}
	s.closing.Unlock()
	<-s.stopped
	s.reading.Lock()
	defer s.reading.Unlock()
	if !first {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		seg.shut()
	}
	return unlock(s.lock)
}

func (s *Spool) isClosed() bool {
	s.closing.RLock()
	defer s.closing.RUnlock()
	return s.closed
}

// shut ends the writing to a segment. All that counts was synced before: what
// Close says does not matter.
func (g *segment) shut() {
	if g.file != nil {
		_ = g.file.Close()
		g.file = nil
	}
}

// drop takes a segment off the list.
func (s *Spool) drop(seg *segment) {
	s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == seg })
}

// alarm logs and counts a failure of the disk.
func (s *Spool) alarm(what string, err error) {
	s.mu.Lock()
	s.failures++
	s.mu.Unlock()
	s.log.Error("ALARM: spool: "+what, slog.Any("error", err))
}

// report logs and counts a piece that cannot be read, once.
func (s *Spool) report(seg *segment, d Damage) {
	s.mu.Lock()
	known := slices.ContainsFunc(seg.damage, func(o Damage) bool { return o.Offset == d.Offset })
	if !known {
		seg.damage = append(seg.damage, d)
		s.damaged++
	}
	s.mu.Unlock()
	if !known {
		s.logDamage(d)
	}
}

func (s *Spool) logDamage(d Damage) {
	s.log.Error("ALARM: spool: a piece cannot be read; its segment is kept", slog.String("segment", d.Segment),
		slog.Int64("offset", d.Offset), slog.Int64("bytes", d.Bytes), slog.String("reason", d.Reason))
}
