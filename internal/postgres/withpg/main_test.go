package main

import (
	"io"
	"log/slog"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestRunPassesURLAndExitCode(t *testing.T) {
	t.Setenv(pgtest.URLVariable, "")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	script := `case $` + pgtest.URLVariable + ` in postgres://*/socket*) exit 7;; esac`
	if code, err := run(t.Context(), log, []string{"sh", "-c", script}); code != 7 || err != nil {
		t.Errorf("exit code %d, %v, want 7", code, err)
	}
	if code, err := run(t.Context(), log, []string{"true"}); code != 0 || err != nil {
		t.Errorf("exit code %d, %v, want 0", code, err)
	}
	if code, err := run(t.Context(), log, []string{"no-such-program"}); code == 0 || err == nil {
		t.Errorf("a missing program: exit code %d, %v", code, err)
	}
}

func TestRunUsesTheNamedServer(t *testing.T) {
	t.Setenv(pgtest.URLVariable, "postgres://elsewhere/x")
	script := `[ "$` + pgtest.URLVariable + `" = postgres://elsewhere/x ]`
	code, err := run(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), []string{"sh", "-c", script})
	if code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}
