package console

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestUsagePage: the table, the picture and the statement say the same.
func TestUsagePage(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	for i := range 6 {
		insert(t, pool, aCall{source: []string{"acme", "other"}[i%2], id: fmt.Sprint(i), disposition: "answered", at: noon().AddDate(0, 0, -i/2), more: map[string]any{
			"billsec": 90, "charged_sec": 120, "cost": 1.25, "currency": []string{"USD", "EUR", "USD"}[i%3],
		}})
	}
	body := wantPage(t, get(t, c, "/usage?from=2026-11-01&to=2026-11-21&bucket=day&tz=Asia/Kolkata&by=source")).body
	statement := html.UnescapeString(regexp.MustCompile(`(?s)<pre class="copy" tabindex="0">(.*?)</pre>`).FindStringSubmatch(body)[1])
	rows, err := pool.Query(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToMap)
	if n := strings.Count(body, "<tr>") - 1; err != nil || n != len(all) || n != 6 {
		t.Errorf("the page has %d rows, the statement %d: %v", n, len(all), err)
	}
	for _, want := range []string{"<td class=\"t\"><bdi>2026-11-20</bdi>", "1.25", "<option value=\"day\" selected>", `value="source" checked`, "Asia/Kolkata"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	plots := regexp.MustCompile(`data-plot="([^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(plots) != 3 {
		t.Fatalf("%d pictures", len(plots))
	}
	var cost drawn
	if err := json.Unmarshal([]byte(html.UnescapeString(plots[2][1])), &cost); err != nil || len(cost.X) != 3 || len(cost.Series) != 4 || cost.Zone != "Asia/Kolkata" {
		t.Errorf("costs are drawn as %+v, %v", cost, err)
	}
}

// TestUsageAdds: calls of several currencies are one number of a picture of
// calls, and no picture adds averages.
func TestUsageAdds(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	for i, currency := range []string{"USD", "USD", "EUR", "USD"} {
		insert(t, pool, aCall{id: fmt.Sprint(i), disposition: "answered", at: noon().AddDate(0, 0, -i/3), more: map[string]any{"cost": 1, "currency": currency, "billsec": 60}})
	}
	body := wantPage(t, get(t, c, "/usage?from=2026-11-01&to=2026-11-21")).body
	var calls drawn
	if err := json.Unmarshal([]byte(html.UnescapeString(regexp.MustCompile(`data-plot="([^"]*)"`).FindStringSubmatch(body)[1])), &calls); err != nil {
		t.Fatal(err)
	}
	if calls.Series[0].Label != "answered" && calls.Series[0].Label != "attempts" || *calls.Series[0].Values[1] != 3 || *calls.Series[0].Values[0] != 1 || !calls.Bars {
		t.Errorf("calls are drawn as %+v", calls)
	}
}

// TestUsageForms: every report is shown by each way to ask for it, and what is
// wrong is said in the words of the form.
func TestUsageForms(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, nil)
	insert(t, pool, aCall{id: "1", disposition: "answered", at: noon(), more: map[string]any{"ended_at": noon().Add(30 * time.Hour), "account": "<b>", "billsec": 60}})
	for _, path := range []string{
		"/usage", "/usage?report=kpi", "/usage?report=concurrency", "/usage?report=completeness&by=trunk&bucket=day", "/usage?from=&to=&bucket=&source=",
		"/usage?report=kpi&bucket=hour&by=account&by=trunk&by=direction&by=country&by=provider&by=source&from=2026-11-01&to=2026-11-21", "/usage?bucket=all&from=2026-11-20&to=2026-11-21", "/usage?source=nobody",
	} {
		if body := wantPage(t, get(t, c, path)).body; !strings.Contains(body, "The same in SQL") || strings.Contains(body, "<bdi><b>") {
			t.Errorf("%s: %s", path, body)
		}
	}
	for path, want := range map[string]string{
		"/usage?from=soon": "From: &#34;soon&#34; is no time", "/usage?from=2026-11&to=2026-10": "To: ", "/usage?report=x": "Report: &#34;x&#34; is unknown",
		"/usage?by=src": "Split by: &#34;src&#34;", "/usage?bucket=week": "Bucket: &#34;week&#34;", "/usage?tz=Mars": "Zone: ",
	} {
		if p := get(t, c, path); p.status != http.StatusBadRequest || !strings.Contains(p.body, want) {
			t.Errorf("%s: status %d: %s", path, p.status, p.body)
		}
	}
	body := wantPage(t, get(t, c, "/usage?report=concurrency&from=2026-11-20&to=2026-11-23")).body
	if n := strings.Count(body, "<tr>") - 1; n != maxReportRows || !strings.Contains(body, "These are the first 1000 rows") {
		t.Errorf("%d rows", n)
	}
}

// TestUsageMasked: accounts and trunks may be numbers.
func TestUsageMasked(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, func(o *Options) { o.Mask = true })
	for i := range 2 {
		insert(t, pool, aCall{id: fmt.Sprint(i), disposition: "answered", at: noon().AddDate(0, 0, -i), more: map[string]any{"account": "442079460123", "trunk": "sip:442079460123@x", "hangup_cause": "by 442079460123"}})
	}
	for _, path := range []string{"/usage?by=account&by=trunk&from=2026-11-01&to=2026-11-21", "/usage?report=kpi&by=trunk&from=2026-11-01&to=2026-11-21", "/usage?report=concurrency&by=account&from=2026-11-01&to=2026-11-21"} {
		if body := wantPage(t, get(t, c, path)).body; strings.Contains(body, "7946") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
