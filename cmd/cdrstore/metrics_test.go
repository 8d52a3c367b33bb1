package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// metric is what is known of one: from the document, or from /metrics.
type metric struct {
	kind   string
	labels []string // sorted
	text   string   // of the document
}

func documentedMetrics(t *testing.T) map[string]metric {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]metric{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(cdrstore_\\w+)` \\| (\\w+) \\|([^|]*)\\| (?:here|database) \\| (.+) \\|$").FindAllStringSubmatch(string(text), -1) {
		labels := regexp.MustCompile(`\w+`).FindAllString(m[3], -1)
		slices.Sort(labels)
		if all[m[1]].kind != "" {
			t.Errorf("%s is documented twice", m[1])
		}
		all[m[1]] = metric{m[2], labels, m[4]}
	}
	return all
}

// TestMetricsAreDocumented compares docs/metrics.md with what /metrics gives
// after some traffic: names, types, labels and the words of closed lists.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	for _, body := range []string{
		`{"event":"cdr","callid":"c1","calldate":"2026-11-02T08:59:00Z","disposition":"ANSWERED","duration":9,"billsec":5}`, "{broken",
	} {
		r.get(t, http.MethodPost, "/hooks/didlogic", body)
		r.get(t, http.MethodPost, "/hooks/didlogic", body)
	}
	r.get(t, http.MethodPost, "/hooks/447700900123", "{}")
	r.get(t, http.MethodPut, "/hooks/didww", "{}")
	page := r.get(t, http.MethodGet, "/metrics", "")
	want, got := documentedMetrics(t), map[string]metric{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`).FindAllStringSubmatch(page, -1) {
		got[m[1]] = metric{kind: m[2]}
		if !strings.HasPrefix(m[1], "cdrstore_") && !strings.HasPrefix(m[1], "go_") && !strings.HasPrefix(m[1], "process_") {
			t.Errorf("%s: an unknown family of names", m[1])
		}
	}
	for name, w := range want {
		if got[name].kind != w.kind {
			t.Errorf("%s: documented as %s, is %q", name, w.kind, got[name].kind)
		}
	}
	for name := range got {
		if strings.HasPrefix(name, "cdrstore_") && want[name].kind == "" {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
	for _, line := range strings.Split(page, "\n") {
		if m := regexp.MustCompile(`^(cdrstore_\w+)(?:\{(.*)\})? \S+$`).FindStringSubmatch(line); m != nil {
			wantSeries(t, want, m[1], m[2])
		}
	}
	if strings.Contains(page, "447700900123") {
		t.Error("a metric has what a stranger wrote")
	}
	for _, line := range []string{
		`cdrstore_records_total{outcome="stored",source="didlogic"} 1`,
		`cdrstore_records_total{outcome="duplicate",source="didlogic"} 1`,
		`cdrstore_records_total{outcome="quarantined",source="didlogic"} 2`,
		`cdrstore_decode_errors_total{provider="didlogic"} 2`,
		`cdrstore_quarantine_unread{source="didlogic"} 1`,
		`cdrstore_commit_duration_seconds_count 4`,
		`cdrstore_database_metrics_ok 1`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// wantSeries checks the labels of one series, and that the words of outcome and
// reason are explained.
func wantSeries(t *testing.T, documented map[string]metric, name, labels string) {
	t.Helper()
	w, ok := documented[name]
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, cut := strings.CutSuffix(name, suffix); !ok && cut {
			w = documented[base]
		}
	}
	var names []string
	for _, m := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(labels, -1) {
		if m[1] == "le" && w.kind == "histogram" {
			continue
		}
		names = append(names, m[1])
		if (m[1] == "outcome" || m[1] == "reason") && !strings.Contains(w.text, "`"+m[2]+"`") {
			t.Errorf("%s: %s %q is not explained", name, m[1], m[2])
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, w.labels) {
		t.Errorf("%s has labels %v, documented are %v", name, names, w.labels)
	}
}

// get makes one request and returns what was answered, whatever its status.
func (r receiver) get(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A server that starts on a database with calls knows when their sources last
// sent something.
func TestReceiptsBeforeTheStart(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	now := time.Now().UTC()
	r.get(t, http.MethodPost, "/hooks/didlogic", `{"event":"cdr","callid":"c1","calldate":"`+now.Format(time.RFC3339)+
		`","disposition":"ANSWERED","duration":9,"billsec":5}`)
	cfg, err := config.Load(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	w := ingest.NewWriter(r.store, log, ingest.Options{})
	t.Cleanup(w.Close)
	server, err := newServer(cfg, r.store, w, nil, r.pool, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	remember(t.Context(), r.pool, server, log)
	page := httptest.NewRecorder()
	server.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	lines := regexp.MustCompile(`(?m)^cdrstore_last_receipt_timestamp_seconds\{source="(\w+)"\} (\S+)$`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(lines) != 1 || lines[0][1] != "didlogic" {
		t.Fatalf("%v", lines)
	}
	if at, err := strconv.ParseFloat(lines[0][2], 64); err != nil || at < float64(now.Unix()) || at > float64(now.Unix()+600) {
		t.Errorf("%v, want about %v: %v", at, now.Unix(), err)
	}
}
