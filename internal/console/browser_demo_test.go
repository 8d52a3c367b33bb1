package console

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

// demo fills a database with simulated calls of every provider, and some pieces
// that cannot be read.
func demo(t *testing.T, calls int) (*pgxpool.Pool, *store.Store) {
	t.Helper()
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	received := time.Now().Add(-time.Hour).UTC()
	var sources []store.Source
	for _, name := range simulate.Providers() {
		sources = append(sources, store.Source{Name: name, Provider: name})
		for seed := range uint64(3) { // each lies on a day of its own
			for _, r := range requests(name, seed+1, calls/3) {
				received = received.Add(time.Second / 4)
				save(t, s, deliveryOf(t, name, r, received))
			}
		}
	}
	if err := s.Register(t.Context(), sources); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		save(t, s, cdr.Delivery{
			Source: "didlogic", Provider: "didlogic", Method: "POST", ContentType: "application/json", ReceivedAt: received.Add(time.Duration(i) * time.Second),
			Body: fmt.Appendf(nil, `{"event":"cdr","callid":%d,<script>alert("x")</script>`+"\u202e\x00\x1b[31m", i),
		})
	}
	return pool, s
}

// requests is what a provider sends about some calls. Only DIDWW's are told
// together.
func requests(provider string, seed uint64, calls int) []simulate.Request {
	if provider == "didww" {
		return simulate.Tell(provider, seed, 0, calls).Requests
	}
	var all []simulate.Request
	for n := range calls {
		all = append(all, simulate.Tell(provider, seed, n, 1).Requests...)
	}
	return all
}

// setAside puts a delivery into quarantine that can be read by now.
func setAside(t *testing.T, s *store.Store, callID, reason string) {
	t.Helper()
	d := cdr.Delivery{
		Source: "didlogic", Provider: "didlogic", Method: "POST", ContentType: "application/json", ReceivedAt: time.Now().UTC(),
		Body: []byte(`{"event":"cdr","callid":"` + callID + `","calldate":"2026-11-02T08:59:00Z","disposition":"ANSWERED","duration":9,"billsec":5,"src":"442079460100","dst":"33142685300"}`),
	}
	adapter, _ := provider.ByName(d.Provider)
	records := adapter.Read(d)
	records[0].SetAside(reason)
	if err := s.SaveAll(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func deliveryOf(t *testing.T, source string, r simulate.Request, at time.Time) cdr.Delivery {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.Method, r.Target, bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	d := cdr.Delivery{Source: source, Provider: source, Method: r.Method, Query: request.URL.RawQuery, ReceivedAt: at, Body: plainBody(t, r)}
	if rest, found := strings.CutPrefix(request.URL.Path, "/hooks/"+source+"/"); found {
		d.Hint = rest
	}
	d.ContentType = r.Header["Content-Type"]
	return d
}

func save(t *testing.T, s *store.Store, d cdr.Delivery) {
	t.Helper()
	adapter, ok := provider.ByName(d.Provider)
	if !ok {
		t.Fatalf("no provider %s", d.Provider)
	}
	if err := s.SaveAll(t.Context(), adapter.Read(d)); err != nil {
		t.Fatal(err)
	}
}

// plainBody inflates what the simulation compresses.
func plainBody(t *testing.T, r simulate.Request) []byte {
	t.Helper()
	if r.Header["Content-Encoding"] != "gzip" {
		return r.Body
	}
	z, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
