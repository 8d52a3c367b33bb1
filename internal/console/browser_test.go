package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

// site serves a console over a database.
func site(t *testing.T, pool *pgxpool.Pool, s *store.Store, o Options) string {
	t.Helper()
	o.Pool, o.Loopback, o.Log = pool, true, slog.New(slog.DiscardHandler)
	o.Replay = func(ctx context.Context, chosen Chosen) (ingest.Replayed, error) {
		return ingest.Replay(ctx, s, store.Choice{Source: chosen.Source, Reason: chosen.Reason, ID: chosen.ID}, func(int) {})
	}
	var counted atomic.Int64
	o.Counts = func() []Count {
		deliveries := counted.Add(7)
		return []Count{{Source: "didww", Deliveries: deliveries, Stored: 2 * deliveries, Duplicates: deliveries / 3}, {Source: "wavix", Deliveries: deliveries / 2, Stored: deliveries / 2, Quarantined: deliveries / 50}}
	}
	o.Spool = func() Spool { return Spool{MaxBytes: 8 << 30} }
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { c.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return server.URL
}

// aCallOf returns the path of the page of a call that was answered.
func aCallOf(t *testing.T, pool *pgxpool.Pool, provider string) (path, id string) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT call_id FROM call
		WHERE source = $1 ORDER BY (disposition = 'answered') DESC NULLS LAST, legs DESC, events DESC, call_id LIMIT 1`, provider).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	v := &view{TZ: "UTC", console: &Console{}}
	return v.CallLink(provider, id), id
}

// TestBrowserPages looks at every page on a phone and on a desk, light and dark:
// nothing may go wrong, and nothing may stick out at the side.
func TestBrowserPages(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pool, s := demo(t, 60)
	setAside(t, s, "kept-1", "an old adapter could not read it")
	url := site(t, pool, s, Options{})
	pages := map[string]string{
		"now": "/", "calls": "/calls", "calls-none": "/calls?number=nobody", "quarantine": "/quarantine",
		"usage":             "/usage?from=2024-12-01&to=now&bucket=day&by=provider",
		"usage-days":        "/usage?from=2024-12-01&to=now&bucket=day",
		"usage-kpi":         "/usage?report=kpi&from=2024-12-01&to=now&bucket=day",
		"usage-concurrency": "/usage?report=concurrency&from=2025-01&to=2026-01",
		"usage-complete":    "/usage?report=completeness&from=2025-01&to=now&tz=Asia/Kolkata",
	}
	for _, p := range simulate.Providers() {
		pages["call-"+p], _ = aCallOf(t, pool, p)
	}
	plotted := map[string]bool{"usage": true, "usage-days": true, "usage-kpi": true, "usage-concurrency": true, "now": true}
	for name, path := range pages {
		t.Run(name, func(t *testing.T) {
			b := openTab(t, browser, url)
			for _, width := range []int64{360, 1280} {
				for _, scheme := range []string{"light", "dark"} {
					where := fmt.Sprintf("%s-%d-%s", name, width, scheme)
					b.look(width, scheme)
					b.open(path)
					if plotted[name] {
						b.until("document.querySelectorAll('.plot canvas').length >= 1")
					}
					if sticks := ask[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); sticks > 0 {
						t.Errorf("%s: the page is %d pixels too wide; by %s", where, sticks, ask[string](b, widest))
					}
					if n := ask[int](b, "document.querySelectorAll('h1').length"); n != 1 {
						t.Errorf("%s: %d headings", where, n)
					}
					if bare := ask[string](b, unlabelled); bare != "" {
						t.Errorf("%s: without a label: %s", where, bare)
					}
					b.photograph(where)
					b.wantNoTrouble(where)
				}
			}
		})
	}
}

// widest names what sticks out.
const widest = `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest('.scroll,pre'))
	.slice(0, 5).map(e => e.tagName + '.' + e.getAttribute('class')).join(' ')`

// unlabelled names fields that say to nobody what they are.
const unlabelled = `[...document.querySelectorAll('input:not([type=hidden]),select,button')].filter(e => !e.labels?.length && !e.textContent.trim() && !e.getAttribute('aria-label'))
	.map(e => e.outerHTML).join(' ')`

// TestBrowserSearch finds a call by its id and opens it.
func TestBrowserSearch(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pool, s := demo(t, 20)
	b := openTab(t, browser, site(t, pool, s, Options{}))
	_, id := aCallOf(t, pool, "wavix")
	b.open("/calls")
	b.do(chromedp.SetValue(chromedp.CSS(searchField), id), chromedp.Click(chromedp.CSS("main form button")))
	b.until("location.search.includes('call_id=') && document.querySelector('footer')") // a call of another provider may have the id too
	if others := ask[int](b, "[...document.querySelectorAll('main tbody a')].filter(a => !a.innerText.includes('"+id+"')).length"); others != 0 {
		t.Errorf("%d other calls are listed", others)
	}
	b.do(chromedp.Click(chromedp.CSS("main tbody a[href^='/call/wavix/']")))
	b.until("location.pathname.startsWith('/call/wavix/') && document.querySelector('svg.life')")
	if text := ask[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, id) {
		t.Errorf("no id %s in %s", id, text)
	}
	b.do(chromedp.Click(chromedp.CSS(".facts a")))
	b.until("document.querySelector('.event:target')")
	b.do(chromedp.Click(chromedp.CSS("details summary")))
	b.wantNoTrouble("search")
}

const searchField = "main form input[name=call_id]"

// TestBrowserReplay replays one piece, and then all that share a reason, by
// click.
func TestBrowserReplay(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	if err := s.Register(t.Context(), []store.Source{{Name: "didlogic", Provider: "didlogic"}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"one", "two", "three"} {
		setAside(t, s, id, "an old adapter could not read it")
	}
	b := openTab(t, browser, site(t, pool, s, Options{}))
	b.open("/quarantine?tz=Asia/Kolkata")
	b.do(chromedp.Click(chromedp.CSS("section.event button")))
	b.until("document.querySelector('.done')?.innerText.includes('1 piece: 1 read, 0 still unreadable; 1 records new')")
	b.do(chromedp.Click(chromedp.CSS("table form button")))
	b.until("document.querySelector('.done')?.innerText.includes('2 pieces: 2 read, 0 still unreadable; 2 records new')")
	if zone := ask[string](b, "new URLSearchParams(location.search).get('tz')"); zone != "Asia/Kolkata" {
		t.Errorf("the zone is %q afterwards", zone)
	}
	var calls int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM call").Scan(&calls); err != nil || calls != 3 {
		t.Errorf("%d calls, %v; want 3", calls, err)
	}
	b.wantNoTrouble("replay")
}

// TestBrowserKeyboard: the first key press offers to skip the navigation, and
// every page is reached without a mouse.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pool, s := demo(t, 5)
	b := openTab(t, browser, site(t, pool, s, Options{}))
	b.open("/calls")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := ask[string](b, "document.activeElement.className + ' ' + (document.activeElement.getBoundingClientRect().left >= 0)"); got != "skip true" {
		t.Errorf("the first key press leads to %s", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.hash === '#main'")
	for _, path := range []string{"/usage", "/quarantine", "/"} {
		b.open("/calls")
		found := false
		for range 12 {
			b.do(chromedp.KeyEvent(kb.Tab))
			if found = ask[bool](b, "document.activeElement.getAttribute('href') === '"+path+"'"); found {
				break
			}
		}
		if !found {
			t.Errorf("%s is not reached by Tab", path)
			continue
		}
		if outline := ask[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline != "solid" {
			t.Errorf("the focus is not seen on %s: %s", path, outline)
		}
		b.do(chromedp.KeyEvent(kb.Enter))
		b.until("location.pathname === '" + path + "'")
	}
	b.wantNoTrouble("keyboard")
}

// TestBrowserWithoutScripts: the tables are there, and forms work.
func TestBrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pool, s := demo(t, 20)
	setAside(t, s, "one", "an old adapter could not read it")
	b := openTab(t, browser, site(t, pool, s, Options{}))
	b.withoutScripts()
	b.open("/usage?from=2025-01&to=2026-01&bucket=month")
	if n := ask[int](b, "document.querySelectorAll('main tbody tr').length"); n == 0 {
		t.Error("usage has no table")
	}
	if n := ask[int](b, "document.querySelectorAll('canvas').length"); n != 0 {
		t.Error("scripts ran")
	}
	b.do(chromedp.Click(chromedp.CSS("form.filter button.main")))
	b.until("location.search.includes('report=usage') && document.querySelector('footer')")
	b.open("/quarantine")
	b.do(chromedp.Click(chromedp.CSS("section.event button")))
	b.until("document.querySelector('.done')")
	b.wantNoTrouble("without scripts")
}
