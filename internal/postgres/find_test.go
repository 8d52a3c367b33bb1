package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPick(t *testing.T) {
	t.Parallel()
	found := []installation{{"/a", 14, 9}, {"/b", 17, 2}, {"/c", 17, 10}, {"/d", 12, 1}, {"/e", 9, 6}}
	for _, c := range []struct {
		major int
		want  string
	}{{0, "/c"}, {14, "/a"}, {17, "/c"}, {15, ""}, {12, ""}} {
		if got, err := pick(found, c.major); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("pick(%d) = %q, %v, want %q", c.major, got, err, c.want)
		}
	}
	if _, err := pick(nil, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing installed: %v", err)
	}
	if _, err := pick(found[3:], 0); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "12.1 in /d") {
		t.Errorf("only old ones installed: %v", err)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": {15, 18},
		"postgres (PostgreSQL) 18beta1":                          {18, 0},
	} {
		if major, minor, ok := parseVersion(text); !ok || [2]int{major, minor} != want {
			t.Errorf("%q is %d.%d, want %v", text, major, minor, want)
		}
	}
	if _, _, ok := parseVersion("edb 15.1"); ok {
		t.Error("another product passes")
	}
}

func TestInspectPassesOverWrappers(t *testing.T) {
	t.Parallel()
	bin, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	wrappers := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\nexec " + filepath.Join(bin, name) + ` "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(wrappers, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	found := inspect(t.Context(), []string{"/nowhere", wrappers, bin, bin})
	if len(found) != 1 || found[0].dir != bin {
		t.Errorf("found %v, want %s alone", found, bin)
	}
}
