package api_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// counting answers with as many records as the body has bytes, of all kinds.
func counting(_ context.Context, d cdr.Delivery) (ingest.Result, error) {
	n := len(d.Body)
	return ingest.Result{Received: 10 * n, Stored: n, Duplicates: 2 * n, Quarantined: 3 * n, Spooled: 4 * n}, nil
}

func TestTrafficLines(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Write: counting})
	ctx, cancel := context.WithCancel(t.Context())
	tick, ended := make(chan time.Time), make(chan struct{})
	go func() {
		r.server.LogTraffic(ctx, tick)
		close(ended)
	}()
	r.post("/hooks/didww", "ab")
	r.post("/hooks/didww", "abc")
	r.post("/hooks/wavix", "a")
	r.post("/hooks/nobody", "a")
	r.send("PUT", "/hooks/piopiy", nil)
	tick <- time.Time{}
	tick <- time.Time{} // nothing came: no line
	r.post("/hooks/wavix", "abcd")
	cancel()
	<-ended
	lines := regexp.MustCompile(`(?m)level=INFO msg=traffic .*$`).FindAllString(r.log.String(), -1)
	want := []string{
		`level=INFO msg=traffic source=didww deliveries=2 stored=5 duplicates=10 quarantined=15 spooled=20 p50=`,
		`level=INFO msg=traffic source=wavix deliveries=1 stored=1 duplicates=2 quarantined=3 spooled=4 p50=`,
		`level=INFO msg=traffic source=wavix deliveries=1 stored=4 duplicates=8 quarantined=12 spooled=16 p50=`,
	}
	if len(lines) != len(want) {
		t.Fatalf("lines:\n%s", strings.Join(lines, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) || !strings.Contains(lines[i], " p99=") || strings.Contains(lines[i], "p50=0s") {
			t.Errorf("got  %s\nwant %s", lines[i], want[i])
		}
	}
}

func TestDeliveryLine(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{Write: counting})
	r.send("POST", "/hooks/didww", strings.NewReader(zip("abc")), "Content-Encoding", "gzip")
	line := regexp.MustCompile(`level=DEBUG msg=delivery source=didww route=/hooks/:source status=200 duration=\S+ bytes=3 ` +
		`received=30 stored=3 duplicates=6 quarantined=9 spooled=12\n`)
	if !line.MatchString(r.log.String()) {
		t.Errorf("log:\n%s", r.log.String())
	}
}

func TestLastReceipt(t *testing.T) {
	t.Parallel()
	r := start(t, api.Options{})
	const name = "cdrstore_last_receipt_timestamp_seconds"
	if strings.Contains(r.send("GET", "/metrics", nil).body, name) {
		t.Error("there is one before any receipt")
	}
	before := time.Now()
	r.post("/hooks/didww", "{}")
	r.send("PUT", "/hooks/piopiy", nil)
	old := time.Date(2026, 3, 4, 5, 6, 7, 250_000_000, time.UTC)
	r.server.Received(map[string]time.Time{"didww": old, "wavix": old, "voipnow": {}, "stranger": old})
	r.server.Received(map[string]time.Time{"wavix": old.Add(-time.Hour)})
	got := values(t, r.registry, name, "source")
	if len(got) != 2 || got["wavix"] != 1772600767.25 {
		t.Errorf("%v", got)
	}
	if at := got["didww"]; at < float64(before.UnixMilli())/1000 || at > float64(time.Now().UnixMilli())/1000 {
		t.Errorf("didww: %v", at)
	}
}
