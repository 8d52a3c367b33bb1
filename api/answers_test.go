package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

func TestRoutesAndMethods(t *testing.T) {
	t.Parallel()
	const both, post, get = "GET, POST", "POST", "GET"
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/hooks/didww", 200, ""},
		{"POST", "/hooks/didww/", 200, ""},
		{"POST", "//hooks///didww//", 200, ""},
		{"POST", "/hooks/didww/anything", 200, ""},
		{"POST", "/hooks/didww//dial-in/", 200, ""},
		{"POST", "/hooks/did%77w", 200, ""},
		{"POST", "/%68ooks/didww%2Fhint", 200, ""},
		{"POST", "/hooks/voipnow?event=hangup", 200, ""},
		{"GET", "/hooks/voipnow?CallID=1", 200, ""},
		{"GET", "/hooks/voipnow/hangup/?CallID=1", 200, ""},
		{"GET", "/hooks/didlogic?src=1&dst=2", 200, ""},
		{"GET", "/hooks/voipnow", 405, both},
		{"GET", "/hooks/voipnow?token=a&event=hangup&", 405, both},
		{"GET", "/hooks/didlogic/", 405, both},
		{"GET", "/hooks/didww?a=b", 405, post},
		{"GET", "/hooks/piopiy?a=b", 200, ""},
		{"GET", "/hooks/piopiy?token=a", 405, both},
		{"GET", "/hooks/wavix?a=b", 405, post},
		{"HEAD", "/hooks/voipnow?a=b", 405, both},
		{"PUT", "/hooks/didww", 405, post},
		{"DELETE", "/hooks/didww/x", 405, post},
		{"OPTIONS", "/hooks/didww", 405, post},
		{"PATCH", "/hooks/didlogic", 405, both},
		{"BREW", "/hooks/didlogic", 405, both},
		{"BREW", "/hooks/nobody", 404, ""},
		{"POST", "/hooks/nobody", 404, ""},
		{"GET", "/hooks/nobody", 404, ""},
		{"POST", "/hooks/DIDWW", 404, ""},
		{"POST", "/hooks/didww/a/b", 404, ""},
		{"POST", "/hooks/didww/../didww", 404, ""},
		{"POST", "/hooks", 404, ""},
		{"POST", "/hooks/", 404, ""},
		{"GET", "/", 404, ""},
		{"POST", "/elsewhere", 404, ""},
		{"GET", "/healthz", 200, ""},
		{"GET", "/healthz/", 200, ""},
		{"GET", "//readyz", 200, ""},
		{"GET", "/metrics", 200, ""},
		{"GET", "/openapi.yaml", 200, ""},
		{"POST", "/healthz", 405, get},
		{"OPTIONS", "/metrics", 405, get},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{})
			a := r.send(c.method, c.path, strings.NewReader("{}"))
			if a.status != c.status || a.header.Get("Allow") != c.allow {
				t.Fatalf("status %d, Allow %q", a.status, a.header.Get("Allow"))
			}
			if c.status != 200 && c.method != http.MethodHead {
				wantProblem(t, a, c.status)
			}
			if n := len(r.kept()); n != 0 && c.status != 200 {
				t.Errorf("%d deliveries", n)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
				"Content-Security-Policy": "default-src 'none'", "Server": "",
			} {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

func TestDeliveryIsWhatWasSent(t *testing.T) {
	t.Parallel()
	no := false
	at := time.Date(2026, 5, 13, 14, 45, 40, 123456789, time.FixedZone("", 7200))
	r := start(t, api.Options{
		Loopback: true, Now: func() time.Time { return at },
		Sources: []config.Source{{
			Name: "pbx", Provider: "voipnow", Aliases: []string{"old-pbx"},
			Settings: cdr.Settings{Country: "GB", AnswerEvents: &no},
		}},
	})
	wantTaken(t, r.post("/hooks/old-pbx/hangup/?b=%2A&a=1&token=s3cret&b=+&%74oken=s3cret&event=dial-in&c", "CallID=1",
		"Content-Type", "text/odd; x=y"))
	got := r.last()
	if string(got.Body) != "CallID=1" {
		t.Errorf("body %q", got.Body)
	}
	got.Body = nil
	want := cdr.Delivery{
		Source: "pbx", Provider: "voipnow", Settings: cdr.Settings{Country: "GB", AnswerEvents: &no},
		Hint: "hangup", Method: "POST", Query: "b=%2A&a=1&b=+&c", ContentType: "text/odd; x=y",
		ReceivedAt: time.Date(2026, 5, 13, 12, 45, 40, 123456000, time.UTC),
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/hooks/voipnow":                           "",
		"/hooks/voipnow/dial-in":                   "dial-in",
		"/hooks/voipnow?event=dial-out":            "dial-out",
		"/hooks/voipnow?x=1&event=%68angup":        "hangup",
		"/hooks/voipnow/answer-in?event=hangup":    "answer-in",
		"/hooks/voipnow?event=&event=hangup":       "hangup",
		"/hooks/voipnow/a%00b%FF":                  "ab\uFFFD",
		"/hooks/didww/dial-in":                     "",
		"/hooks/didlogic?event=hangup":             "",
		"/hooks/voipnow/hangup?event=%zz&CallID=1": "hangup",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{})
			wantTaken(t, r.post(path, "{}"))
			if got := r.last().Hint; got != want {
				t.Errorf("hint %q, want %q", got, want)
			}
		})
	}
}

func TestErrorsOfTheWriter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
	}{
		{ingest.ErrUnavailable, 503},
		{fmt.Errorf("spool: %w", ingest.ErrUnavailable), 503},
		{ingest.ErrBusy, 503},
		{ingest.ErrQuarantineFull, 503},
		{ingest.ErrClosed, 503},
		{context.DeadlineExceeded, 503},
		{errors.New("number 447700900123"), 500},
	} {
		r := start(t, api.Options{Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
			return ingest.Result{}, c.err
		}})
		a := r.post("/hooks/didww", "{}")
		wantProblem(t, a, c.status)
		if strings.Contains(a.body, "447700900123") {
			t.Errorf("%v: %s", c.err, a.body)
		}
		conn := dial(t, r.url)
		for range 2 { // the body was read: the connection goes on
			conn.say(head + "Content-Length: 2\n\n{}")
			wantProblem(t, conn.hear(), c.status)
		}
	}
}

func TestResultIsPassedOn(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Write: func(context.Context, cdr.Delivery) (ingest.Result, error) {
		return ingest.Result{
			Received: 10, Stored: 4, Duplicates: 3, Quarantined: 2, Spooled: 1,
			Errors: []ingest.RecordError{{Record: 7, Reason: "callid: missing"}},
		}, nil
	}})
	a := r.post("/hooks/didww", "{}")
	want := `{"received":10,"stored":4,"duplicates":3,"quarantined":2,"spooled":1,"errors":[{"record":7,"reason":"callid: missing"}]}`
	if a.status != 200 || strings.TrimSpace(a.body) != want {
		t.Errorf("got %d %s", a.status, a.body)
	}
	for _, want := range []string{
		`cdrstore_deliveries_total{outcome="taken",source="didww"} 1`,
		`cdrstore_records_total{outcome="stored",source="didww"} 4`,
		`cdrstore_records_total{outcome="duplicate",source="didww"} 3`,
		`cdrstore_records_total{outcome="quarantined",source="didww"} 2`,
		`cdrstore_records_total{outcome="spooled",source="didww"} 1`,
		`cdrstore_records_total{outcome="stored",source="wavix"} 0`,
		`cdrstore_request_duration_seconds_count{route="/hooks/:source",status="200"} 1`,
	} {
		if text := r.send("GET", "/metrics", nil).body; !strings.Contains(text, want) {
			t.Errorf("no metric %s", want)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	state := api.Readiness{Status: "ok"}
	r := start(t, api.Options{Ready: func(context.Context) api.Readiness { return state }})
	if a := r.send("GET", "/readyz", nil); a.status != 200 || strings.TrimSpace(a.body) != `{"status":"ok"}` {
		t.Errorf("got %+v", a)
	}
	state = api.Readiness{Status: "spooling", SpoolDeliveries: 2, SpoolBytes: 300}
	if a := r.send("GET", "/readyz", nil); a.status != 200 ||
		strings.TrimSpace(a.body) != `{"status":"spooling","spool_deliveries":2,"spool_bytes":300}` {
		t.Errorf("got %+v", a)
	}
	state = api.Readiness{Status: "unavailable"}
	wantProblem(t, r.send("GET", "/readyz", nil), 503)
	if a := r.send("GET", "/healthz", nil); a.status != 200 || strings.TrimSpace(a.body) != `{"status":"ok"}` {
		t.Errorf("got %+v", a)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, sources := range [][]config.Source{
		{{Name: "a", Provider: "nobody"}},
		{{Name: "a", Provider: "didww"}, {Name: "b", Provider: "didww", Aliases: []string{"a"}}},
	} {
		if _, err := api.New(api.Options{Sources: sources}); err == nil {
			t.Errorf("no error for %+v", sources)
		}
	}
}
