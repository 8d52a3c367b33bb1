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

func (r receiver) exec(t *testing.T, sql string) {
	t.Helper()
	tag, err := r.pool.Exec(t.Context(), sql)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v, %v", sql, tag, err)
	}
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

// TestFinds spoils rows, and wants them named.
func TestFinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ spoil, id, column string }{
		"cost": {`UPDATE call SET cost = cost + 0.01 WHERE (source, call_id) = (SELECT source, call_id FROM call WHERE cost > 0 ORDER BY call_id LIMIT 1)`,
			`SELECT call_id FROM call WHERE cost > 0 ORDER BY call_id LIMIT 1`, "cost"},
		"parties": {`UPDATE call SET src = dst, dst = src WHERE source = 'piopiy' AND call_id = (SELECT min(call_id) FROM call WHERE source = 'piopiy')`,
			`SELECT min(call_id) FROM call WHERE source = 'piopiy'`, "src, dst"},
		"disposition": {`UPDATE call SET disposition = 'failed' WHERE call_id = (SELECT min(call_id) FROM call WHERE source = 'voipnow' AND disposition = 'answered')`,
			`SELECT min(call_id) FROM call WHERE source = 'voipnow' AND disposition = 'failed'`, "disposition"},
		"answer": {`UPDATE call SET answered_at = answered_at + interval '1 second' WHERE source = 'wavix' AND call_id = (SELECT min(call_id) FROM call WHERE source = 'wavix' AND disposition = 'answered')`,
			`SELECT min(call_id) FROM call WHERE source = 'wavix' AND disposition = 'answered'`, "answered_at"},
		"event gone": {`DELETE FROM event WHERE ctid = (SELECT ctid FROM event WHERE source = 'didww' ORDER BY call_id LIMIT 1)`,
			`SELECT min(call_id) FROM call WHERE source = 'didww'`, "event"},
		"recording gone": {`DELETE FROM recording WHERE ctid = (SELECT ctid FROM recording ORDER BY call_id LIMIT 1)`,
			`SELECT ''`, "recording"},
		"message gone":    {`DELETE FROM message WHERE ctid = (SELECT ctid FROM message LIMIT 1)`, `SELECT ''`, "message"},
		"quarantine gone": {`DELETE FROM quarantine WHERE ctid = (SELECT ctid FROM quarantine LIMIT 1)`, `SELECT ''`, "quarantine"},
		"call of a stream": {`INSERT INTO call SELECT (jsonb_populate_record(c, jsonb_build_object('call_id',
				(SELECT min(call_id) FROM event WHERE kind = 'stream')))).* FROM call c WHERE source = 'piopiy' LIMIT 1`,
			`SELECT min(call_id) FROM event WHERE kind = 'stream'`, "row"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, "")
			var out bytes.Buffer
			o := r.options(&out)
			o.Calls = 150
			if _, err := simulate.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			r.exec(t, test.spoil)
			var id string
			if err := r.pool.QueryRow(t.Context(), test.id).Scan(&id); err != nil {
				t.Fatal(err)
			}
			report, err := simulate.Recheck(t.Context(), o)
			if err == nil || report.Wrong != 1 || !strings.Contains(err.Error(), id) || !strings.Contains(err.Error(), "("+test.column+": ") {
				t.Errorf("found %v, want %s of %s", err, test.column, id)
			}
			if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); err != nil && lines[len(lines)-1] != err.Error() {
				t.Errorf("the last line is %s", lines[len(lines)-1])
			}
		})
	}
}

// TestFindsCall: a call whose rows are gone is named.
func TestFindsCall(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, "")
	o := r.options(io.Discard)
	o.Calls = 50
	if _, err := simulate.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var id string
	if err := r.pool.QueryRow(t.Context(), `DELETE FROM call WHERE call_id = (SELECT max(call_id) FROM call WHERE source = 'didlogic') RETURNING call_id`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := simulate.Recheck(t.Context(), o); err == nil || !strings.Contains(err.Error(), id+" (row: row is missing)") {
		t.Errorf("%v, want %s", err, id)
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
