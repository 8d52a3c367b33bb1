package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// target is a server under load, a process of its own.
type target struct {
	name     string
	address  string
	database string // its URL
	cmd      *exec.Cmd
	exited   chan struct{}
}

// started is what servers print when they take deliveries.
var started = regexp.MustCompile(`takes deliveries at http://([^/]+)/hooks/`)

// start runs a program until it says its address. Its log is a file in dir.
func start(ctx context.Context, dir, name, database, program string, arguments ...string) (*target, error) {
	t := &target{name: name, database: database, exited: make(chan struct{})}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	t.cmd = exec.CommandContext(ctx, program, arguments...)
	t.cmd.Env = environment("DATABASE_URL="+database, "CDRSTORE_LISTEN=127.0.0.1:0", "CDRSTORE_DATA_DIR="+filepath.Join(dir, name))
	t.cmd.Stderr = log
	out, err := t.cmd.StdoutPipe()
	if err == nil {
		err = t.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	said := make(chan string, 1)
	go func() {
		listen(out, said)
		_ = t.cmd.Wait() // its state says how it ended
		_ = log.Close()
		close(t.exited)
	}()
	select {
	case t.address = <-said:
	case <-time.After(patience):
	}
	if t.address == "" {
		t.stop()
		text, _ := os.ReadFile(log.Name()) // best effort, for the message
		return nil, fmt.Errorf("%s does not start:\n%s", name, text)
	}
	return t, nil
}

// environment is our own, without what sets a receiver or libpq.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CDRSTORE_") && !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}

// listen hands over the address when it is said, and reads on.
func listen(out io.Reader, said chan<- string) {
	defer close(said)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			said <- m[1]
		}
	}
}

func (t *target) pid() int { return t.cmd.Process.Pid }

// stop ends the process and waits for its end.
func (t *target) stop() {
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-t.exited:
	case <-time.After(30 * time.Second):
		_ = t.cmd.Process.Kill()
		<-t.exited
	}
}
