package console

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// findChromium returns the browser of this machine; empty: there is none.
func findChromium() string {
	for _, name := range []string{os.Getenv("CDRSTORE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// startBrowser starts a browser, or says why the test is not run. `make check` on
// CI insists on one.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := findChromium()
	if path == "" {
		const reason = "no Chromium was found (chromium, chromium-browser, google-chrome, or CDRSTORE_CHROMIUM): the pages were not looked at in a browser"
		if os.Getenv("CDRSTORE_BROWSER") == "required" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	profile, err := os.MkdirTemp("", "cdrstore-browser-")
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 900)}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "no-default-browser-check", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // it may have died
		closeBrowser()
		stop()
		_ = os.RemoveAll(profile) // a child of it may still write there
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// tab is a page of a browser that hears everything that goes wrong on it.
type tab struct {
	t        *testing.T
	ctx      context.Context
	site     *url.URL
	mu       sync.Mutex
	troubles []string
}

// openTab opens a tab of its own. The site is the only one that it may ask.
func openTab(t *testing.T, browser context.Context, site string) *tab {
	t.Helper()
	u, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	b := &tab{t: t, site: u}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = limited
	return b
}

// hear keeps errors and warnings of scripts and of the browser, which tells
// breaches of the content security policy, and requests to other hosts.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			text := ""
			for _, a := range e.Args {
				text += " " + string(a.Value)
			}
			b.troubles = append(b.troubles, fmt.Sprintf("console.%s:%s", e.Type, text))
		}
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, fmt.Sprintf("exception: %s", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			b.troubles = append(b.troubles, fmt.Sprintf("browser: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host != b.site.Host && u.Scheme != "data" && u.Scheme != "about" {
			b.troubles = append(b.troubles, "request to another host: "+e.Request.URL)
		}
	}
}

// do runs steps, or ends the test.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%v; troubles: %q", err, b.troubles)
	}
}

// open shows a page.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.site.String()+path), chromedp.WaitReady(chromedp.CSS("footer")))
}

// ask evaluates JavaScript.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v; troubles: %q", expression, err, b.troubles)
	}
	return value
}

// until waits for a condition in the page, which may be about to be another one.
func (b *tab) until(expression string) {
	b.t.Helper()
	limit := time.After(20 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && holds {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			b.t.Fatalf("never so: %s: %v; the page is %s", expression, err, ask[string](b, "document.querySelector('main')?.innerText.slice(0, 1500) ?? ''"))
		}
	}
}

// look sets the width of the window and the colours.
func (b *tab) look(width int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// withoutScripts shows pages as a browser does that runs none.
func (b *tab) withoutScripts() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}

// wantNoTrouble fails the test for what went wrong since the last time.
func (b *tab) wantNoTrouble(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, trouble := range b.troubles {
		b.t.Errorf("%s: %s", where, trouble)
	}
	b.troubles = nil
}

// photograph keeps a picture of the page where CDRSTORE_SCREENSHOTS names a
// folder, for people to look at.
func (b *tab) photograph(name string) {
	b.t.Helper()
	folder := os.Getenv("CDRSTORE_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("photograph %s: %v", name, err)
	}
}
