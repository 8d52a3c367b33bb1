package chaos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// receiver is a running `cdrstore serve`.
type receiver struct {
	cmd    *exec.Cmd
	url    string
	log    string // its file
	exited chan struct{}
}

// settings are the environment of a receiver, which it can be started again with.
type settings struct {
	database string
	dir      string
	more     []string
}

// environment is the test's own without what would set a receiver or libpq.
func (s settings) environment() []string {
	env := []string{"DATABASE_URL=" + s.database, "CDRSTORE_DATA_DIR=" + s.dir, "CDRSTORE_LISTEN=127.0.0.1:0"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CDRSTORE_") && !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return append(env, s.more...)
}

// start starts a receiver and returns when it takes deliveries. It is killed
// after the test.
func start(t *testing.T, s settings) *receiver {
	t.Helper()
	r := &receiver{log: filepath.Join(t.TempDir(), "log"), exited: make(chan struct{})}
	log, err := os.Create(r.log)
	if err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.CommandContext(t.Context(), os.Getenv(binaryVariable), "serve")
	r.cmd.Env, r.cmd.Stderr, r.cmd.SysProcAttr = s.environment(), log, endWithTests()
	r.cmd.Cancel = func() error { return nil } // the cleanup does
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	started := make(chan error)
	go func() {
		// The kernel ends the process with the thread that started it, so that
		// this one must stay.
		runtime.LockOSThread()
		defer close(r.exited)
		defer close(said)
		err := r.cmd.Start()
		started <- err
		if err == nil {
			r.listen(out, said)
			_ = r.cmd.Wait() // its state says how it ended
		}
		_ = log.Close()
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = r.cmd.Process.Signal(syscall.SIGQUIT) // says what it is doing
			<-r.exited
			t.Logf("%v; the end of the receiver's log:\n%s", r.cmd.ProcessState, r.logged(4000))
		}
		r.kill()
	})
	select {
	case r.url = <-said:
	case <-time.After(30 * time.Second):
	}
	if r.url == "" {
		t.Fatalf("the receiver does not start:\n%s", r.logged(40))
	}
	return r
}

var welcome = regexp.MustCompile(`takes deliveries at (http://[^/]+)/hooks/SOURCE`)

// listen hands over the address that the receiver says it has, and reads on.
func (r *receiver) listen(out io.Reader, said chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := welcome.FindStringSubmatch(lines.Text()); m != nil {
			said <- m[1]
		}
	}
}

// kill ends the process at once, as kill -9 does.
func (r *receiver) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.exited
}

// terminate asks the process to stop.
func (r *receiver) terminate(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wantExit waits until the process has ended by itself, with 0.
func (r *receiver) wantExit(t *testing.T) {
	t.Helper()
	select {
	case <-r.exited:
		if code := r.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	case <-time.After(30 * time.Second):
		t.Error("the receiver does not stop")
	}
}

// logged returns the last lines of the log.
func (r *receiver) logged(lines int) string {
	text, _ := os.ReadFile(r.log) // for people
	all := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

// readiness is what /readyz says.
type readiness struct {
	Code       int    `json:"-"`
	Status     string `json:"status"`
	Deliveries int    `json:"spool_deliveries"`
}

func (r *receiver) ready(t *testing.T) readiness {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return readiness{Status: err.Error()}
	}
	defer func() { _ = res.Body.Close() }()
	state := readiness{Code: res.StatusCode, Status: res.Status}
	if state.Code == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
			t.Errorf("/readyz: %v", err)
		}
	}
	return state
}

// drained waits until the database is used and nothing is left in the spool.
func (r *receiver) drained(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "drained, database in use", func() bool {
		s := r.ready(t)
		return s.Status == "ok" && s.Deliveries == 0
	})
}

// verify runs `cdrstore verify`.
func verify(t *testing.T, s settings) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv(binaryVariable), "verify")
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) || err != nil {
		t.Errorf("verify: %v", err)
	}
	t.Logf("verify: %s", bytes.TrimSpace(out))
}
