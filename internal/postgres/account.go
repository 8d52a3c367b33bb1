package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user whom the server runs as when we are root; Postgres refuses to be root.
// A nil account is the user who runs this process.
type account struct {
	name     string
	uid, gid uint32
	locked   error // why the account may not pass a directory above the server's; nil: it may
}

// prepareDir creates the server's directory so that the server can use it, and says who runs the server.
func prepareDir(dir string) (*account, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("create the Postgres directory: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create the Postgres directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("read the Postgres directory: %w", err)
	}
	owner, _ := owners(info)
	if os.Geteuid() != 0 {
		if int(owner) != os.Geteuid() {
			return nil, fmt.Errorf("%s belongs to user %s: start as that user or as root, "+
				"or choose another directory with CDRSTORE_DATA_DIR", dir, accountOf(info).name)
		}
		return nil, nil
	}
	a, err := serverAccount(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return nil, fmt.Errorf("give the Postgres directory to user %s: %w", a.name, err)
	}
	a.locked = reachable(dir, a)
	if !canPassLocked() {
		return a, a.locked
	}
	return a, nil
}

// serverAccount is the owner of the data when there is data, else the first fitting user of the system.
func serverAccount(dir string) (*account, error) {
	info, err := os.Stat(dataDir(dir))
	switch {
	case err == nil:
		a := accountOf(info)
		if a.uid == 0 {
			return nil, fmt.Errorf("%s belongs to root, and Postgres does not run as root: "+
				"give it to another user (chown -R)", dataDir(dir))
		}
		return a, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the owner of the data: %w", err)
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("as root, Postgres needs another user to run as, and there is neither postgres nor nobody: create one")
}

// accountOf is the owner of a file.
func accountOf(info fs.FileInfo) *account {
	uid, gid := owners(info)
	id := strconv.FormatUint(uint64(uid), 10)
	a := &account{name: id, uid: uid, gid: gid}
	if u, err := user.LookupId(id); err == nil {
		a.name = u.Username
	}
	return a
}

// owners reads user and group of a file.
func owners(info fs.FileInfo) (uid, gid uint32) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid, st.Gid
	}
	return uint32(os.Geteuid()), uint32(os.Getegid())
}

// reachable checks that the account may pass every directory above dir.
func reachable(dir string, a *account) error {
	if a == nil {
		return nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("locate %s: %w", dir, err)
	}
	for p := filepath.Dir(real); ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("read the mode of %s: %w", p, err)
		}
		if !a.mayPass(info) {
			return fmt.Errorf("as root, Postgres runs as user %s, who may not pass %s (mode %04o): "+
				"set CDRSTORE_DATA_DIR to a directory outside of it, such as /var/lib/cdrstore, "+
				"or allow it with: chmod o+x %s", a.name, p, info.Mode().Perm(), p)
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}

// mayPass reads the execute bit that counts for the account.
func (a *account) mayPass(info fs.FileInfo) bool {
	uid, gid := owners(info)
	switch {
	case uid == a.uid:
		return info.Mode()&0o100 != 0
	case gid == a.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
