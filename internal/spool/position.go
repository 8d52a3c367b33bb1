package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// position is a place between two frames.
type position struct {
	segment uint64
	offset  int64
}

func (p position) before(q position) bool {
	return p.segment < q.segment || p.segment == q.segment && p.offset < q.offset
}

const positionFile = "position"

// readPosition returns up to where a spool is Done; zero when it was never
// written. After an error everything must be read again.
func readPosition(dir string) (position, error) {
	b, err := os.ReadFile(filepath.Join(dir, positionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return position{}, nil
	}
	if err != nil {
		return position{}, fmt.Errorf("read the position: %w", err)
	}
	var p position
	if _, err := fmt.Sscanf(string(b), "%d %d", &p.segment, &p.offset); err != nil || string(b) != p.text() {
		return position{}, fmt.Errorf("read the position: %s is damaged", positionFile)
	}
	return p, nil
}

// write replaces the position on disk at once or not at all. Whether the new
// name lasts is not waited for: an old position only reads frames again.
func (p position) write(dir string, sync func(*os.File) error) error {
	path := filepath.Join(dir, positionFile)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	_, err = f.WriteString(p.text())
	if err == nil {
		err = sync(f)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	return nil
}

func (p position) text() string {
	s := fmt.Sprintf("%d %d", p.segment, p.offset)
	return fmt.Sprintf("%s %08x\n", s, checksum([]byte(s)))
}
