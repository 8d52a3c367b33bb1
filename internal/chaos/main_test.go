package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

const (
	binaryVariable = "CDRSTORE_CHAOS_BINARY" // path of the program, set by TestMain
	lengthVariable = "CDRSTORE_CHAOS"        // long: the rounds that take minutes
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the program once and runs the tests beside a Postgres.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cdrstore-chaos-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = build(filepath.Join(dir, "cdrstore"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pgtest.Run(m)
}

func build(binary string) error {
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/cdrstore/cdrstore/cmd/cdrstore")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return os.Setenv(binaryVariable, binary)
}

func long() bool { return os.Getenv(lengthVariable) == "long" }

// either returns how much of something there is in a short and in a long run.
func either(short, lengthy int) int {
	if long() {
		return lengthy
	}
	return short
}

// eventually waits until something is so.
func eventually(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %v still not: %s", limit, what)
		}
	}
}
