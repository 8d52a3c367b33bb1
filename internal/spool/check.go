package spool

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Report is what Check found.
type Report struct {
	Deliveries int64     // that are not done
	Done       int64     // that are, in segments which are not removed yet
	Bytes      int64     // of the segments
	Oldest     time.Time // receipt of the first delivery that is not done
	Tail       int64     // bytes of a frame that was cut short, or is being written, at the very end
	Segments   int
	Damage     []Damage // pieces that cannot be read, also in the segments kept aside
	Aside      int      // segments kept aside
	Position   string   // why the position cannot be read; empty when it can
}

// Check reads a spool, changes nothing, and may run beside the process that owns
// it. It shows each delivery that is not done, in order, to each, which may be
// nil and whose error ends it.
func Check(dir string, each func(cdr.Delivery) error) (Report, error) {
	var r Report
	// The position is read first: an old one shows a delivery too many, never one
	// too few.
	done, err := readPosition(dir)
	if err != nil {
		r.Position = err.Error()
	}
	numbers, err := listSegments(dir)
	if err != nil {
		return r, err
	}
	for i, number := range numbers {
		path := filepath.Join(dir, segmentName(number))
		v, err := surveySegment(path, done.offsetIn(number), i == len(numbers)-1, each)
		if errors.Is(err, fs.ErrNotExist) {
			continue // drained meanwhile
		}
		r.add(v)
		if !v.exact && err == nil {
			r.Position = "the position is inside a frame: the segment is read again"
		}
		if err != nil {
			return r, err
		}
	}
	return r, r.checkAside(filepath.Join(dir, damagedDir))
}

func (r *Report) add(v survey) {
	r.Segments++
	r.Deliveries += v.frames - v.done
	r.Done += v.done
	r.Bytes += v.size
	r.Tail += v.torn
	r.Damage = append(r.Damage, v.damage...)
	if r.Oldest.IsZero() {
		r.Oldest = v.oldest
	}
}

func (r *Report) checkAside(dir string) error {
	numbers, err := listSegments(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, number := range numbers {
		v, err := surveySegment(filepath.Join(dir, segmentName(number)), 0, false, nil)
		if err != nil {
			return err
		}
		r.Aside++
		r.Damage = append(r.Damage, v.damage...)
	}
	return nil
}
