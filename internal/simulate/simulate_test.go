package simulate_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// receiver is a real one, on a port of its own.
type receiver struct {
	pool  *pgxpool.Pool
	store *store.Store
	url   string
}

func newReceiver(t *testing.T, token string) receiver {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	pool := pgtest.Pool(t)
	s := store.New(pool, log)
	w := ingest.NewWriter(s, log, ingest.Options{})
	t.Cleanup(w.Close)
	var sources []config.Source
	for _, a := range provider.All() {
		src := config.Source{Name: a.Name, Provider: a.Name}
		if token != "" {
			src.Tokens = []string{token}
		}
		sources = append(sources, src)
	}
	server, err := api.New(api.Options{Sources: sources, Loopback: true, Write: w.Write, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return receiver{pool, s, "http://" + listener.Addr().String()}
}

func (r receiver) options(out io.Writer) simulate.Options {
	return simulate.Options{URL: r.url, Store: r.store, Calls: 300, Seed: 7, Out: out}
}

// TestRun: 60 calls of each provider come out as they should, and again with
// nothing but duplicates, whatever the number of connections.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 1<<64 - 1} {
		r := newReceiver(t, "")
		var out bytes.Buffer
		o := r.options(&out)
		o.Seed = seed
		first, err := simulate.Run(t.Context(), o)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, out.String())
		}
		if first.Calls != 300 || first.Said.Stored == 0 || first.Said.Duplicates == 0 || first.Said.Quarantined == 0 {
			t.Errorf("seed %d: %+v", seed, first.Said)
		}
		o.Connections = 1
		again, err := simulate.Run(t.Context(), o)
		if err != nil || again.Said.Stored != 0 || again.Said.Quarantined != first.Said.Quarantined || again.Said.Received != first.Said.Received {
			t.Errorf("seed %d again: %+v after %+v: %v", seed, again.Said, first.Said, err)
		}
		differences := 0
		if _, err := r.store.Verify(t.Context(), func(store.Difference) { differences++ }, func(int) {}); err != nil || differences > 0 {
			t.Errorf("seed %d: %d differences, %v", seed, differences, err)
		}
	}
}

// TestGrows: a longer run of the same seed continues a shorter one, another seed
// stands beside it, and a shorter one finds its calls among the longer one's.
func TestGrows(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	for _, run := range []struct {
		calls     int
		seed      uint64
		providers []string
	}{{41, 7, nil}, {120, 7, nil}, {60, 8, nil}, {30, 7, []string{"wavix", "didww"}}, {40, 7, nil}} {
		o := r.options(io.Discard)
		o.Calls, o.Seed, o.Providers = run.calls, run.seed, run.providers
		if _, err := simulate.Run(t.Context(), o); err != nil {
			t.Errorf("%+v: %v", run, err)
		}
	}
}

// TestFinds spoils rows, each of another call, and wants all of them named.
func TestFinds(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	var out bytes.Buffer
	o := r.options(&out)
	o.Calls = 150
	if _, err := simulate.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	spoils := []struct{ column, chosen, spoil string }{
		{"cost", `SELECT min(call_id) FROM call WHERE source = 'didww' AND cost > 0`, `UPDATE call SET cost = cost + 0.01 WHERE source = 'didww' AND call_id = $1`},
		{"src, dst", `SELECT min(call_id) FROM call WHERE source = 'piopiy'`, `UPDATE call SET src = dst, dst = src WHERE source = 'piopiy' AND call_id = $1`},
		{"disposition", `SELECT min(call_id) FROM call WHERE source = 'voipnow' AND disposition = 'answered'`, `UPDATE call SET disposition = 'failed' WHERE source = 'voipnow' AND call_id = $1`},
		{"answered_at", `SELECT min(call_id) FROM call WHERE source = 'wavix' AND answered_at IS NOT NULL`, `UPDATE call SET answered_at = answered_at + interval '1 second' WHERE source = 'wavix' AND call_id = $1`},
		{"row", `SELECT max(call_id) FROM call WHERE source = 'didlogic'`, `DELETE FROM call WHERE source = 'didlogic' AND call_id = $1`},
		{"event", `SELECT max(call_id) FROM event WHERE source = 'didww'`, `DELETE FROM event WHERE (source, call_id, event_id) = (SELECT source, call_id, event_id FROM event WHERE source = 'didww' AND call_id = $1 LIMIT 1)`},
		{"recording", `SELECT min(call_id) FROM recording`, `DELETE FROM recording WHERE (call_id, recording_id) = (SELECT call_id, recording_id FROM recording WHERE call_id = $1 LIMIT 1)`},
		{"row", `SELECT max(call_id) FROM event WHERE kind = 'stream'`, `INSERT INTO call SELECT (jsonb_populate_record(c, jsonb_build_object('call_id', $1::text))).* FROM call c WHERE source = 'piopiy' LIMIT 1`},
		{"message", `SELECT min(message_id) FROM message WHERE source = 'wavix'`, `DELETE FROM message WHERE message_id = $1`},
		{"quarantine", `SELECT min(quarantine_id::text) FROM quarantine`, `DELETE FROM quarantine WHERE quarantine_id::text = $1`},
	}
	var want []string
	for _, s := range spoils {
		var id string
		if err := r.pool.QueryRow(t.Context(), s.chosen).Scan(&id); err != nil {
			t.Fatalf("%s: %v", s.chosen, err)
		}
		if tag, err := r.pool.Exec(t.Context(), s.spoil, id); err != nil || tag.RowsAffected() != 1 {
			t.Fatalf("%s: %v, %v", s.spoil, tag, err)
		}
		if s.column == "message" || s.column == "quarantine" {
			id = "" // has no call
		}
		want = append(want, strings.TrimSpace(id+" ("+s.column+": "))
	}
	report, err := simulate.Recheck(t.Context(), o)
	if err == nil || report.Wrong != len(want) {
		t.Fatalf("found %d of %d: %v", report.Wrong, len(want), err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in %v", w, err)
		}
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); lines[len(lines)-1] != err.Error() {
		t.Errorf("the last line is %s", lines[len(lines)-1])
	}
}

// TestOthers: beside calls that nobody simulated nothing is sent without Force.
func TestOthers(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	post(t, r.url+"/hooks/didlogic", `{"event":"cdr","callid":"a1b2c3","calldate":"2026-05-13T12:45:40Z","disposition":"ANSWERED"}`)
	o := r.options(io.Discard)
	o.Calls = 10
	report, err := simulate.Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "a1b2c3") || len(report.Sent) > 0 {
		t.Errorf("%v, sent %v", err, report.Sent)
	}
	o.Force = true
	if _, err := simulate.Run(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func post(t *testing.T, url, body string) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	_ = res.Body.Close()
}

func TestToken(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "secret")
	o := r.options(io.Discard)
	o.Calls = 20
	for token, want := range map[string]string{"": "CDRSTORE_TOKEN", "wrong": "not the one"} {
		o.Token = token
		if _, err := simulate.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	o.Token = "secret"
	if _, err := simulate.Run(t.Context(), o); err != nil {
		t.Error(err)
	}
}

// TestRefuses lists what does not start.
func TestRefuses(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		options simulate.Options
		want    string
	}{
		"nobody there":   {simulate.Options{URL: gone}, "no receiver answers at " + gone + "; start it in another terminal with `make run`"},
		"not here":       {simulate.Options{URL: "http://example.com:8080"}, "not on this machine"},
		"no address":     {simulate.Options{URL: "http://10.0.0.1:8080"}, "not on this machine"},
		"no URL":         {simulate.Options{URL: "127.0.0.1:8080"}, "not the URL"},
		"too many":       {simulate.Options{Calls: simulate.MaxCalls + 1}, "calls"},
		"too few":        {simulate.Options{Calls: -1}, "calls"},
		"backwards":      {simulate.Options{Rate: -1}, "rate"},
		"no connections": {simulate.Options{Connections: -1}, "connections"},
		"no provider":    {simulate.Options{Providers: []string{"acme"}}, "known are didww, "},
		"twice":          {simulate.Options{Providers: []string{"wavix", "wavix"}}, "named twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.Out = io.Discard
			if _, err := simulate.Run(t.Context(), test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// stopper ends a run when the first progress is printed.
type stopper struct {
	bytes.Buffer
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	s.stop()
	return s.Buffer.Write(p)
}

// TestInterrupt: the end of the context ends the run, which says what was sent;
// a later run makes up for the rest.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	ctx, stop := context.WithCancel(t.Context())
	out := &stopper{stop: stop}
	report, err := simulate.Run(ctx, r.options(out))
	if err == nil || !strings.Contains(err.Error(), "interrupted") || report.Said.Received == 0 || !strings.Contains(out.String(), "What was sent") {
		t.Errorf("%v: %s", err, out.String())
	}
	if _, err := simulate.Run(t.Context(), r.options(io.Discard)); err != nil {
		t.Error(err)
	}
}
