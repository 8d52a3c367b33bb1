package export

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestFileIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}
	}
	content := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v, not %q", got, err, want)
		}
	}
	// A longer one that a killed export has left.
	if err := os.WriteFile(path+".part", []byte("much older text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, write("first")); err != nil {
		t.Fatal(err)
	}
	content("first")
	failed := errors.New("failed")
	err := writeFile(path, func(w io.Writer) error { return errors.Join(write("second")(w), failed) })
	if !errors.Is(err, failed) || !strings.Contains(err.Error(), "the file is the one from before") {
		t.Errorf("%v", err)
	}
	content("first")
	// Two at once: one of them writes.
	err = writeFile(path, func(w io.Writer) error {
		err := writeFile(path, write("the other's"))
		if err == nil || !strings.Contains(err.Error(), "written by another export") {
			t.Errorf("%v", err)
		}
		return write("third")(w)
	})
	if err != nil {
		t.Error(err)
	}
	content("third")
	// Through a link.
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a.csv", link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, write("fourth")); err != nil {
		t.Error(err)
	}
	content("fourth")
	if target, err := os.Readlink(link); err != nil || target != "a.csv" {
		t.Errorf("the link is gone: %q, %v", target, err)
	}
	if found := entries(t, dir); found != "[a.csv link]" {
		t.Error(found)
	}
	for _, bad := range []string{dir, filepath.Join(dir, "none", "x"), filepath.Join(path, "x")} {
		if err := writeFile(bad, write("")); err == nil || !strings.HasPrefix(err.Error(), "--output: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestPipeStaysAPipe uses a pipe of its own: with the machine's devices, run by
// root, it would replace them were the code wrong.
func TestPipeStaysAPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // so that nobody waits for the other end
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	err = writeFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "x")
		return err
	})
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || info.Mode().IsRegular() {
		t.Fatalf("%v, %v, %v", err, statErr, info)
	}
	if n, err := pipe.Read(make([]byte, 10)); n != 1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestRenamedMeanwhile is about a file that another export had when it was opened
// here, and has given its name since.
func TestRenamedMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.part")
	f, err := createPart(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := claim(f); err != nil {
		t.Error(err)
	}
	if err := os.Rename(path, path+".done"); err != nil {
		t.Fatal(err)
	}
	if err := claim(f); err == nil {
		t.Error("a finished file is written to")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := claim(f); err == nil {
		t.Error("a finished file is written to")
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 3000)
	dir := t.TempDir()
	var want bytes.Buffer
	o := Options{What: "call", Output: "-"}
	if _, err := Run(t.Context(), pool, o, &want, silent); err != nil {
		t.Fatal(err)
	}
	o.Output = filepath.Join(dir, "x.csv.gz")
	if _, err := Run(t.Context(), pool, o, nil, silent); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes and not %d, %v", len(got), want.Len(), err)
	}
}
