package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/ingest"
)

// setAsideMany puts pieces into quarantine that have their number in the body.
// Each two come at one moment.
func setAsideMany(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
		SELECT CASE n % 3 WHEN 0 THEN 'a' ELSE 'b' END, gen_random_uuid(), '', 'POST', '', 'text/plain', '', convert_to('piece-' || n || ';', 'UTF8'), 'reason ' || n % 2,
		       timestamptz '2026-11-20T12:00:00Z' - n / 2 * interval '1 second', 1
		FROM generate_series(1, $1) n`, n); err != nil {
		t.Fatal(err)
	}
}

// TestQuarantinePaging: every piece is on exactly one page, newest first.
func TestQuarantinePaging(t *testing.T) {
	t.Parallel()
	for _, mask := range []bool{false, true} {
		c, pool := newConsole(t, func(o *Options) { o.Mask = mask })
		setAsideMany(t, pool, 61)
		var seen []string
		path, pages := "/quarantine", 0
		for ; path != "" && pages < 10; pages++ {
			body := wantPage(t, get(t, c, path)).body
			seen = append(seen, regexp.MustCompile(`piece-\d+;`).FindAllString(body, -1)...)
			path = ""
			if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(body); m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		all := slices.Clone(seen)
		slices.Sort(all)
		if pages != 3 || len(seen) != 61 || len(slices.Compact(all)) != 61 || seen[60] != "piece-61;" && seen[60] != "piece-60;" || seen[0] != "piece-1;" {
			t.Errorf("mask %v: %d pages, %d pieces, from %s to %s", mask, pages, len(seen), seen[0], seen[len(seen)-1])
		}
	}
}

// TestQuarantineReasons: reasons are counted per source, link to their pieces,
// and a page shows no others.
func TestQuarantineReasons(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	setAsideMany(t, pool, 12)
	if _, err := pool.Exec(t.Context(), "UPDATE quarantine SET replayed_at = now() WHERE body = 'piece-12;'"); err != nil {
		t.Fatal(err)
	}
	body := wantPage(t, get(t, c, "/quarantine")).body
	links := regexp.MustCompile(`class="reason"><a href="([^"]+)"><bdi>([^<]+)</bdi></a></td><td class="n">(\d+)<`).FindAllStringSubmatch(body, -1)
	var counts []string
	for _, l := range links {
		counts = append(counts, l[2]+" "+l[3])
	}
	if want := []string{"reason 0 4", "reason 1 4", "reason 1 2", "reason 0 1"}; !slices.Equal(counts, want) {
		t.Fatalf("reasons are %q, want %q", counts, want)
	}
	body = wantPage(t, get(t, c, strings.ReplaceAll(links[2][1], "&amp;", "&"))).body
	if got := regexp.MustCompile(`piece-\d+;`).FindAllString(body, -1); len(got) != 2 || !slices.Contains(got, "piece-3;") || !slices.Contains(got, "piece-9;") {
		t.Errorf("its pieces are %q", got)
	}
	if got := regexp.MustCompile(`piece-\d+;`).FindAllString(wantPage(t, get(t, c, "/quarantine?read=yes")).body, -1); !slices.Equal(got, []string{"piece-12;"}) {
		t.Errorf("replayed pieces are %q", got)
	}
	for _, path := range []string{"/quarantine?before=x", "/quarantine?before=" + c.seal("a b"), "/quarantine?reason=%21", "/quarantine?before=" + c.seal("2026-11-20T12:00:00Z nothing a"), "/quarantine?source=%00"} {
		if p := get(t, c, path); p.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
}

// TestQuarantineMasked: the number is in no piece, wherever it stands.
func TestQuarantineMasked(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, func(o *Options) { o.Mask = true })
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries) VALUES
		('a', '00000000-0000-4000-8000-000000000001', '', 'GET', 'from=442079460123&to=%2B44%2020%207946%200123', 'text/plain', '', 'from 442079460123, to +44 (20) 7946-0123', 'number 442079460123: odd', now(), 1),
		('a', '00000000-0000-4000-8000-000000000002', '', 'POST', '', 'text/plain', 'gzip', '\x1f8b0800000000000003000000'::bytea || '442079460123', 'x', now(), 1)`); err != nil {
		t.Fatal(err)
	}
	if body := wantPage(t, get(t, c, "/quarantine")).body; regexp.MustCompile(`7946|44207|34 34 32|37 39 34`).MatchString(body) || !strings.Contains(body, "123: odd") {
		t.Error(body)
	}
}

// form posts the form of the quarantine.
func form(t *testing.T, c *Console, values url.Values, headers ...string) page {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080/quarantine/replay", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request(t, c, r, headers...)
}

// TestReplayForms: only the console's own forms replay, and only what they name.
func TestReplayForms(t *testing.T) {
	t.Parallel()
	var asked []Chosen
	c, _ := newConsole(t, func(o *Options) {
		o.Replay = func(_ context.Context, chosen Chosen) (ingest.Replayed, error) {
			asked = append(asked, chosen)
			return ingest.Replayed{Pieces: 5, Read: 3, Records: 4, Duplicates: 1, Unreadable: 2}, nil
		}
	})
	token, id := c.auth.formValue, "eb655fc2-7b99-d10e-8a09-26a2ee3352cb"
	for _, refused := range []struct {
		values  url.Values
		headers []string
		status  int
	}{
		{url.Values{"source": {"a"}, "id": {id}}, nil, 403},
		{url.Values{"source": {"a"}, "id": {id}, "form_token": {"x"}}, nil, 403},
		{url.Values{"source": {"a"}, "id": {id}, "form_token": {token}}, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{url.Values{"source": {"a"}, "id": {id}, "form_token": {token}}, []string{"Origin", "https://evil.example"}, 403},
		{url.Values{"source": {"a"}, "id": {id}, "form_token": {token}}, []string{"Host", "evil.example"}, 403},
		{url.Values{"source": {"a"}, "form_token": {token}}, nil, 400},
		{url.Values{"id": {id}, "form_token": {token}}, nil, 400},
		{url.Values{"source": {"a"}, "id": {"' OR true"}, "form_token": {token}}, nil, 400},
		{url.Values{"source": {"a"}, "id": {id}, "reason": {c.seal("r")}, "form_token": {token}}, nil, 400},
		{url.Values{"source": {"a"}, "reason": {"%"}, "form_token": {token}}, nil, 400},
	} {
		if p := form(t, c, refused.values, refused.headers...); p.status != refused.status {
			t.Errorf("%v %v: status %d, want %d", refused.values, refused.headers, p.status, refused.status)
		}
	}
	if p := get(t, c, "/quarantine/replay?source=a&id="+id+"&form_token="+token); p.status == http.StatusOK || p.status == http.StatusSeeOther {
		t.Errorf("GET: status %d", p.status)
	}
	if len(asked) > 0 {
		t.Fatalf("%v was replayed", asked)
	}
	p := form(t, c, url.Values{"source": {"a"}, "id": {id}, "form_token": {token}, "tz": {"Asia/Kolkata"}}, "Sec-Fetch-Site", "same-origin")
	if where := p.header.Get("Location"); p.status != http.StatusSeeOther || where != "/quarantine?done=5.3.4.1.2&tz=Asia%2FKolkata" {
		t.Errorf("status %d to %s", p.status, where)
	}
	form(t, c, url.Values{"source": {"a"}, "reason": {c.seal("why")}, "form_token": {token}})
	if want := []Chosen{{Source: "a", ID: id}, {Source: "a", Reason: "why"}}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	if body := wantPage(t, get(t, c, p.header.Get("Location"))).body; !strings.Contains(body, "5 pieces: 3 read, 2 still unreadable; 4 records new, 1 known already") {
		t.Error(body)
	}
	for _, odd := range []string{"1", "1.2.3.4.x", "1.2.3.4.-5", "1.2.3.4.5.6", "<b>"} {
		if body := wantPage(t, get(t, c, "/quarantine?done="+url.QueryEscape(odd))).body; strings.Contains(body, `class="done"`) {
			t.Errorf("done=%s is shown", odd)
		}
	}
}

// TestReplayOneAtATime: a second replay is refused while one is under way, and
// one that fails says so without its reason.
func TestReplayOneAtATime(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}), make(chan struct{})
	c, _ := newConsole(t, func(o *Options) {
		o.Replay = func(context.Context, Chosen) (ingest.Replayed, error) {
			close(begun)
			<-end
			return ingest.Replayed{}, fmt.Errorf("number 442079460123")
		}
	})
	values := url.Values{"source": {"a"}, "reason": {c.seal("why")}, "form_token": {c.auth.formValue}}
	first := make(chan page)
	go func() { first <- form(t, c, values) }()
	<-begun
	if p := form(t, c, values); p.status != http.StatusConflict {
		t.Errorf("status %d beside another", p.status)
	}
	close(end)
	if p := <-first; p.status != http.StatusInternalServerError || strings.Contains(p.body, "442079460123") {
		t.Errorf("status %d: %s", p.status, p.body)
	}
	without, _ := newConsole(t, nil)
	values.Set("form_token", without.auth.formValue)
	if p := form(t, without, values); p.status != http.StatusServiceUnavailable || strings.Contains(wantPage(t, get(t, without, "/quarantine")).body, "<button>Replay") {
		t.Errorf("status %d where nothing can be replayed", p.status)
	}
}
