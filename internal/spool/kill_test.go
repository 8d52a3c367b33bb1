package spool

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

const (
	childDir   = "SPOOL_TEST_DIR"
	childRound = "SPOOL_TEST_ROUND"
)

// TestKilledWriter is not a test: it is the process that TestKill kills.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("run by TestKill")
	}
	s := open(t, dir, Options{SegmentBytes: 20_000})
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format, args...)
	}
	for w := range 16 {
		go func() {
			for i := 0; ; i++ {
				d := delivery(i)
				d.Source = fmt.Sprintf("%s-%d-%d", os.Getenv(childRound), w, i)
				if err := s.Append(context.Background(), d); err != nil {
					panic(err)
				}
				say("taken %s\n", d.Source)
			}
		}()
	}
	for range s.Ready() {
		for _, e := range read(t, s, 5) {
			say("drained %s\n", e.Delivery.Source)
			done(t, s, e)
		}
	}
}

// TestKill kills a process that appends and drains, again and again. What it said
// to have taken must have been drained or be there.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken, drained := make(map[string]bool), make(map[string]bool)
	for round := range 10 {
		runAndKill(t, dir, round, taken, drained)
		s := open(t, dir, Options{})
		there := make(map[string]bool)
		for entries := read(t, s, 1<<20); len(entries) > 0; entries = nil {
			for _, e := range entries {
				there[e.Delivery.Source] = true
			}
		}
		for id := range taken {
			if !drained[id] && !there[id] {
				t.Fatalf("round %d: %s was taken and is lost", round, id)
			}
		}
		want(t, "damaged", s.Stats().Damaged, 0)
		shut(t, s)
	}
	t.Logf("%d taken, %d drained by the killed, none lost", len(taken), len(drained))
}

func runAndKill(t *testing.T, dir string, round int, taken, drained map[string]bool) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriter$")
	child.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprint(childRound, "=", round))
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	most := 50 + rand.IntN(1500)
	for n := 0; lines.Scan(); n++ {
		if n == most {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		switch what, id, _ := strings.Cut(lines.Text(), " "); what {
		case "taken":
			taken[id] = true
		case "drained":
			drained[id] = true
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the writer was not killed: %v", err)
	}
}
