package postgres

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// longestSocket is the longest path of a Unix socket that every system takes.
const longestSocket = 103

// socketDir creates a directory for the server's socket that only the server's user (and root) may
// enter: in the server's directory, or, where that path is too long, a short one for temporary files.
func socketDir(dir string, a *account) (string, error) {
	sum := sha256.Sum256([]byte(dir))
	short := fmt.Sprintf("cdrstore-%x", sum[:6])
	paths := []string{filepath.Join(dir, "socket")}
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" && a == nil {
		paths = append(paths, filepath.Join(run, short))
	}
	paths = append(paths, filepath.Join(os.TempDir(), short), filepath.Join("/tmp", short))

	var errs []error
	for _, path := range paths {
		if len(path)+len("/.s.PGSQL."+port) > longestSocket {
			continue
		}
		err := privateDir(path, a)
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("find a place for the Postgres socket: %w", errors.Join(errs...))
}

// privateDir makes sure that path is a directory of the server's user that nobody else may enter.
func privateDir(path string, a *account) error {
	err := os.Mkdir(path, 0o700)
	if err == nil && a != nil {
		err = os.Chown(path, int(a.uid), int(a.gid))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create %s: %w", path, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	want := uint32(os.Geteuid())
	if a != nil {
		want = a.uid
	}
	if uid, _ := owners(info); !info.IsDir() || uid != want || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%s exists and is not a private directory of the server's user: remove it", path)
	}
	return reachable(path, a)
}
