package cookbook

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/rate"
	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

// The demo: hundred calls on each of three days, of which the second has 25
// hours in London.
const (
	firstSeed = 297 // 25 October 2025
	days      = 3
	perDay    = 100
)

// demo is a database with the demo data.
type demo struct {
	*testing.T
	pool    *pgxpool.Pool
	store   *store.Store
	sources map[string]config.Source
}

// docs is the folder of the documents.
func docs(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// newDemo loads all that docs/cookbook.md says of its data, in its order.
func newDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{T: t, pool: pgtest.Pool(t), sources: map[string]config.Source{}}
	d.store = store.New(d.pool, slog.New(slog.DiscardHandler))
	d.register()
	for day := range uint64(days) {
		d.play(firstSeed + day)
	}
	d.deliver("didww", time.Date(2025, 10, 27, 9, 0, 0, 0, time.UTC), "burst.ndjson")
	d.price()
	d.close("2025-10")
	d.deliver("didww", time.Date(2025, 11, 4, 9, 0, 0, 0, time.UTC), "late.ndjson")
	d.close("2025-11")
	d.deliver("wavix", time.Date(2025, 9, 30, 12, 0, 0, 0, time.UTC), "forwarded.ndjson")
	d.do("ANALYZE")
	return d
}

// register notes the sources of docs/demo/sources.yaml.
func (d *demo) register() {
	d.Helper()
	env := map[string]string{"CDRSTORE_CONFIG": filepath.Join(docs(d), "demo", "sources.yaml")}
	cfg, err := config.Load(func(name string) (string, bool) { value, set := env[name]; return value, set })
	if err != nil {
		d.Fatal(err)
	}
	var all []store.Source
	for _, s := range cfg.Sources {
		d.sources[s.Name] = s
		all = append(all, store.Source{Name: s.Name, Provider: s.Provider, Settings: s.Settings})
	}
	if err := d.store.Register(d.Context(), all); err != nil {
		d.Fatal(err)
	}
}

// play saves a day of simulated traffic, each delivery received when it is sent.
func (d *demo) play(seed uint64) {
	d.Helper()
	var records []cdr.Record
	for r := range simulate.Replay(seed, perDay) {
		records = append(records, d.read(r)...)
	}
	d.save(records)
}

// deliver saves a file of docs/demo as one delivery of a source.
func (d *demo) deliver(source string, at time.Time, name string) {
	d.Helper()
	body, err := os.ReadFile(filepath.Join(docs(d), "demo", name))
	if err != nil {
		d.Fatal(err)
	}
	d.save(d.read(simulate.Request{At: at, Method: "POST", Target: "/hooks/" + source, Body: body}))
}

// read decodes a request as the receiver does.
func (d *demo) read(r simulate.Request) []cdr.Record {
	d.Helper()
	path, query, _ := strings.Cut(r.Target, "?")
	name, hint, _ := strings.Cut(strings.TrimPrefix(path, "/hooks/"), "/")
	source, known := d.sources[name]
	adapter, found := provider.ByName(source.Provider)
	if !known || !found {
		d.Fatalf("no source for %s", r.Target)
	}
	if adapter.Hints && hint == "" {
		hint, query = hintOf(query)
	}
	body := r.Body
	if r.Header["Content-Encoding"] == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			d.Fatal(err)
		}
		if body, err = io.ReadAll(z); err != nil {
			d.Fatal(err)
		}
	}
	return adapter.Read(cdr.Delivery{
		Source: name, Provider: source.Provider, Settings: source.Settings, Hint: hint, Method: r.Method, Query: query,
		ContentType: r.Header["Content-Type"], ContentEncoding: r.Header["Content-Encoding"], Body: body, ReceivedAt: r.At,
	})
}

// hintOf takes event off a query, as the receiver does.
func hintOf(query string) (hint, rest string) {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if value, is := strings.CutPrefix(pair, "event="); is {
			hint, _ = url.QueryUnescape(value) // a plain word
			continue
		}
		kept = append(kept, pair)
	}
	return hint, strings.Join(kept, "&")
}

func (d *demo) save(records []cdr.Record) {
	d.Helper()
	const batch = 500
	for len(records) > 0 {
		n := min(batch, len(records))
		if _, err := d.store.Save(d.Context(), records[:n]); err != nil {
			d.Fatal(err)
		}
		records = records[n:]
	}
}

// price imports the price lists and says which calls they price.
func (d *demo) price() {
	d.Helper()
	for _, deck := range []string{"retail-eur", "retail-usd"} {
		file, err := os.Open(filepath.Join(docs(d), "demo", deck+".csv"))
		if err != nil {
			d.Fatal(err)
		}
		_, err = rate.Import(d.Context(), d.pool, file, rate.Options{Deck: deck}, func(int) {})
		_ = file.Close() // it was only read
		if err != nil {
			d.Fatalf("%s: %v", deck, err)
		}
	}
	for source, deck := range map[string]string{"didww": "retail-eur", "wavix": "retail-usd"} {
		calls := rate.Calls{Source: source, Direction: "outbound"}
		if _, _, err := rate.SetTariff(d.Context(), d.pool, rate.Tariff{Calls: calls, Deck: deck}); err != nil {
			d.Fatal(err)
		}
	}
}

// close closes a month in London, on both sides.
func (d *demo) close(month string) {
	d.Helper()
	for _, side := range []string{period.Cost, period.Price} {
		if _, err := period.Close(d.Context(), d.pool, period.Closing{Side: side, Name: month, Zone: "Europe/London"}); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *demo) do(sql string) {
	d.Helper()
	if _, err := d.pool.Exec(context.WithoutCancel(d.Context()), sql); err != nil {
		d.Fatalf("%s: %v", sql, err)
	}
}
