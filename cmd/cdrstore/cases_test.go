package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/store/storetest"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// receiver is a whole receiver on a database of its own.
type receiver struct {
	url   string
	pool  *pgxpool.Pool
	store *store.Store
}

func start(t *testing.T, settings map[string]cdr.Settings) receiver {
	t.Helper()
	cfg, err := config.Load(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	for i := range cfg.Sources {
		cfg.Sources[i].Settings = settings[cfg.Sources[i].Name]
	}
	log := slog.New(slog.DiscardHandler)
	pool := pgtest.Pool(t)
	s := store.New(pool, log)
	if err := s.Register(t.Context(), registered(cfg)); err != nil {
		t.Fatal(err)
	}
	w := ingest.NewWriter(s, log, ingest.Options{})
	t.Cleanup(w.Close)
	server, err := newServer(cfg, s, w, nil, pool, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return receiver{ts.URL, pool, s}
}

// send plays one delivery of a case and returns what the receiver says.
func (r receiver) send(t *testing.T, d testcase.Delivery) ingest.Result {
	t.Helper()
	body := d.Body
	if d.Header.Get("Content-Encoding") == "gzip" {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		if _, err := z.Write(body); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		body = append(zipped.Bytes(), '\n') // as some senders end it
	}
	req, err := http.NewRequestWithContext(t.Context(), d.Method, r.url+d.Target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = d.Header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s: %s (%v)", d.Method, d.Target, resp.Status, text, err)
	}
	var result ingest.Result
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if result.Received != result.Stored+result.Duplicates+result.Quarantined+result.Spooled {
		t.Errorf("%s: the numbers of %+v do not add up", d.Name, result)
	}
	return result
}

// TestCases plays every case over HTTP, each delivery four times.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range testcase.Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			r := start(t, map[string]cdr.Settings{c.Provider: c.Settings})
			for _, d := range c.Deliveries {
				first := r.send(t, d)
				for range 3 {
					again := r.send(t, d)
					if again.Stored != 0 || again.Quarantined != first.Quarantined || again.Received != first.Received {
						t.Errorf("%s: first %+v, again %+v", d.Name, first, again)
					}
				}
			}
			compare(t, c.Want(t), storetest.Rows(t, r.pool, c.Provider, c.Provider))
		})
	}
}

// compare leaves out what depends on when the receiver got a delivery.
func compare(t *testing.T, want, got testcase.Rows) {
	t.Helper()
	if len(got.Calls) != len(want.Calls) || len(got.Events) != len(want.Events) || len(got.Recordings) != len(want.Recordings) ||
		len(got.Messages) != len(want.Messages) || len(got.Quarantine) != len(want.Quarantine) {
		t.Fatalf("%d calls, %d events, %d recordings, %d messages, %d quarantined; want %d, %d, %d, %d, %d",
			len(got.Calls), len(got.Events), len(got.Recordings), len(got.Messages), len(got.Quarantine),
			len(want.Calls), len(want.Events), len(want.Recordings), len(want.Messages), len(want.Quarantine))
	}
	for i := range want.Calls {
		for _, column := range want.Calls[i].Diff(&got.Calls[i]) {
			receipt := strings.HasSuffix(column, "received_at") || want.Calls[i].Clock == cdr.ClockReceiver &&
				slices.Contains([]string{"call_time", "started_at", "ringing_at", "answered_at", "ended_at", "duration", "billsec"}, column)
			if !receipt {
				t.Errorf("call %s: %s differs:\n got: %+v\nwant: %+v", want.Calls[i].CallID, column, got.Calls[i], want.Calls[i])
			}
		}
	}
	for i := range want.Events {
		if g, w := got.Events[i], want.Events[i]; g.CallID != w.CallID || g.Deliveries != 4*w.Deliveries || g.Kind != w.Kind {
			t.Errorf("event %d: got %+v, want %+v with 4 times the deliveries", i, g, w)
		}
	}
	for i := range want.Quarantine {
		if got.Quarantine[i].Body != want.Quarantine[i].Body || got.Quarantine[i].Deliveries != 4*want.Quarantine[i].Deliveries {
			t.Errorf("quarantine %d: got %+v, want %+v with 4 times the deliveries", i, got.Quarantine[i], want.Quarantine[i])
		}
	}
}
