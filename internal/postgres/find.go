package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// oldest is the first major version with everything that the service uses (xid8).
const oldest = 13

// ErrNotFound says that no usable Postgres is installed.
var ErrNotFound = errors.New("no Postgres server of version 13 or newer is installed")

// installation is a directory that holds initdb and postgres of one version.
type installation struct {
	dir          string
	major, minor int
}

// Find returns the directory with the programs of the newest Postgres that is installed, or ErrNotFound.
// $CDRSTORE_POSTGRES_BIN names another one.
func Find() (binDir string, err error) {
	return pick(inspect(context.Background(), candidates(context.Background())), 0)
}

// binariesFor returns the programs that can run the given data directory: its own major version, or, when it does
// not exist yet, the newest.
func binariesFor(ctx context.Context, data string) (string, error) {
	major := 0
	version, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	switch {
	case err == nil:
		if major, err = atoi(string(version)); err != nil {
			return "", fmt.Errorf("read the version of %s: %w", data, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("read the version of %s: %w", data, err)
	}
	bin, err := pick(inspect(ctx, candidates(ctx)), major)
	if err != nil && major > 0 {
		return "", fmt.Errorf("%s was made by Postgres %d: %w", data, major, err)
	}
	return bin, err
}

// candidates lists directories that may hold Postgres, those that somebody chose first.
func candidates(ctx context.Context) []string {
	if dir := os.Getenv("CDRSTORE_POSTGRES_BIN"); dir != "" {
		return []string{dir}
	}
	var dirs []string
	for _, name := range []string{"postgres", "initdb"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                   // packages of postgresql.org for Red Hat
		"/usr/lib/postgresql*/bin",                           // SUSE
		"/usr/libexec/postgresql*",                           // Alpine
		"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew, Apple silicon
		"/usr/local/opt/postgresql*/bin",                     // Homebrew, Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew, Linux
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
		"/usr/local/pgsql/bin",                               // built from source
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue // no pattern of the list is malformed
		}
		dirs = append(dirs, matches...)
	}
	return dirs
}

// inspect keeps the directories that hold a server that runs here.
func inspect(ctx context.Context, dirs []string) []installation {
	var found []installation
	seen := map[string]bool{}
	for _, dir := range dirs {
		if seen[dir] || !isProgram(filepath.Join(dir, "postgres")) || !isProgram(filepath.Join(dir, "initdb")) {
			continue
		}
		seen[dir] = true
		out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if major, minor, ok := parseVersion(string(out)); ok {
			found = append(found, installation{dir, major, minor})
		}
	}
	return found
}

// isProgram is false for wrapper scripts: they may start the server as a child, or as somebody else.
func isProgram(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 2)
	_, err = f.Read(head)
	return err == nil && !bytes.Equal(head, []byte("#!"))
}

// parseVersion reads "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" and "… 18beta1".
func parseVersion(s string) (major, minor int, ok bool) {
	m := regexp.MustCompile(`\(PostgreSQL\) (\d+)(?:\.(\d+))?`).FindStringSubmatch(s)
	if m == nil {
		return 0, 0, false
	}
	major, err := atoi(m[1])
	if err != nil {
		return 0, 0, false
	}
	if m[2] != "" {
		if minor, err = atoi(m[2]); err != nil {
			return 0, 0, false
		}
	}
	return major, minor, true
}

// pick chooses the newest installation, or the newest of one major version unless that is 0.
func pick(found []installation, major int) (string, error) {
	var best installation
	var versions []string
	for _, f := range found {
		versions = append(versions, fmt.Sprintf("%d.%d in %s", f.major, f.minor, f.dir))
		if f.major < oldest || (major != 0 && f.major != major) {
			continue
		}
		if f.major > best.major || (f.major == best.major && f.minor > best.minor) {
			best = f
		}
	}
	switch {
	case best.dir != "":
		return best.dir, nil
	case major != 0 && len(versions) > 0:
		return "", fmt.Errorf("that version is not installed, only %s", strings.Join(versions, ", "))
	case len(versions) > 0:
		return "", fmt.Errorf("%w, only %s", ErrNotFound, strings.Join(versions, ", "))
	}
	return "", ErrNotFound
}
