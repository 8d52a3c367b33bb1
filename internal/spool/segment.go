package spool

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// segment is one file of a spool. Only the newest is written to, and none again
// after a failure or a restart.
type segment struct {
	number uint64
	path   string
	size   int64    // bytes that are synced
	frames int64    // in size
	done   int64    // frames of them that are Done
	damage []Damage // pieces that could not be read
	unread bool     // the disk failed while it was looked through
	file   *os.File // while it is written to
	busy   bool     // a group is being written to it
}

// Damage is a piece of a segment that cannot be read.
type Damage struct {
	Segment string // path of the file
	Offset  int64
	Bytes   int64
	Reason  string
}

const (
	segmentSuffix = ".spool"
	damagedDir    = "damaged"
)

func segmentName(number uint64) string {
	return fmt.Sprintf("%020d%s", number, segmentSuffix)
}

// listSegments returns the numbers of the segments in a directory, in order.
func listSegments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the segments: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		number, err := strconv.ParseUint(text, 10, 64)
		if ok && err == nil && segmentName(number) == e.Name() {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// survey is what a segment was found to hold.
type survey struct {
	size   int64 // without a torn tail
	torn   int64 // bytes of a frame that was cut short at the end
	frames int64
	done   int64     // frames before the offset that was asked for
	exact  bool      // that offset lies between two frames
	oldest time.Time // receipt of the first frame that is not done
	damage []Damage
}

// surveySegment looks through a segment that is done up to an offset, and shows
// what is not done to each. Only the last segment can have a torn tail: elsewhere
// it is damage.
func surveySegment(path string, offset int64, last bool, each func(cdr.Delivery) error) (survey, error) {
	f, err := os.Open(path)
	if err != nil {
		return survey{}, fmt.Errorf("look through a segment: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return survey{}, fmt.Errorf("look through a segment: %w", err)
	}
	v := survey{size: info.Size(), exact: offset == 0 || offset == math.MaxInt64}
	w := newWalker(f, 0, info.Size())
	var room []byte
	if each == nil {
		room = make([]byte, 4<<10) // nobody keeps a body
	}
	for {
		s, err := w.next(room)
		if errors.Is(err, io.EOF) {
			return v, nil
		}
		if err != nil {
			return v, fmt.Errorf("look through %s: %w", path, err)
		}
		v.exact = v.exact || s.to == offset
		switch {
		case s.torn && last:
			v.size, v.torn = s.from, s.to-s.from
		case s.damage != "":
			v.damage = append(v.damage, Damage{path, s.from, s.to - s.from, s.damage})
		default:
			if err := v.frame(s, offset, each); err != nil {
				return v, err
			}
		}
	}
}

func (v *survey) frame(s step, offset int64, each func(cdr.Delivery) error) error {
	v.frames++
	if s.to <= offset {
		v.done++
		return nil
	}
	if v.frames == v.done+1 {
		v.oldest = s.delivery.ReceivedAt
	}
	if each == nil {
		return nil
	}
	return each(s.delivery)
}

// offsetIn returns up to where a position says that a segment is done.
func (p position) offsetIn(number uint64) int64 {
	switch {
	case number < p.segment:
		return math.MaxInt64
	case number == p.segment:
		return p.offset
	}
	return 0
}

// removeSegment takes a drained segment out of the spool. Where something in it
// could not be read the whole file is kept aside.
func removeSegment(dir string, seg *segment) error {
	if len(seg.damage) == 0 && !seg.unread {
		if err := os.Remove(seg.path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove a drained segment: %w", err)
		}
		return nil
	}
	aside := filepath.Join(dir, damagedDir)
	if err := makeDir(aside); err != nil {
		return fmt.Errorf("set a damaged segment aside: %w", err)
	}
	if err := os.Rename(seg.path, filepath.Join(aside, filepath.Base(seg.path))); err != nil {
		return fmt.Errorf("set a damaged segment aside: %w", err)
	}
	return syncDir(aside)
}
