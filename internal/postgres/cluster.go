package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cluster is a server's directory with the programs and the user that run it.
type cluster struct {
	dir     string
	bin     string
	account *account
}

// command prepares one of Postgres' programs.
func (c cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	cmd.Dir = c.dir
	if c.account != nil && c.account.locked != nil {
		cmd.Dir = "/" // the way to c.dir opens with the program's start only
	}
	for _, v := range os.Environ() {
		// PGDATA, PGPORT, PGOPTIONS and the like are meant for other servers.
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	cmd.SysProcAttr = processAttributes(c.account)
	return cmd
}

// init makes the data directory unless it exists, under another name first: a half-made one is
// never taken for a whole one.
func (c cluster) init(ctx context.Context, log *slog.Logger, fast bool) error {
	data := dataDir(c.dir)
	_, err := os.Stat(filepath.Join(data, "PG_VERSION"))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the Postgres data: %w", err)
	}
	log.Info("creating a local Postgres", "directory", c.dir, "programs", c.bin)
	draft := data + ".new"
	// Texts are compared byte by byte, which every index does all the time. Not every system knows the
	// letters of C.UTF-8.
	err = c.initdb(ctx, draft, "C.UTF-8", fast)
	if err != nil && ctx.Err() == nil {
		err = c.initdb(ctx, draft, "C", fast)
	}
	if err != nil {
		return err
	}
	if err := includeSettings(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, data); err != nil {
		return fmt.Errorf("put the new Postgres data in place: %w", err)
	}
	return nil
}

// initdb runs the program of this name for a new data directory.
func (c cluster) initdb(ctx context.Context, data, letters string, fast bool) error {
	if err := os.RemoveAll(data); err != nil {
		return fmt.Errorf("remove half-made Postgres data: %w", err)
	}
	args := []string{
		"--pgdata=" + data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--lc-ctype=" + letters,
	}
	if fast {
		args = append(args, "--no-sync")
	}
	if out, err := c.command(ctx, "initdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("create Postgres data with initdb --lc-ctype=%s: %w\n%s", letters, err, out)
	}
	return nil
}

// settingsFile is included by postgresql.conf, where what initdb found out about the machine stays.
const settingsFile = "cdrstore.conf"

// includeSettings lets a new cluster read settingsFile.
func includeSettings(data string) error {
	f, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("open the Postgres settings: %w", err)
	}
	_, err = f.WriteString("\ninclude = '" + settingsFile + "'\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("extend the Postgres settings: %w", err)
	}
	return nil
}

// writeSettings replaces settingsFile. What users set with ALTER SYSTEM is in another file, and wins.
func (c cluster) writeSettings(settings map[string]string) error {
	path := filepath.Join(dataDir(c.dir), settingsFile)
	// The directory is closed to others; the server's user must be able to read what root writes.
	if err := os.WriteFile(path, []byte(formatSettings(settings)), 0o644); err != nil {
		return fmt.Errorf("write the Postgres settings: %w", err)
	}
	return nil
}
