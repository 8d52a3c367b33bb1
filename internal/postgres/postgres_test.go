package postgres

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestStartFromNothingAndAgain(t *testing.T) {
	t.Parallel()
	o := Options{Dir: filepath.Join(tempDir(t), "a b+%c", "postgres"), Fast: true}
	s := start(t, o)
	query(t, s.URL(Database), "CREATE TABLE kept AS SELECT 7 AS n")
	url := s.URL(Database)
	stop(t, s)
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop")
	}

	again := start(t, o)
	if got := query(t, again.URL(Database), "SELECT n::text FROM kept"); got != "7" {
		t.Errorf("the second start found %q, want 7", got)
	}
	if again.URL(Database) != url {
		t.Errorf("the URL changed from %s to %s", url, again.URL(Database))
	}
}

func TestURLWorksWithPsql(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: filepath.Join(tempDir(t), "a b+%c"), Fast: true})
	bin, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "psql"), "-XAtc", "SELECT current_database()", s.URL(Database))
	cmd.Env = append(os.Environ(), "PGPORT=1", "PGHOST=nowhere.invalid")
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != Database {
		t.Errorf("psql: %v: %s", err, out)
	}
}

func TestOnlyAPrivateSocket(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t), Fast: true})
	if got := query(t, s.URL(Database), "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q", got)
	}
	for _, dir := range []string{s.socket, dataDir(s.options.Dir)} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %o", dir, info.Mode().Perm())
		}
	}
}

func TestDurableUnlessFast(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t), Settings: map[string]string{"work_mem": "5MB", "shared_buffers": "32MB"}})
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"max_wal_size": "16GB", "server_encoding": "UTF8", "TimeZone": "UTC", "work_mem": "5MB", "shared_buffers": "32MB",
	} {
		if got := query(t, s.URL(Database), "SHOW "+name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := query(t, s.URL(Database), "SELECT datcollate FROM pg_database WHERE datname = current_database()"); got != "C" {
		t.Errorf("texts are compared as in %s, want C", got)
	}
	// What the operator sets stays set.
	query(t, s.URL(Database), "ALTER SYSTEM SET work_mem = '9MB'")
	o := s.Options()
	stop(t, s)
	if got := query(t, start(t, o).URL(Database), "SHOW work_mem"); got != "9MB" {
		t.Errorf("work_mem is %s after ALTER SYSTEM and a restart, want 9MB", got)
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t), Fast: true})
	_, err := Start(t.Context(), logger(t), s.Options())
	var running *RunningError
	if !errors.As(err, &running) {
		t.Fatalf("the second start: %v", err)
	}
	if want := "already running by pid " + strconv.Itoa(os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %q, want %q in it", err, want)
	}
	if running.URL(Database) != s.URL(Database) {
		t.Errorf("the running server is at %s, want %s", running.URL(Database), s.URL(Database))
	}
}

func TestEnsureJoinsARunningServer(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t), Fast: true})
	url, stopJoined, ended, err := Ensure(t.Context(), logger(t), s.Options().Dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if url != s.URL(Database) || ended != nil {
		t.Errorf("joined %s, want %s", url, s.URL(Database))
	}
	if err := stopJoined(t.Context()); err != nil {
		t.Error(err)
	}
	query(t, url, "SELECT 'still there'")
}

func TestStartAfterKill(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t)})
	query(t, s.URL(Database), "CREATE TABLE kept AS SELECT 7 AS n")
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if _, err := os.Stat(filepath.Join(dataDir(s.options.Dir), "postmaster.pid")); err != nil {
		t.Fatalf("the killed server left no lock, the test is void: %v", err)
	}
	stop(t, s)
	again := start(t, s.Options())
	if got := query(t, again.URL(Database), "SELECT n::text FROM kept"); got != "7" {
		t.Errorf("found %q after the kill, want 7", got)
	}
}

func TestStartStopsAServerLeftBehind(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: tempDir(t), Fast: true})
	stop(t, s)
	orphan := s.cluster(t).command(t.Context(), "postgres", "-D", dataDir(s.options.Dir),
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+tempDirOf(t, s))
	if err := (&Server{done: make(chan struct{})}).run(orphan); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(dataDir(s.options.Dir), "postmaster.pid"))

	again := start(t, s.Options())
	query(t, again.URL(Database), "SELECT 1")
	if err := syscall.Kill(orphan.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server left behind still runs: %v", err)
	}
}

func TestALockOfAStrangerIsNoObstacle(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"reused process id": strconv.Itoa(os.Getpid()) + "\n/nowhere\n",
		"cut off":           "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{Dir: tempDir(t), Fast: true})
			stop(t, s)
			path := filepath.Join(dataDir(s.options.Dir), "postmaster.pid")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			query(t, start(t, s.Options()).URL(Database), "SELECT 1")
		})
	}
}

func TestStartErrorQuotesTheLog(t *testing.T) {
	t.Parallel()
	o := Options{Dir: tempDir(t), Fast: true, Settings: map[string]string{"shared_buffers": "nonsense"}}
	_, err := Start(t.Context(), logger(t), o)
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "shared_buffers"`) {
		t.Errorf("the error does not quote the server's log: %v", err)
	}
	// The failed start holds nothing.
	delete(o.Settings, "shared_buffers")
	query(t, start(t, o).URL(Database), "SELECT 1")
}

func TestLongDirectoryGetsAShortSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), strings.Repeat("long", 30))
	s := start(t, Options{Dir: dir, Fast: true})
	query(t, s.URL(Database), "SELECT 1")
	stop(t, s)
	if _, err := os.Stat(s.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's directory outside of the server's stays: %v", err)
	}
}

// TestClosedParent starts a server below a directory that its account may not
// pass, as root's home is: with a capability where the system has them, else
// with an error that names the directory.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // only root runs the server as somebody else
	}
	closed := filepath.Join(tempDir(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(closed, "postgres"), Fast: true}
	if canPassLocked() {
		query(t, start(t, o).URL(Database), "SELECT 1")
		return
	}
	if _, err := Start(t.Context(), logger(t), o); err == nil || !strings.Contains(err.Error(), "may not pass "+closed) {
		t.Errorf("the error does not name %s: %v", closed, err)
	}
}

func TestOtherMajorVersionIsRefused(t *testing.T) {
	t.Parallel()
	o := Options{Dir: tempDir(t), Fast: true}
	s := start(t, o)
	stop(t, s)
	if err := os.WriteFile(filepath.Join(dataDir(o.Dir), "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), logger(t), o)
	if err == nil || !strings.Contains(err.Error(), "was made by Postgres 9") || errors.Is(err, ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
}
