package pgtest

import "syscall"

// roomy is how much a memory file system must hold to carry the test databases.
const roomy = 2 << 30

// fastDir is where servers for tests live: in memory where that is roomy, for a
// test database is some thousand files that are copied and dropped again, ten
// times as fast there. Empty is the system's directory for temporary files.
func fastDir() string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomy {
		return ""
	}
	return shm
}
