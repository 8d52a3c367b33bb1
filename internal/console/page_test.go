package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// noon is when the consoles of tests are looked at.
func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// newConsole returns a console on loopback with a database of its own.
func newConsole(t *testing.T, change func(*Options)) (*Console, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.Pool(t)
	o := Options{Pool: pool, Log: slog.New(slog.DiscardHandler), Loopback: true, Now: noon}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, pool
}

// page is an answer of a console.
type page struct {
	status int
	header http.Header
	body   string
}

// get asks for a page as a browser of this machine does. Headers are names and
// values in turn; Host is one of them.
func get(t *testing.T, h http.Handler, path string, headers ...string) page {
	t.Helper()
	return request(t, h, httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, nil), headers...)
}

func request(t *testing.T, h http.Handler, r *http.Request, headers ...string) page {
	t.Helper()
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{res.StatusCode, res.Header, string(body)}
}

// wantPage is a page that was found.
func wantPage(t *testing.T, p page) page {
	t.Helper()
	if p.status != http.StatusOK {
		t.Fatalf("status %d: %s", p.status, p.body)
	}
	return p
}

// aCall is a row of call for tests; empty texts are null.
type aCall struct {
	source, id, src, dst, srcE164, dstE164, disposition string
	at                                                  time.Time
	more                                                map[string]any // other columns
}

func insert(t *testing.T, pool *pgxpool.Pool, calls ...aCall) {
	t.Helper()
	for _, c := range calls {
		if c.source == "" {
			c.source = "acme"
		}
		state := "ended"
		if c.disposition == "" {
			state = "ringing"
		}
		columns := map[string]any{
			"source": c.source, "call_id": c.id, "provider": "didlogic", "state": state, "call_time": c.at, "clock": "provider",
			"legs": 0, "events": 1, "cdrs": 1, "version": 1, "first_received_at": c.at, "last_received_at": c.at, "changed_at": c.at,
		}
		for name, text := range map[string]string{"src": c.src, "dst": c.dst, "src_e164": c.srcE164, "dst_e164": c.dstE164, "disposition": c.disposition} {
			if text != "" {
				columns[name] = text
			}
		}
		for name, value := range c.more {
			columns[name] = value
		}
		var names, places []string
		var values []any
		for name, value := range columns {
			names, values = append(names, name), append(values, value)
			places = append(places, "$"+string(rune('0'+len(values)/10))+string(rune('0'+len(values)%10)))
		}
		_, err := pool.Exec(t.Context(), "INSERT INTO call ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")", values...)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func insertSource(t *testing.T, pool *pgxpool.Pool, name, country string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), "INSERT INTO source (name, provider, country) VALUES ($1, 'didlogic', nullif($2, ''))", name, country); err != nil {
		t.Fatal(err)
	}
}
