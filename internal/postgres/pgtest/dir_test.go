package pgtest

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestSweepRemovesWhatKilledTestsLeft(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	now := time.Now()
	// leave makes a directory like that of a server, whose lock was last written then.
	leave := func(name string, begun time.Time, lock bool) (file string) {
		dir := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(dir, "lock")
		if lock {
			if err := os.WriteFile(file, []byte("1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, begun, begun); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, begun, begun); err != nil {
			t.Fatal(err)
		}
		return file
	}
	leave(prefix+"killed", now.Add(-2*time.Hour), true)
	leave(prefix+"killed-early", now.Add(-2*time.Hour), false)
	leave(prefix+"new", now, true)
	leave(prefix+"nascent", now, false)
	leave("somebody-else's", now.Add(-2*time.Hour), true)
	restarted := leave(prefix+"restarted", now.Add(-2*time.Hour), true)
	if err := os.Chtimes(restarted, now, now); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(leave(prefix+"running", now.Add(-2*time.Hour), true))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close() //nolint:errcheck // it was only locked
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}

	if err := sweep(parent, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}

	var left []string
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{prefix + "nascent", prefix + "new", prefix + "restarted", prefix + "running", "somebody-else's"}
	if !slices.Equal(left, want) {
		t.Errorf("left %q, not %q", left, want)
	}
}
