package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// walker goes through a part of a segment, frame by frame.
type walker struct {
	file     io.ReaderAt
	off, end int64
	ahead    *bufio.Reader // reads on from off
}

// step is a frame, or a piece that is none.
type step struct {
	delivery cdr.Delivery
	from, to int64
	damage   string // why the piece cannot be read; empty for a frame
	torn     bool   // the piece is the beginning of a frame and the end of the segment
}

func newWalker(file io.ReaderAt, off, end int64) *walker {
	w := &walker{file: file, end: end, ahead: bufio.NewReaderSize(nil, 64<<10)}
	w.seek(off)
	return w
}

func (w *walker) seek(off int64) {
	w.off = off
	w.ahead.Reset(io.NewSectionReader(w.file, off, w.end-off))
}

// next returns the next frame or damaged piece, io.EOF at the end, or an error
// of the disk. The body of the delivery uses room when that is large enough.
func (w *walker) next(room []byte) (step, error) {
	left := w.end - w.off
	if left <= 0 {
		return step{}, io.EOF
	}
	var raw [headerSize]byte
	start := raw[:min(left, headerSize)]
	if err := w.fill(start); err != nil {
		return step{}, err
	}
	h, damage := parseHeader(start)
	if damage == "" && h.length > left-headerSize {
		damage = cutShort
	}
	if damage != "" {
		return w.skip(damage)
	}
	if int64(cap(room)) < h.length {
		room = make([]byte, h.length)
	}
	payload := room[:h.length]
	if err := w.fill(payload); err != nil {
		return step{}, err
	}
	s := step{from: w.off, to: w.off + headerSize + h.length}
	w.off = s.to
	if checksum(payload) != h.sum {
		s.damage = damagedPayload
		return s, nil
	}
	d, err := decodePayload(payload)
	if err != nil {
		s.damage = err.Error()
		return s, nil
	}
	d.ReceivedAt = time.UnixMicro(h.received).UTC()
	s.delivery = d
	return s, nil
}

func (w *walker) fill(b []byte) error {
	if _, err := io.ReadFull(w.ahead, b); err != nil {
		return fmt.Errorf("read at byte %d: %w", w.off, err)
	}
	return nil
}

// skip passes over what is no frame, to the next header that is whole.
func (w *walker) skip(damage string) (step, error) {
	s := step{from: w.off, damage: damage}
	to, err := w.find(s.from + 1)
	if err != nil {
		return step{}, err
	}
	s.to, s.torn = to, damage == cutShort && to == w.end
	w.seek(to)
	return s, nil
}

// find returns where the next whole header begins, or the end.
func (w *walker) find(off int64) (int64, error) {
	window := make([]byte, 4<<10)
	for w.end-off >= headerSize {
		part := window[:min(int64(len(window)), w.end-off)]
		if _, err := w.file.ReadAt(part, off); err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read at byte %d: %w", off, err)
		}
		for i := range len(part) - headerSize + 1 {
			if part[i] != magic[0] || !bytes.HasPrefix(part[i:], []byte(magic)) {
				continue
			}
			if _, damage := parseHeader(part[i : i+headerSize]); damage == "" {
				return off + int64(i), nil
			}
		}
		off += int64(len(part) - headerSize + 1)
	}
	return w.end, nil
}
