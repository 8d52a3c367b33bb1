package postgres

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxLog is how long the server's log may be at a start before a new one is begun.
const maxLog = 16 << 20

// logPath is where the server writes what it has to say.
func logPath(dir string) string { return filepath.Join(dir, "server.log") }

// openLog opens the log for appending and keeps one old log.
func openLog(dir string) (*os.File, error) {
	path := logPath(dir)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, fmt.Errorf("put the old Postgres log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the Postgres log: %w", err)
	}
	return f, nil
}

// lastLines is the end of the log since the given offset, to be appended to an error.
func lastLines(dir string, begin int64) string {
	path := logPath(dir)
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(f, begin, maxLog))
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	return "\nlast lines of " + path + ":\n" + strings.Join(lines, "\n")
}
