package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/migrations"
)

// bench is one run: a temporary Postgres on a real disk, and what was measured.
type bench struct {
	o        options
	dir      string
	cdrstore string // the program
	server   *postgres.Server
	meter    meter
	seed     uint64
	number   int                  // of databases
	expected map[string]*expected // by database
	results  results
}

func prepare(ctx context.Context, o options) (*bench, error) {
	dir, err := os.MkdirTemp(o.dir, "cdrstore-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{o: o, dir: dir, cdrstore: filepath.Join(dir, "cdrstore"), expected: map[string]*expected{}}
	if err := b.build(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// build makes the program, and starts a server.
func (b *bench) build(ctx context.Context) error {
	if err := os.Chmod(b.dir, 0o755); err != nil { // Postgres may run as another user
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.cdrstore, "./cmd/cdrstore")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build cdrstore: %w", err)
	}
	return b.startPostgres(ctx, "postgres", "")
}

// startPostgres starts a server with the settings of the own local one and those
// of the options, and loads a library into it where one is named.
func (b *bench) startPostgres(ctx context.Context, name, library string) error {
	if library != "" {
		if err := os.Setenv("LD_PRELOAD", library); err != nil {
			return err
		}
		defer os.Unsetenv("LD_PRELOAD") //nolint:errcheck // it cannot fail
	}
	server, err := postgres.Start(ctx, quiet(), postgres.Options{Dir: filepath.Join(b.dir, name), Settings: b.o.settings})
	if err != nil {
		return err
	}
	b.server = server
	admin, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	b.meter = meter{admin: admin, postgres: server.PID()}
	return use(ctx, admin)
}

// use leaves Postgres as one that has been at work. Its log goes on in files that
// were there before, as many as min_wal_size keeps: to make one holds up commits
// for as long as it takes to fill 16 MB with zeros and to sync them. Its buffers
// have been written to: the machine gives memory out when it is first touched.
func use(ctx context.Context, admin *pgx.Conn) error {
	var files int
	err := admin.QueryRow(ctx, `SELECT pg_size_bytes(current_setting('min_wal_size')) / pg_size_bytes(current_setting('wal_segment_size'))`).Scan(&files)
	for range files {
		if err == nil {
			_, err = admin.Exec(ctx, "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
		}
	}
	for _, statement := range []string{
		"CREATE UNLOGGED TABLE used (page text)",
		"ALTER TABLE used ALTER page SET STORAGE plain",
		"INSERT INTO used SELECT repeat('x', 8000) FROM pg_settings, generate_series(1, setting::int) WHERE name = 'shared_buffers'",
		"DROP TABLE used",
		"CHECKPOINT",
	} {
		if err == nil {
			_, err = admin.Exec(ctx, statement)
		}
	}
	if err != nil {
		return fmt.Errorf("use the server: %w", err)
	}
	return nil
}

// stopPostgres ends the server.
func (b *bench) stopPostgres() {
	if b.server == nil {
		return
	}
	ctx := context.Background()
	if b.meter.admin != nil {
		_ = b.meter.admin.Close(ctx) // the server ends anyway
	}
	if err := b.server.Stop(ctx); err != nil {
		b.say("%v", err)
	}
	b.server = nil
}

func (b *bench) close() {
	b.stopPostgres()
	if err := os.RemoveAll(b.dir); err != nil {
		b.say("%v", err)
	}
}

// database creates one with the tables, and returns its URL.
func (b *bench) database(ctx context.Context, name string) (string, error) {
	b.number++
	name = fmt.Sprintf("%s_%d", name, b.number)
	if _, err := b.meter.admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	url := b.server.URL(name)
	return url, migrations.Up(ctx, url, quiet())
}

// targets are the receiver and its opponent, each on a database of its own.
type targets struct{ receiver, byHand *target }

func (b *bench) start(ctx context.Context) (t targets, err error) {
	if t.receiver, err = b.startReceiver(ctx); err != nil {
		return t, err
	}
	url, err := b.database(ctx, roleByHand)
	if err == nil {
		t.byHand, err = b.self(ctx, roleByHand, url)
	}
	if err != nil {
		t.receiver.stop()
	}
	return t, err
}

func (b *bench) startReceiver(ctx context.Context) (*target, error) {
	url, err := b.database(ctx, receiver)
	if err != nil {
		return nil, err
	}
	return start(ctx, b.dir, receiver, url, b.cdrstore, "serve")
}

// self starts this program in another role.
func (b *bench) self(ctx context.Context, role, url string) (*target, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, b.dir, role, url, program, role)
}

func (t targets) stop() {
	t.receiver.stop()
	t.byHand.stop()
}

// checkBoth stops both and looks whether their databases hold what was sent.
func (b *bench) checkBoth(ctx context.Context, t targets) error {
	t.byHand.stop()
	return errors.Join(b.stopAndCheck(ctx, t.receiver), b.check(ctx, t.byHand, false))
}

func (b *bench) stopAndCheck(ctx context.Context, to *target) error {
	to.stop()
	b.say("checking every row")
	return b.check(ctx, to, true)
}

// newSeed is for traffic that was not sent before.
func (b *bench) newSeed() uint64 {
	b.seed++
	return b.seed
}
