package chaos

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// database is a Postgres server of one test, to be ill-treated.
type database struct {
	t      *testing.T
	server *postgres.Server
}

// newDatabase starts a server that takes few connections, so that a test can use
// them up.
func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{t, pgtest.Server(t)}
	d.do(d.connect(), "ALTER SYSTEM SET max_connections = 20")
	d.start()
	return d
}

func (d *database) url() string { return d.server.URL(postgres.Database) }

func (d *database) connect() *pgx.Conn { return d.connectTo(postgres.Database) }

// connectTo returns a connection that is closed after the test.
func (d *database) connectTo(name string) *pgx.Conn {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.server.URL(name))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (d *database) do(conn *pgx.Conn, statements ...string) {
	d.t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(d.t.Context(), s); err != nil {
			d.t.Fatalf("%s: %v", s, err)
		}
	}
}

// stop stops the server, breaking off its connections. No other test may be
// starting a process meanwhile: that would hold the lock of the server's
// directory for a moment longer.
func (d *database) stop() {
	d.t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := d.server.Stop(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// start starts the server again, however it ended.
func (d *database) start() {
	d.t.Helper()
	d.stop()
	d.server = pgtest.Restart(d.t, d.server)
}

// kill ends the server's first process at once. The others find out.
func (d *database) kill() {
	d.t.Helper()
	d.signal(d.server.PID(), syscall.SIGKILL)
	<-d.server.Done()
}

func (d *database) signal(pid int, s syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		d.t.Fatalf("signal %d: %v", s, err)
	}
}

// stall stops all processes of the server where they are until release. The
// first process is stopped first, so that it starts no others.
func (d *database) stall() (release func()) {
	d.t.Helper()
	conn := d.connect()
	d.signal(d.server.PID(), syscall.SIGSTOP)
	own := int(conn.PgConn().PID())
	found, err := conn.Query(d.t.Context(), "SELECT pid FROM pg_stat_activity")
	if err != nil {
		d.t.Fatal(err)
	}
	pids, err := pgx.CollectRows(found, pgx.RowTo[int])
	if err != nil {
		d.t.Fatal(err)
	}
	var stopped []int
	for _, pid := range pids {
		if pid != own && syscall.Kill(pid, syscall.SIGSTOP) == nil { // it may have ended
			stopped = append(stopped, pid)
		}
	}
	return func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		d.signal(d.server.PID(), syscall.SIGCONT)
	}
}

// exhaust uses up all connections, also those that the receiver has, until
// release.
func (d *database) exhaust() (release func()) {
	d.t.Helper()
	var mine []*pgx.Conn
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := pgx.Connect(d.t.Context(), d.url())
		if err == nil {
			mine = append(mine, conn)
			continue
		}
		var theirs int
		err = mine[0].QueryRow(d.t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'cdrstore'`).Scan(&theirs)
		if err != nil {
			d.t.Fatal(err)
		}
		if theirs == 0 {
			return func() {
				for _, conn := range mine {
					_ = conn.Close(context.Background())
				}
			}
		}
	}
	d.t.Fatal("the receiver always gets a connection")
	return nil
}

// readOnly has the server refuse all changes until release.
func (d *database) readOnly() (release func()) {
	d.t.Helper()
	conn := d.connect()
	d.do(conn, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
	return func() {
		d.do(conn, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
	}
}

// slow has every batch of events take a while until release.
func (d *database) slow() (release func()) {
	d.t.Helper()
	d.do(d.connect(), `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END'`,
		`CREATE TRIGGER dawdle BEFORE INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION dawdle()`)
	return func() {
		d.do(d.connect(), "SET lock_timeout = '10s'", "DROP TRIGGER dawdle ON event", "DROP FUNCTION dawdle")
	}
}
