package byhand_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/bench/byhand"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestCasesTwice sends every delivery of every case, and then all of them again.
func TestCasesTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sent, want := allCases(t)
	for round := range 2 {
		for _, d := range sent {
			a := r.send(t, d)
			if round == 1 && a.Stored > 0 {
				t.Errorf("%s: %s was stored twice: %+v", d.Target, d.Body, a)
			}
		}
	}
	want.compare(t, r.pool, 2)
}

// TestCasesAtOnce sends them from several senders at once, each in an order of
// its own.
func TestCasesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sent, want := allCases(t)
	const senders = 4
	var wg sync.WaitGroup
	for seed := range uint64(senders) {
		wg.Go(func() {
			for _, i := range rand.New(rand.NewPCG(seed, seed)).Perm(len(sent)) {
				r.send(t, sent[i])
			}
		})
	}
	wg.Wait()
	want.compare(t, r.pool, senders)
}

// TestBatchesAtOnce sends bodies with the same records in opposite orders, of
// which some are in a body twice.
func TestBatchesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	forth := []string{}
	for i := range 60 {
		forth = append(forth, fmt.Sprintf(`{"uuid":"batch-%d","date":"2026-11-02T09:00:00Z","from":"12025550143","to":"442079460123","duration":%d,"disposition":"answered"}`, i/3, i%3/2))
	}
	back := slices.Clone(forth)
	slices.Reverse(back)
	var sent []testcase.Delivery
	want := newCounts()
	for _, lines := range [][]string{forth, back} {
		d := testcase.Delivery{Method: http.MethodPost, Target: "/hooks/wavix", Body: []byte(strings.Join(lines, "\n"))}
		sent = append(sent, d)
		want.add(t, cdr.Delivery{Source: "wavix", Provider: "wavix", Method: d.Method, Body: d.Body, ReceivedAt: testcase.Start()})
	}
	if len(want.calls) != 20 {
		t.Fatalf("the bodies make %d calls", len(want.calls))
	}
	const senders = 2
	var stored atomic.Int64
	var wg sync.WaitGroup
	for range senders {
		for _, d := range sent {
			wg.Go(func() { stored.Add(int64(r.send(t, d).Stored)) })
		}
	}
	wg.Wait()
	if stored.Load() != int64(len(want.events)) {
		t.Errorf("%d records were new, want %d", stored.Load(), len(want.events))
	}
	want.compare(t, r.pool, senders)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct {
		name, method, target, body string
		want                       int
	}{
		{"unknown source", "POST", "/hooks/nobody", "{}", http.StatusNotFound},
		{"GET of a provider that has none", "GET", "/hooks/didww?a=1", "", http.StatusMethodNotAllowed},
		{"GET without parameters", "GET", "/hooks/didlogic", "", http.StatusMethodNotAllowed},
		{"too large", "POST", "/hooks/didww", strings.Repeat(" ", 16<<20+1), http.StatusRequestEntityTooLarge},
		{"said to be gzip, kept as it is", "POST", "/hooks/didww", "\x1F\x8Bno", http.StatusOK},
	} {
		req := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		if strings.HasPrefix(c.body, "\x1F\x8B") {
			req.Header.Set("Content-Encoding", "gzip")
		}
		rec := httptest.NewRecorder()
		r.handler.ServeHTTP(rec, req)
		if rec.Code != c.want {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}

type rig struct {
	pool    *pgxpool.Pool
	handler http.Handler
}

// newRig returns a handler that may log nothing, neither a failure nor a
// deadlock.
func newRig(t *testing.T) rig {
	pool, err := byhand.Pool(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	t.Cleanup(func() {
		pool.Close()
		if logged.Len() > 0 {
			t.Errorf("logged: %s", logged.String())
		}
	})
	return rig{pool, byhand.Handler(pool, slog.New(slog.NewTextHandler(&logged, nil)))}
}

type answer struct{ Received, Stored, Duplicates, Quarantined, Spooled int }

func (r rig) send(t *testing.T, d testcase.Delivery) (a answer) {
	t.Helper()
	var body io.Reader = bytes.NewReader(d.Body)
	if d.Header.Get("Content-Encoding") == "gzip" {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write(d.Body)
		_ = z.Close()
		body = &zipped
	}
	req := httptest.NewRequest(d.Method, d.Target, body)
	req.Header = d.Header
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	err := json.Unmarshal(rec.Body.Bytes(), &a)
	if rec.Code != http.StatusOK || err != nil || a.Received != a.Stored+a.Duplicates+a.Quarantined {
		t.Errorf("%s %s: %d %s", d.Method, d.Target, rec.Code, rec.Body)
	}
	return a
}

// counts is what the tables hold once everything came once.
type counts struct {
	events map[string]int // deliveries
	calls  map[string]int // events with facts
	others map[string]int // deliveries, by table
}

func newCounts() counts { return counts{map[string]int{}, map[string]int{}, map[string]int{}} }

func allCases(t *testing.T) (sent []testcase.Delivery, want counts) {
	t.Helper()
	want = newCounts()
	for _, c := range testcase.Load(t) {
		c.Settings = cdr.Settings{} // the handler has the default sources only
		for i := range c.Deliveries {
			sent = append(sent, c.Deliveries[i])
			want.add(t, c.Delivery(i))
		}
	}
	return sent, want
}

func (w counts) add(t *testing.T, d cdr.Delivery) {
	t.Helper()
	adapter, ok := provider.ByName(d.Provider)
	if !ok {
		t.Fatalf("no adapter %q", d.Provider)
	}
	for _, r := range adapter.Read(d) {
		for _, e := range r.Events {
			call := e.Source + " " + e.CallID
			event := fmt.Sprintf("%s %x", call, e.ID)
			if w.events[event]++; w.events[event] == 1 && e.Facts != nil {
				w.calls[call]++
			}
		}
		w.others["recording"] += len(r.Recordings)
		w.others["message"] += len(r.Messages)
		if r.Reject != nil {
			w.others["quarantine"]++
		}
	}
}

// compare expects what comes when everything was sent so many times.
func (w counts) compare(t *testing.T, pool *pgxpool.Pool, times int) {
	t.Helper()
	for _, c := range []struct {
		table, sql string
		want       map[string]int
		times      int
	}{
		{"event", `SELECT source || ' ' || call_id || ' ' || replace(event_id::text, '-', ''), deliveries FROM event`, w.events, times},
		{"call", `SELECT source || ' ' || call_id, events FROM call WHERE version = events`, w.calls, 1},
		{"others", `
			SELECT 'recording', sum(deliveries)::int FROM recording HAVING count(*) > 0
			UNION ALL SELECT 'message', sum(deliveries)::int FROM message HAVING count(*) > 0
			UNION ALL SELECT 'quarantine', sum(deliveries)::int FROM quarantine HAVING count(*) > 0`, w.others, times},
	} {
		want := map[string]int{}
		for key, n := range c.want {
			if n > 0 {
				want[key] = n * c.times
			}
		}
		if got := read(t, pool, c.sql); !maps.Equal(got, want) {
			t.Errorf("%s:\n got: %v\nwant: %v", c.table, got, want)
		}
	}
}

func read(t *testing.T, pool *pgxpool.Pool, sql string) map[string]int {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var key string
		var n int
		if err := rows.Scan(&key, &n); err != nil {
			t.Fatal(err)
		}
		got[key] = n
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return got
}
