package cookbook

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// step is a block of commands of the billing run, and what the file says that it
// prints.
type step struct {
	commands, printed string
	from, to          int // where printed is in the file
}

var (
	commands = regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:\n```\n(.*?)```\n)?")
	address  = regexp.MustCompile(`takes deliveries at http://([^/]+)/hooks/SOURCE`)
	// Moments of the run itself, which the calls of 2025 do not have.
	moment = regexp.MustCompile(`20(2[6-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{64}\b`)
	blanks = regexp.MustCompile(` +`)
	tails  = regexp.MustCompile(`[ \r]+\n`)
)

func readSteps(t *testing.T, text string) (serve string, steps []step) {
	t.Helper()
	for _, m := range commands.FindAllStringSubmatchIndex(text, -1) {
		s := step{commands: text[m[2]:m[3]]}
		if m[4] >= 0 {
			s.printed, s.from, s.to = text[m[4]:m[5]], m[4], m[5]
			steps = append(steps, s)
		} else if serve == "" && strings.HasSuffix(s.commands, "\ncdrstore serve\n") {
			serve = s.commands
		} else {
			t.Errorf("the file does not say what these print:\n%s", s.commands)
		}
	}
	if serve == "" || len(steps) < 10 {
		t.Fatalf("%d steps, and the receiver is started by %q", len(steps), serve)
	}
	return serve, steps
}

func TestBilling(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the page sends CDRs with curl, and there is none:", err)
	}
	file := filepath.Join(docs(t), "billing.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	serve, steps := readSteps(t, text)
	r := newRun(t, serve)
	for i := range steps {
		got := r.script(steps[i].commands)
		if *update {
			if masked(got) != masked(steps[i].printed) {
				steps[i].printed = got
			}
		} else if masked(got) != masked(steps[i].printed) {
			t.Errorf("%s\nprints:\n%s\nthe file says:\n%s", steps[i].commands, got, steps[i].printed)
		}
	}
	if !*update || t.Failed() {
		return
	}
	for i := len(steps) - 1; i >= 0; i-- {
		text = text[:steps[i].from] + steps[i].printed + text[steps[i].to:]
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// masked is what is the same in every run. A moment has more or fewer digits, and
// so have tables more or fewer blanks.
func masked(printed string) string {
	return blanks.ReplaceAllString(moment.ReplaceAllString(printed, "MOMENT"), " ")
}

// run is a directory, a database and a receiver of the billing run's own.
type run struct {
	*testing.T
	dir    string
	env    []string
	listen string
}

// newRun builds the program and starts it as the file says. The server is of this
// test alone: the change feed waits for the transactions of all others.
func newRun(t *testing.T, serve string) *run {
	t.Helper()
	r := &run{T: t, dir: t.TempDir()}
	bin := filepath.Join(r.dir, "bin")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/cdrstore", "github.com/cdrstore/cdrstore/cmd/cdrstore")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	if err := os.Symlink(docs(t), filepath.Join(r.dir, "docs")); err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CDRSTORE_") && !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "PATH=") {
			r.env = append(r.env, v)
		}
	}
	r.env = append(r.env, "PATH="+bin+":"+os.Getenv("PATH"), "LC_ALL=C", "DATABASE_URL="+pgtest.Server(t).URL(postgres.Database))
	for line := range strings.Lines(serve) {
		if setting, is := strings.CutPrefix(line, "export "); is {
			r.env = append(r.env, strings.TrimSpace(setting))
		}
	}
	r.serve()
	return r
}

// serve starts the receiver on a port of the system's choice.
func (r *run) serve() {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), filepath.Join(r.dir, "bin", "cdrstore"), "serve")
	cmd.Dir, cmd.Env = r.dir, append(r.env, "CDRSTORE_LISTEN=127.0.0.1:0")
	cmd.Cancel = func() error { return nil } // the cleanup does
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	said, exited := make(chan string, 1), make(chan struct{})
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func() {
		defer close(exited)
		defer close(said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := address.FindStringSubmatch(lines.Text()); m != nil {
				said <- m[1]
			}
		}
		_ = cmd.Wait() // it is told to end
	}()
	r.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-exited
		if r.Failed() {
			r.Logf("the receiver's log:\n%s", &log)
		}
	})
	select {
	case r.listen = <-said:
	case <-time.After(30 * time.Second):
	}
	if _, _, err := net.SplitHostPort(r.listen); err != nil {
		r.Fatalf("the receiver does not start (%s)", runtime.GOOS)
	}
}

// script runs commands as a shell in the run's directory does, and returns all
// that they print.
func (r *run) script(commands string) string {
	r.Helper()
	commands = strings.ReplaceAll(commands, "127.0.0.1:8080", r.listen)
	cmd := exec.CommandContext(r.Context(), "sh", "-e", "-c", commands)
	cmd.Dir, cmd.Env = r.dir, append(r.env, "CDRSTORE_LISTEN="+r.listen)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return tails.ReplaceAllString(strings.TrimRight(string(out), "\n")+"\n", "\n")
}
