package postgres

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// tempDir is like t.TempDir, which the server's user could not enter.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cdrstore-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// tempDirOf is a directory for a second socket of the server.
func tempDirOf(t *testing.T, s *Server) string {
	t.Helper()
	dir, err := socketDir(s.options.Dir, s.cluster(t).account)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// cluster is what start made of the server's options.
func (s *Server) cluster(t *testing.T) cluster {
	t.Helper()
	a, err := prepareDir(s.options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := binariesFor(t.Context(), dataDir(s.options.Dir))
	if err != nil {
		t.Fatal(err)
	}
	return cluster{dir: s.options.Dir, bin: bin, account: a}
}

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), logger(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// query runs a statement and returns the first value of its first row, if it has one.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), statement, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		return string(row.RawValues()[0]), nil
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// awaitFile returns when the file has content.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for t.Context().Err() == nil {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			return
		}
		<-poll.C
	}
}
