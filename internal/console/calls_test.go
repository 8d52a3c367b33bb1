package console

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// idsOf are the calls of a list, in its order.
func idsOf(p page) []string {
	var ids []string
	for _, m := range regexp.MustCompile(`<bdi class="id">([^<]*)</bdi></a></td>`).FindAllStringSubmatch(p.body, -1) {
		ids = append(ids, html.UnescapeString(m[1]))
	}
	return ids
}

// linkOf is where the link with a text goes.
func linkOf(t *testing.T, p page, text string) string {
	t.Helper()
	m := regexp.MustCompile(`<a href="([^"]*)"[^>]*>` + regexp.QuoteMeta(text) + `</a>`).FindStringSubmatch(p.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

func TestSearchByNumber(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	insertSource(t, pool, "acme", "GB")
	at := noon()
	insert(t, pool,
		aCall{id: "e164", src: "442079460958", srcE164: "+442079460958", dst: "+14155550123", dstE164: "+14155550123", disposition: "answered", at: at.Add(-1 * time.Minute)},
		aCall{id: "national", src: "alice", dst: "02079460958", disposition: "busy", at: at.Add(-2 * time.Minute)},
		aCall{id: "dialled", src: "00442079460958", dst: "100", disposition: "answered", at: at.Add(-3 * time.Minute)},
		aCall{id: "blanks", src: "+44 20 7946 0958", srcE164: "+442079460958", dst: "100", disposition: "answered", at: at.Add(-4 * time.Minute)},
		aCall{id: "both", src: "442079460958", dst: "442079460958", srcE164: "+442079460958", dstE164: "+442079460958", disposition: "failed", at: at.Add(-5 * time.Minute)},
		aCall{id: "american", src: "2079460958", srcE164: "+12079460958", dst: "5", disposition: "answered", at: at.Add(-6 * time.Minute)},
		aCall{id: "other", src: "442079460959", srcE164: "+442079460959", dst: "4420794609580", disposition: "answered", at: at.Add(-7 * time.Minute)})
	all := []string{"e164", "national", "dialled", "blanks", "both"}
	for _, spelled := range []string{
		"+442079460958", "442079460958", "00442079460958", "011442079460958", "020 7946 0958", "+44 (0)20 7946-0958", " +44.20.7946.0958 ",
		"tel:+442079460958", "+٤٤٢٠٧٩٤٦٠٩٥٨", "(020) 7946 0958", "+44\u00a020\u20117946\u20110958",
	} {
		p := wantPage(t, get(t, c, "/calls?number="+url.QueryEscape(spelled)))
		if got := idsOf(p); !slices.Equal(got, all) {
			t.Errorf("%s: %v", spelled, got)
		}
	}
	for spelled, want := range map[string][]string{
		"2079460958":   {"e164", "national", "dialled", "blanks", "both", "american"}, // as it was sent, or of GB
		"+12079460958": {"american"}, "alice": {"national"}, "ALICE": nil, "100": {"dialled", "blanks"}, "20794609": nil, "%": nil, "' OR 1=1 --": nil,
	} {
		p := wantPage(t, get(t, c, "/calls?number="+url.QueryEscape(spelled)))
		if got := idsOf(p); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", spelled, got, want)
		}
	}
}

func TestSearchByTheRest(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	insert(t, pool,
		aCall{source: "a", id: "x", src: "1", disposition: "answered", at: time.Date(2026, 11, 20, 1, 30, 0, 0, time.UTC)},
		aCall{source: "b", id: "x", src: "2", disposition: "busy", at: time.Date(2026, 11, 19, 23, 30, 0, 0, time.UTC)},
		aCall{source: "b", id: "living", src: "1", at: time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)},
		aCall{source: "b", id: "a/../b //?#%2F", disposition: "unknown", at: time.Date(2026, 10, 31, 23, 59, 59, 0, time.UTC)})
	if _, err := pool.Exec(t.Context(), "UPDATE call SET sip_call_id = 'reused@pbx' WHERE call_id IN ('x', 'living')"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"":                                   {"x", "x", "living", "a/../b //?#%2F"},
		"call_id=reused@pbx":                 {"x", "x", "living"},
		"call_id=reused@pbx&source=b":        {"x", "living"},
		"call_id=x":                          {"x", "x"},
		"call_id=+x+&source=b":               {"x"},
		"call_id=x&number=1":                 {"x"},
		"call_id=X":                          nil,
		"source=b":                           {"x", "living", "a/../b //?#%2F"},
		"source=nobody":                      nil,
		"disposition=busy":                   {"x"},
		"disposition=in_progress":            {"living"},
		"number=1&source=b":                  {"living"},
		"number=1&disposition=answered":      {"x"},
		"number=1&from=2026-11-20":           {"x"},
		"from=2026-11-20":                    {"x"},
		"from=today":                         {"x"},
		"from=2026-11-20&tz=Europe%2FBerlin": {"x", "x"},
		"to=2026-11":                         {"a/../b //?#%2F"},
		"from=2026-11-19&to=2026-11-20":      {"x", "living"},
		"call_id=" + url.QueryEscape("a/../b //?#%2F"): {"a/../b //?#%2F"},
	} {
		p := wantPage(t, get(t, c, "/calls?"+query))
		if got := idsOf(p); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		if lines := strings.Count(get(t, c, "/calls.csv?"+query).body, "\r\n") - 1; lines != len(want) {
			t.Errorf("%s: %d lines of CSV, want %d", query, lines, len(want))
		}
	}
	for _, query := range []string{
		"from=nonsense", "from=2026-11-20&to=2026-11-19", "tz=Mars", "disposition=lost", "number=%00", "source=%ff", "before=x", "after=e30",
		"number=" + strings.Repeat("9", 2000),
	} {
		if p := get(t, c, "/calls?"+query); p.status != 400 || !strings.Contains(p.body, `role="alert"`) || strings.Contains(p.body, "--") {
			t.Errorf("%s: status %d", query, p.status)
		}
	}
}

// The links of a list lead to the pages of its calls, whatever their ids are.
func TestLinksToCalls(t *testing.T) {
	t.Parallel()
	for _, mask := range []bool{false, true} {
		c, pool := newConsole(t, func(o *Options) { o.Mask = mask })
		ids := []string{"plain", "a/b", "a//b/", "..", ".", "~x", "a?b#c%2F", "ü ☎", "a;b", `"<>'`, "%", "+", "../../quarantine"}
		for i, id := range ids {
			insert(t, pool, aCall{id: id, disposition: "answered", at: noon().Add(time.Duration(-i) * time.Minute)})
		}
		p := wantPage(t, get(t, c, "/calls"))
		links := regexp.MustCompile(`<a href="(/call/[^"]*)"`).FindAllStringSubmatch(p.body, -1)
		if len(links) != len(ids) {
			t.Fatalf("%d links", len(links))
		}
		for i, m := range links {
			link, err := url.Parse("http://localhost" + html.UnescapeString(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			if p := get(t, c, link.EscapedPath()); p.status != 200 {
				t.Errorf("mask %v: the call %q is not found at %s: %d", mask, ids[i], link, p.status)
			}
		}
	}
}

func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"", "number=442079460958&", "call_id=reused@pbx&"} {
		c, pool := newConsole(t, nil)
		reuse := func() {
			if _, err := pool.Exec(t.Context(), "UPDATE call SET sip_call_id = 'reused@pbx'"); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		for i := range 130 { // some of them at the same moment
			id := fmt.Sprintf("c%03d", i)
			want = append(want, id)
			insert(t, pool, aCall{id: id, src: "442079460958", dst: "442079460958", disposition: "answered", at: noon().Add(-time.Duration(129-i) / 7 * time.Minute)})
		}
		slices.Reverse(want)
		reuse()
		p := wantPage(t, get(t, c, "/calls?"+query))
		got := idsOf(p)
		if linkOf(t, p, "Newer") != "" {
			t.Error("there is something newer than the newest")
		}
		late := 0
		arrive := func() {
			late++
			insert(t, pool, aCall{id: fmt.Sprintf("late%d", late), src: "442079460958", disposition: "busy", at: noon().Add(time.Duration(late) * time.Second)})
			reuse()
		}
		var pages []page
		for linkOf(t, p, "Older") != "" && len(pages) < 10 {
			arrive()
			pages = append(pages, p)
			p = wantPage(t, get(t, c, linkOf(t, p, "Older")))
			got = append(got, idsOf(p)...)
		}
		if !slices.Equal(got, want) || len(pages) != 2 {
			t.Fatalf("%q: %d pages with %v", query, len(pages)+1, got)
		}
		// Back again: the page between is the same, the first one has what arrived.
		p = wantPage(t, get(t, c, linkOf(t, p, "Newer")))
		if !slices.Equal(idsOf(p), want[50:100]) {
			t.Errorf("%q: the second page on the way back has %v", query, idsOf(p))
		}
		p = wantPage(t, get(t, c, linkOf(t, p, "Newer")))
		if ids := idsOf(p); !slices.Equal(ids, want[:50]) {
			t.Errorf("%q: the first page on the way back has %v", query, ids)
		}
		p = wantPage(t, get(t, c, linkOf(t, p, "Newer"))) // two calls: among the newest
		if ids := idsOf(p); len(ids) != 50 || ids[0] != "late2" || ids[2] != want[0] || linkOf(t, p, "Newer") != "" {
			t.Errorf("%q: the newest are %v", query, ids)
		}
		p = wantPage(t, get(t, c, "/calls?"+query))
		if lines := strings.Count(get(t, c, linkOf(t, p, "CSV of all that fit")).body, "\r\n"); lines != 133 {
			t.Errorf("%q: %d lines of CSV", query, lines)
		}
	}
}

// What others sent is shown as text, in every field.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	evil := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</td></table><h1>`, `{{.}}`, "\u202egnirts\u2066",
		`javascript:alert(1)`, "a\nb\tc\u0001", strings.Repeat("W", 5000), `&lt;b&gt;&amp;`, `<!--`, `--></style>`, "`${1}`",
	}
	c, pool := newConsole(t, nil)
	for i, text := range evil {
		id := text[:min(len(text), 400)]
		insertSource(t, pool, text[:min(len(text), 400)], "")
		insert(t, pool, aCall{source: text[:min(len(text), 400)], id: id, src: text[:min(len(text), 2000)], dst: text[:min(len(text), 2000)], disposition: "failed", at: noon().Add(time.Duration(i) * time.Second), more: map[string]any{
			"src_name": text, "trunk": text, "hangup_cause": text, "currency": text, "cost": 1, "did": text, "tag": text, "account": text,
		}})
	}
	for _, path := range []string{"/", "/calls", "/now/part", "/calls?source=" + url.QueryEscape(evil[0])} {
		p := wantPage(t, get(t, c, path))
		for _, bad := range []string{"<script>a", "<img", "onerror=alert(1)>", "<h1>\n", "<!--", "</style>", `' onmouseover`, `href="javascript`} {
			if strings.Contains(p.body, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
		if strings.Count(p.body, "</table>") > 2 || path != "/now/part" && strings.Count(p.body, "<h1>") != 1 {
			t.Errorf("%s: a text ends a table or begins a heading", path)
		}
	}
	if got := idsOf(get(t, c, "/calls")); len(got) != len(evil) || got[len(got)-1] != evil[0] {
		t.Errorf("not all are shown as they are: %q", got)
	}
	// What the visitor writes comes back in the form.
	for _, name := range []string{"number", "call_id", "source", "from", "to", "tz", "disposition", "before", "evil"} {
		p := get(t, c, "/calls?"+name+"="+url.QueryEscape(evil[0]+evil[1]+evil[2]))
		if strings.Contains(p.body, "<script>a") || strings.Contains(p.body, "<img") || strings.Contains(p.body, "' onmouseover") {
			t.Errorf("%s: what was written is not escaped", name)
		}
	}
	if p := get(t, c, "/<script>alert(1)</script>?%3Cscript%3Ealert(1)=1"); strings.Contains(p.body, "<script>a") || p.status != 404 {
		t.Errorf("status %d", p.status)
	}
}

func TestCSVIsHarmless(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	insert(t, pool, aCall{source: "acme", id: "=1+1", src: "+442079460958", dst: "+44 20", disposition: "answered", at: time.Date(2026, 7, 1, 12, 0, 0, 500000, time.UTC), more: map[string]any{
		"src_name": "@SUM(A1)", "trunk": "-1", "hangup_cause": "a,\"b\"\r\n=c", "cost": "-0.000000001", "duration": "3.5", "did": "\t=1", "currency": "",
	}})
	p := wantPage(t, get(t, c, "/calls.csv?tz=Europe%2FLondon"))
	if !strings.HasPrefix(p.body, "\ufeffcall_time,source,") || !strings.HasPrefix(p.header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(p.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("headers %v, %q", p.header, p.body)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(p.body, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 2 {
		t.Fatalf("%v, %v", lines, err)
	}
	for i, name := range lines[0] {
		want, ok := map[string]string{
			"call_time": "2026-07-01T13:00:00.0005+01:00", "call_id": "'=1+1", "src": "+442079460958", "dst": "'+44 20", "src_name": "'@SUM(A1)", "trunk": "'-1",
			"hangup_cause": "a,\"b\"\n=c", "cost": "-0.000000001", "duration": "3.5", "did": "'\t=1", "direction": "", "disposition": "answered",
		}[name]
		if got := lines[1][i]; ok && got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(p.body, `,"",`) {
		t.Error("an empty text looks like null")
	}
}
