package api_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// Neither secrets nor numbers nor what strangers write get into log, metrics or
// deliveries.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Sources: []config.Source{
		{Name: "acme", Provider: "voipnow", Tokens: []string{"s3cret"}},
		{Name: "full", Provider: "didww", BasicAuth: config.BasicAuth{Username: "acme", Passwords: []string{"s3cret"}},
			Headers: map[string][]string{"X-A": {"s3cret"}}},
	}})
	wantTaken(t, r.post("/hooks/acme/hangup?token=s3cret&x=447700900123", "447700900123"))
	wantTaken(t, r.send("GET", "/hooks/acme?CallID=447700900123&token=s3cret", nil, "Authorization", "Bearer s3cret"))
	wantTaken(t, r.post("/hooks/full?token=s3cret", "447700900123", "X-A", "s3cret", "Authorization", basic("acme", "s3cret")))
	wantProblem(t, r.post("/hooks/acme?token=xs3cretx", "447700900123"), 401)
	wantProblem(t, r.send("GET", "/hooks/full?s3cret=447700900123&token=s3cret", nil), 405)
	wantProblem(t, r.post("/hooks/s3cret%0Alevel=ERROR/447700900123", "s3cret"), 404)
	log := r.log.String()
	metrics := r.send("GET", "/metrics", nil).body
	for _, text := range []string{"s3cret", "447700900123", basic("acme", "s3cret")} {
		if strings.Contains(log, text) {
			t.Errorf("the log has %q:\n%s", text, log)
		}
		if strings.Contains(metrics, text) {
			t.Errorf("a metric has %q", text)
		}
	}
	for _, d := range r.kept() {
		if strings.Contains(d.Query+d.Hint+d.ContentType, "s3cret") {
			t.Errorf("a delivery has a secret: %+v", d)
		}
	}
	for _, want := range []string{
		`level=DEBUG msg=delivery source=acme route=/hooks/:source/:hint status=200`,
		`level=ERROR msg="ALARM: delivery refused, which is final for some providers" source=acme route=/hooks/:source status=401`,
		`level=WARN msg="delivery refused" source=full route=/hooks/:source status=405`,
		`level=ERROR msg="ALARM: delivery refused, which is final for some providers" source=unknown route=/hooks/:source/:hint status=404`,
		`address=127.0.0.1`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no line %s in\n%s", want, log)
		}
	}
	for _, want := range []string{
		`cdrstore_refused_total{source="acme",status="401"} 1`,
		`cdrstore_refused_total{source="acme",status="403"} 0`,
		`cdrstore_refused_total{source="unknown",status="404"} 1`,
		`cdrstore_deliveries_total{outcome="refused",source="full"} 1`,
		`cdrstore_request_duration_seconds_count{route="/hooks/:source",status="401"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no metric %s", want)
		}
	}
}

func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	var minutes atomic.Int64
	r := start(t, api.Options{Now: func() time.Time { return time.Unix(60*minutes.Load(), 0).Add(1 << 60) }})
	for range 30 {
		r.post("/hooks/nobody", "{}")
		r.send("PUT", "/hooks/didww", nil)
	}
	if n := strings.Count(r.log.String(), "delivery refused"); n != 2 {
		t.Errorf("%d lines, want one for each source and status", n)
	}
	minutes.Add(1)
	r.post("/hooks/nobody", "{}")
	if log := r.log.String(); strings.Count(log, "delivery refused") != 3 || !strings.Contains(log, "more_since_last_line=29") {
		t.Errorf("log:\n%s", log)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Write: func(_ context.Context, d cdr.Delivery) (ingest.Result, error) {
		switch string(d.Body) {
		case "runtime":
			_ = d.Body[len(d.Query)+100]
		case "own":
			panic("number 447700900123")
		}
		return ingest.Result{Received: 1, Stored: 1}, nil
	}, Limits: api.Limits{Requests: 1}})
	wantProblem(t, r.post("/hooks/didww", "own"), 500)
	wantProblem(t, r.post("/hooks/didww", "runtime"), 500)
	wantTaken(t, r.post("/hooks/didww", "{}"))
	log := r.log.String()
	if !strings.Contains(log, "observe_test.go") || !strings.Contains(log, "index out of range [100]") || strings.Contains(log, "447700900123") {
		t.Errorf("log:\n%s", log)
	}
	if !strings.Contains(r.send("GET", "/metrics", nil).body, `cdrstore_refused_total{source="didww",status="500"} 2`) {
		t.Error("not counted")
	}
}

// values are those of a metric by one of its labels.
func values(t *testing.T, registry *prometheus.Registry, name, label string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byLabel := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label {
					byLabel[l.GetValue()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	return byLabel
}
