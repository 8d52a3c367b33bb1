// Package postgres finds, installs, initialises and runs a local Postgres server,
// so that the service works where nobody has set up a database.
//
// A server lives in one directory (data, log, lock, mostly its socket too), listens on a private
// Unix socket and on no TCP port, and ends with the process that started it.
// The package knows nothing of the service's tables and imports no other package of it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Database is the database that every server of this package has.
const Database = "cdrstore"

// port names the socket file; nothing listens on TCP.
const port = "5432"

// Options say where a server lives and how it is set.
type Options struct {
	// Dir holds everything of the server; it is created when missing.
	Dir string
	// Settings win over this package's settings of the same name.
	Settings map[string]string
	// Fast is for tests only: what is committed survives the end of the server, but not of the machine.
	Fast bool
}

// Server is a running Postgres server that this process owns.
type Server struct {
	options Options
	socket  string
	lock    *os.File
	process *os.Process
	done    chan struct{}
}

// Start initialises the server's directory when it is new, starts the server and returns when it
// takes connections and has the database named Database. It fails with a *RunningError
// while another process runs a server in the same directory.
func Start(ctx context.Context, log *slog.Logger, o Options) (*Server, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("locate the Postgres directory: %w", err)
	}
	account, err := prepareDir(dir)
	if err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("locate the Postgres directory: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, lock: lock, done: make(chan struct{})}
	if err := s.start(ctx, log, account); err != nil {
		if account != nil && account.locked != nil {
			err = fmt.Errorf("%w\n%w", err, account.locked)
		}
		_ = unlock(lock)
		return nil, err
	}
	return s, nil
}

// start does what Start says, once the directory is locked.
func (s *Server) start(ctx context.Context, log *slog.Logger, account *account) error {
	dir := s.options.Dir
	bin, err := binariesFor(ctx, dataDir(dir))
	if err != nil {
		return err
	}
	c := cluster{dir: dir, bin: bin, account: account}
	if err := c.init(ctx, log, s.options.Fast); err != nil {
		return err
	}
	if err := stopOrphan(ctx, log, dataDir(dir)); err != nil {
		return err
	}
	if s.socket, err = socketDir(dir, account); err != nil {
		return err
	}
	if err := writeLock(s.lock, s.socket); err != nil {
		return err
	}
	if err := c.writeSettings(settings(s.options, totalMemory())); err != nil {
		return err
	}
	return s.launch(ctx, log, c)
}

// launch starts the server process and waits until it can be used; it leaves no process behind when that fails.
func (s *Server) launch(ctx context.Context, log *slog.Logger, c cluster) error {
	logFile, err := openLog(c.dir)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	begin, err := logFile.Seek(0, 2)
	if err != nil {
		return fmt.Errorf("read the Postgres log's length: %w", err)
	}
	cmd := c.command(context.WithoutCancel(ctx), "postgres", "-D", dataDir(c.dir), "-p", port,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.socket)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	if err := s.run(cmd); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	err = s.awaitReady(ctx, log)
	if err == nil {
		err = s.createDatabase(ctx)
	}
	if err != nil {
		s.end(syscall.SIGQUIT)
		<-s.done
		return fmt.Errorf("start Postgres in %s: %w%s", c.dir, err, lastLines(c.dir, begin))
	}
	return nil
}

// run starts cmd and watches it from one goroutine that keeps its thread: on Linux the server is
// told to end when the thread that started it ends, not when the process does.
func (s *Server) run(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // why it ended is in its own log
		close(s.done)
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process = cmd.Process
	return nil
}

// awaitReady returns when the server takes connections. Recovery after a crash may take minutes,
// so that only ctx and the server's own end limit the wait.
func (s *Server) awaitReady(ctx context.Context, log *slog.Logger) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	report := time.NewTicker(5 * time.Second)
	defer report.Stop()
	for {
		err := ping(ctx, s.URL("postgres"))
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-report.C:
			log.Info("waiting for Postgres to take connections", "error", err)
		case <-s.done:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("wait until it takes connections: %w", ctx.Err())
		}
	}
}

// createDatabase creates the database named Database when it is missing.
func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to create the database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", Database).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+Database); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}

// URL is the address of a database of the server, for pgx and for psql alike.
func (s *Server) URL(database string) string { return socketURL(s.socket, database) }

// socketURL names the port too, so that PGPORT in the environment has no say.
func socketURL(socket, database string) string {
	// libpq does not read + as a space.
	host := strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(socket))
	return "postgres://postgres@/" + url.PathEscape(database) + "?host=" + host + "&port=" + port
}

// PID is the process id of the server, for tests that stop or kill it.
func (s *Server) PID() int { return s.process.Pid }

// Options are those the server was started with, its directory made absolute.
func (s *Server) Options() Options { return s.options }

// Done is closed when the server process has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server: it breaks off its connections and writes everything out. When ctx ends
// first, the server is stopped at once, which costs a recovery at the next start and loses nothing.
func (s *Server) Stop(ctx context.Context) error {
	var err error
	s.end(syscall.SIGINT)
	select {
	case <-s.done:
	case <-ctx.Done():
		err = fmt.Errorf("stop Postgres: %w", ctx.Err())
		s.end(syscall.SIGQUIT)
		<-s.done
	}
	_ = os.Remove(s.socket)
	if e := unlock(s.lock); e != nil && !errors.Is(e, os.ErrClosed) && err == nil {
		err = fmt.Errorf("unlock the Postgres directory: %w", e)
	}
	return err
}

// end sends a signal to the server; one that has ended gets none.
func (s *Server) end(sig syscall.Signal) { _ = s.process.Signal(sig) }

// ping connects once.
func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return conn.Close(ctx)
}

// dataDir is where the server's own files are.
func dataDir(dir string) string { return filepath.Join(dir, "data") }

// atoi reads a number that stands alone on its line.
func atoi(s string) (int, error) { return strconv.Atoi(strings.TrimSpace(s)) }
