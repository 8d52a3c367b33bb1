package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
)

// The console takes every path but the receiver's own, as it was written.
func TestConsoleIsMounted(t *testing.T) {
	t.Parallel()
	sources := []config.Source{{Name: "acme", Provider: "didlogic"}}
	shown := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Security-Policy", "of the console")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.EscapedPath(), body)
	})
	with := start(t, api.Options{Sources: sources, Loopback: true, Console: shown})
	without := start(t, api.Options{Sources: sources, Loopback: true})
	for _, path := range []string{"/", "/calls?x=1", "/call/acme/a%2Fb//c%2F..", "/hooksy", "/metrics.json", "/assets/x"} {
		a := with.send("GET", path, nil)
		want, _, _ := strings.Cut(path, "?")
		if a.status != http.StatusTeapot || a.body != "GET "+want+" " || a.header.Get("Content-Security-Policy") != "of the console" {
			t.Errorf("%s: status %d, %q", path, a.status, a.body)
		}
		wantProblem(t, without.send("GET", path, nil), 404)
	}
	if a := with.post("/quarantine/replay", "form"); a.body != "POST /quarantine/replay form" {
		t.Errorf("a form: %q", a.body)
	}
	for _, path := range []string{"/healthz", "//healthz/", "/readyz", "/openapi.yaml", "/hooks/acme", "//hooks//nobody", "/hooks", "/metrics/x"} {
		a, b := with.send("GET", path, nil), without.send("GET", path, nil)
		if a.status != b.status || a.body != b.body || a.header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("%s is not as without a console: %d, %d", path, a.status, b.status)
		}
	}
	wantTaken(t, with.post("/hooks/acme", "{}"))
	if m := with.send("GET", "/metrics", nil).body; !strings.Contains(m, `cdrstore_request_duration_seconds_count{route="console",status="418"} 7`) {
		t.Errorf("metrics: %s", m)
	}
	counts := with.server.Counts()
	if len(counts) != 1 || counts[0].Source != "acme" || counts[0].Deliveries != 1 || counts[0].Stored != 1 || counts[0].LastReceipt.IsZero() {
		t.Errorf("counts %+v", counts)
	}
}
