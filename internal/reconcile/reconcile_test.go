package reconcile_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/reconcile"
	"github.com/cdrstore/cdrstore/internal/store"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func post(id, at, direction, duration, charge string) string {
	return fmt.Sprintf(`{"uuid":%q,"date":%q,"from":"12025550143","to":"442079460100","direction":%q,"disposition":"answered","duration":%s,"destination":"x","per_minute":"0.005","charge":%q}`+"\n",
		id, at, direction, duration, charge)
}

// statuses compares a file and returns "status id" of each row.
func (b *bench) statuses(t *testing.T, o reconcile.Options, file string) ([]string, reconcile.Totals) {
	t.Helper()
	var got []string
	totals, err := reconcile.Files(t.Context(), b.pool, b.input(file), o, func(r reconcile.Row) error {
		got = append(got, r.Status+" "+r.CallID)
		return nil
	}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, totals
}

func TestOnlyOursAreOfTheFilesSpanAndDirections(t *testing.T) {
	t.Parallel()
	b := newBench(t, "wavix", cdr.Settings{})
	in := post("in-1", "2025-10-14T12:00:00.5Z", "inbound", "30", "0.1") + post("in-2", "2025-10-14T13:00:00Z", "inbound", "31", "0.1") +
		post("in-3", "2025-10-14T14:00:00.7Z", "inbound", "32", "0.1")
	b.push(t, []byte(in+post("out", "2025-10-14T13:30:00Z", "outbound", "33", "0.1")+post("early", "2025-10-01T00:00:00Z", "inbound", "34", "0.1")+
		post("late", "2025-10-31T23:59:59Z", "inbound", "35", "0.1")+post("next", "2025-11-01T00:00:00Z", "inbound", "36", "0.1")))
	theirs := post("in-1", "2025-10-14T12:00:00.5Z", "inbound", "30", "0.1") + post("in-3", "2025-10-14T14:00:00.7Z", "inbound", "32", "0.1")
	got, totals := b.statuses(t, reconcile.Options{}, write(t, theirs))
	if want := []string{"only ours in-2", "same in-1", "same in-3"}; !slices.Equal(got, want) || totals.Agree() {
		t.Errorf("%q, want %q", got, want)
	}
	if totals.Ours.Calls != 3 || totals.Theirs.Calls != 2 || !totals.Ours.Billsec.Equal(decimal.NewFromInt(93)) || !totals.Ours.Cost["USD"].Equal(decimal.RequireFromString("0.3")) {
		t.Errorf("%+v", totals)
	}
	month := reconcile.Options{From: time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)}
	got, _ = b.statuses(t, month, write(t, theirs))
	if want := []string{"only ours early", "only ours in-2", "only ours late", "same in-1", "same in-3"}; !slices.Equal(got, want) {
		t.Errorf("the month: %q, want %q", got, want)
	}
	got, _ = b.statuses(t, month, write(t, theirs+post("out", "2025-10-14T13:30:00Z", "outbound", "33", "0.1")))
	if want := []string{"only ours early", "only ours in-2", "only ours late", "same in-1", "same in-3", "same out"}; !slices.Equal(got, want) {
		t.Errorf("both directions: %q, want %q", got, want)
	}
	b.src.Name = "another"
	if got, _ := b.statuses(t, month, write(t, theirs)); !slices.Equal(got, []string{"only theirs in-1", "only theirs in-3"}) {
		t.Errorf("another source: %q", got)
	}
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	b := newBench(t, "wavix", cdr.Settings{})
	b.push(t, []byte(post("a", "2025-10-14T12:00:00.5Z", "inbound", "30", "0.1000")))
	amount := func(text string) decimal.Decimal { return decimal.RequireFromString(text) }
	for _, c := range []struct {
		at, duration, charge string
		t                    reconcile.Tolerance
		fields               string
	}{
		{"2025-10-14T12:00:00.5Z", "30", "0.1", reconcile.Tolerance{}, ""},
		{"2025-10-14T12:00:00Z", "30", "0.1", reconcile.Tolerance{}, ""}, // it prints no fraction
		{"2025-10-14T12:00:00.4Z", "30", "0.1", reconcile.Tolerance{}, "started_at -0.1"},
		{"2025-10-14T12:00:02Z", "30", "0.1", reconcile.Tolerance{}, "started_at 1.5"},
		{"2025-10-14T12:00:02Z", "30", "0.1", reconcile.Tolerance{Seconds: amount("1")}, ""},
		{"2025-10-14T12:00:00.5Z", "31", "0.1", reconcile.Tolerance{}, "billsec 1"},
		{"2025-10-14T12:00:00.5Z", "29", "0.1", reconcile.Tolerance{Seconds: amount("1")}, ""},
		{"2025-10-14T12:00:00.5Z", "30", "0.1001", reconcile.Tolerance{}, "cost 0.0001"},
		{"2025-10-14T12:00:00.5Z", "30", "0.0999", reconcile.Tolerance{Amount: amount("0.0001")}, ""},
		{"2025-10-14T12:00:00.5Z", "30", "0.0998", reconcile.Tolerance{Amount: amount("0.0001")}, "cost -0.0002"},
	} {
		var got []string
		_, err := reconcile.Files(t.Context(), b.pool, b.input(write(t, post("a", c.at, "inbound", c.duration, c.charge))), reconcile.Options{Tolerance: c.t}, func(r reconcile.Row) error {
			for _, d := range r.Differences {
				got = append(got, d.Field+" "+d.By.Decimal.String())
			}
			if (r.Status == reconcile.Differs) != (len(r.Differences) > 0) {
				t.Errorf("%+v", r)
			}
			return nil
		}, func(int) {})
		if err != nil || strings.Join(got, ", ") != c.fields {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

func TestPrunedCallsAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, "wavix", cdr.Settings{})
	body := post("a", "2025-10-14T12:00:00Z", "inbound", "30", "0.1")
	b.push(t, []byte(body))
	if _, err := b.store.Prune(t.Context(), store.Pruning{Before: time.Now().Add(time.Hour)}, func(int) {}); err != nil {
		t.Fatal(err)
	}
	before := b.rows(t)
	file := write(t, body+post("a", "2025-10-14T12:00:00Z", "inbound", "30", "0.2"))
	if got := b.imported(t, false, file); !strings.Contains(got, "NotAdded:2") || !strings.Contains(got, "the call was pruned") {
		t.Error(got)
	}
	if after := b.rows(t); !sameRows(t, before, after) {
		t.Error("something was written")
	}
	if got, totals := b.statuses(t, reconcile.Options{}, file); len(got) > 0 || totals.Emptied != 1 || totals.Theirs.Records != 0 {
		t.Errorf("%q, %+v", got, totals)
	}
}

// Many calls that nobody answered share a second and their numbers: a lost one is
// no copy of another. One that cost something is taken for it.
// TestWorseImport: a file that a spreadsheet has spoilt, or one without a column,
// takes nothing away from what was imported before.
func TestWorseImport(t *testing.T) {
	t.Parallel()
	const start = `2025-04-01 10:00:00`
	for name, c := range map[string]struct{ heading, cost, said, want string }{
		"a decimal comma":  {"Charged (USD)", `"0,020"`, "unreadable", "0.01 USD"},
		"no amount":        {"Charged (USD)", "", "not added", "0.01 USD"},
		"no column for it": {"Charges", "0.020", "not added", "0.01 USD"},
		"a better one":     {"Charged (USD)", "0.020", "replaces", "0.02 USD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "didww", cdr.Settings{})
			csv := func(heading, cost, network string) string {
				return write(t, "Date/Time Start (UTC),CLI,Destination Number,Call Duration (sec),Status,Network,"+heading+",Call ID\n"+
					start+",442079460123,14155550199,55,Success,"+network+","+cost+",one@example.com\n")
			}
			b.imported(t, false, csv("Charged (USD)", "0.010", "x"))
			if said := b.imported(t, false, csv(c.heading, c.cost, "y")); !strings.Contains(said, "line 2: "+c.said) {
				t.Error(said)
			}
			var got string
			if err := b.pool.QueryRow(t.Context(), `SELECT coalesce(trim_scale(cost) || ' ' || currency, 'no cost') FROM call`).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, err)
			}
		})
	}
}

func TestLookAlikes(t *testing.T) {
	t.Parallel()
	b := newBench(t, "wavix", cdr.Settings{})
	b.push(t, []byte(post("a", "2025-10-14T12:00:00Z", "inbound", "0", "0")+post("b", "2025-10-14T13:00:00Z", "inbound", "30", "0.1")))
	got := b.imported(t, false, write(t, post("c", "2025-10-14T12:00:00.5Z", "inbound", "0", "0")+post("d", "2025-10-14T13:00:00.5Z", "inbound", "30", "0.1")+
		post("e", "2025-10-14T13:00:00.5Z", "inbound", "31", "0.1")+post("f", "2025-10-14T13:00:02Z", "inbound", "30", "0.1")))
	if !strings.Contains(got, "CDRs:3") || !strings.Contains(got, "line 2: not added d d: it looks like call b") {
		t.Error(got)
	}
}

// A file with a record that the database refuses loses that record alone, and
// nothing goes to the quarantine.
func TestRefusedByTheDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t, "wavix", cdr.Settings{})
	if _, err := b.pool.Exec(t.Context(), "ALTER TABLE event ADD CHECK (call_id <> 'bad')"); err != nil {
		t.Fatal(err)
	}
	file := ""
	for _, id := range []string{"a", "b", "bad", "c", "d"} {
		file += post(id, "2025-10-14T12:00:00Z", "inbound", "0", "0")
	}
	got := b.imported(t, false, write(t, file))
	if !strings.Contains(got, "CDRs:4") || !strings.Contains(got, "Unreadable:1") || !strings.Contains(got, "line 3: unreadable") {
		t.Error(got)
	}
	if rows := b.rows(t); len(rows.Calls) != 4 || len(rows.Quarantine) != 0 {
		t.Errorf("%+v", rows)
	}
}

// The very record that is imported may be pushed later: it is an event of its own
// and wins; a live event is the same event however it came.
func TestIdentity(t *testing.T) {
	t.Parallel()
	adapter, _ := provider.ByName("wavix")
	live := `{"uuid":"a","event_type":"call_setup","event_time":"2025-10-14T12:00:00Z","event_payload":{},"from":"1","to":"2","call_started":"2025-10-14T12:00:00Z","direction":"inbound"}`
	for body, same := range map[string]bool{post("a", "2025-10-14T12:00:00Z", "inbound", "30", "0.1"): false, live: true} {
		d := cdr.Delivery{Source: "acme", Provider: "wavix", Body: []byte(body)}
		pushed, imported := adapter.Read(d)[0].Events[0], adapter.ReadImported(d)[0].Events[0]
		if (pushed.ID == imported.ID) != same || pushed.Facts.Imported || imported.Facts.Imported == same || pushed.RecordKey != imported.RecordKey {
			t.Errorf("%s: %+v, %+v", body, pushed, imported)
		}
		again, err := adapter.Redecode(imported, cdr.Settings{})
		if err != nil || again.Facts.Imported == same || again.ID != imported.ID {
			t.Errorf("read again: %+v, %v", again, err)
		}
	}
}

func TestMonth(t *testing.T) {
	t.Parallel()
	b := newBench(t, "didww", cdr.Settings{Currency: "USD"})
	out := func(id, at, price, billed string) string {
		return fmt.Sprintf(`{"type":"outbound-cdr","id":%q,"attributes":{"call_id":%q,"src_number":"1","dst_number":"2","time_start":%q,"time_connect":%q,"time_end":%q,"duration":61,"success":true,"disconnect_code":200,"billing_duration":%s,"price":%s}}`+"\n",
			id, id, at, at, at, billed, price)
	}
	b.push(t, []byte(out("before", "2026-09-30T22:59:59+00:00", "100", "1000")+out("first", "2026-09-30T23:00:00+00:00", "0.1", "66")+
		out("last", "2026-10-31T23:59:59+00:00", "0.2", "null")+out("after", "2026-11-01T00:00:00+00:00", "100", "1000")+
		`{"type":"outbound-cdr","id":"busy","attributes":{"call_id":"busy","src_number":"1","dst_number":"2","time_start":"2026-10-05T00:00:00+00:00","time_end":"2026-10-05T00:00:01+00:00","duration":0,"success":false,"disconnect_code":486,"price":0}}`))
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	known := func(text string) cdr.Amount { return decimal.NewNullDecimal(decimal.RequireFromString(text)) }
	in := reconcile.Invoice{
		Source: "acme", From: time.Date(2026, 10, 1, 0, 0, 0, 0, london), To: time.Date(2026, 11, 1, 0, 0, 0, 0, london),
		Calls: known("3"), Answered: known("2"), Billsec: known("122"), Minutes: known("2.1167"), Cost: known("0.3"), Currency: "USD",
	}
	lines, err := reconcile.Month(t.Context(), b.pool, in, reconcile.Tolerance{})
	if err != nil || len(lines) != 5 || slices.ContainsFunc(lines, func(l reconcile.Line) bool { return l.Differ }) {
		t.Errorf("%+v, %v", lines, err)
	}
	in.Calls, in.Answered, in.Minutes, in.Billsec, in.Cost = known("4"), cdr.Amount{}, known("2"), cdr.Amount{}, known("0.31")
	lines, err = reconcile.Month(t.Context(), b.pool, in, reconcile.Tolerance{Amount: decimal.RequireFromString("0.01"), Seconds: decimal.NewFromInt(6)})
	if err != nil || len(lines) != 3 || !lines[0].Differ || !lines[1].Differ || lines[2].Differ {
		t.Errorf("%+v, %v", lines, err)
	}
	in.Currency, in.Direction = "EUR", cdr.Inbound
	lines, err = reconcile.Month(t.Context(), b.pool, in, reconcile.Tolerance{})
	if err != nil || !lines[2].Ours.IsZero() || !lines[0].Ours.IsZero() {
		t.Errorf("%+v, %v", lines, err)
	}
	in.Direction = ""
	lines, _ = reconcile.Month(t.Context(), b.pool, in, reconcile.Tolerance{})
	if !lines[2].Ours.IsZero() || !strings.Contains(lines[2].Note, "3 calls are in other currencies") {
		t.Errorf("%+v", lines)
	}
}

func TestPrinters(t *testing.T) {
	t.Parallel()
	rows := []reconcile.Row{
		{Status: reconcile.Same, CallID: "same"},
		{Status: reconcile.Differs, File: "f", Line: 2, CallID: "a,b", Differences: []reconcile.Difference{
			{Field: "billsec", Theirs: "2", Ours: "1", By: decimal.NewNullDecimal(decimal.NewFromInt(1))}, {Field: "src", Theirs: "1", Ours: "2"},
		}},
		{Status: reconcile.OnlyOurs, CallID: "c", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	}
	totals := reconcile.Totals{Differ: 1, Theirs: reconcile.Sum{Cost: map[string]decimal.Decimal{"USD": decimal.NewFromInt(2)}}}
	print := func(format string, rows []reconcile.Row) string {
		var out strings.Builder
		p := reconcile.Printer{Out: &out, Format: format}
		for _, r := range rows {
			if err := p.Row(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.End(totals); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, some := range [][]reconcile.Row{nil, rows[:1], rows} {
		var report struct {
			Rows   []reconcile.Row  `json:"rows"`
			Totals reconcile.Totals `json:"totals"`
		}
		if err := json.Unmarshal([]byte(print("json", some)), &report); err != nil || len(report.Rows) != max(len(some)-1, 0) || report.Totals.Differ != 1 {
			t.Errorf("%v: %s", err, print("json", some))
		}
		cells, err := csv.NewReader(strings.NewReader(print("csv", some))).ReadAll()
		if err != nil || len(cells) != 1+map[int]int{0: 0, 1: 0, 3: 3}[len(some)]+5 {
			t.Errorf("%v: %q", err, cells)
		}
	}
	if got := print("table", rows); !strings.Contains(got, "differs: f line 2: call a,b: billsec 2, ours 1 (+1); src 1, ours 2\n") || strings.Contains(got, "same:") {
		t.Error(got)
	}
}

// TestPlantedDifferences compares a file in which each line has another fault with
// what was pushed, and wants each in its count, and sums that add up.
func TestPlantedDifferences(t *testing.T) {
	t.Parallel()
	b := newBench(t, "didww", cdr.Settings{Currency: "EUR"})
	line := func(id, price, vat string) string {
		return fmt.Sprintf(`{"type":"outbound-cdr","id":%q,"attributes":{"call_id":%q,"time_start":"2026-03-02T09:00:00.125000+00:00","time_connect":"2026-03-02T09:00:05.125000+00:00",`+
			`"time_end":"2026-03-02T09:00:35.125000+00:00","success":true,"duration":30,"src_number":"442079460101","dst_number":"33170189900","price":%s,"customer_vat":%s}}`+"\n",
			id, id, price, vat)
	}
	ours := [][2]string{{"same", "0.1"}, {"theirs-null", "0.104"}, {"ours-null", "null"}, {"differs", "0.1"}, {"twice", "0.1"}, {"tax", "0.1"}, {"forgiven", "0.1"}}
	for _, c := range ours {
		b.push(t, []byte(line(c[0], c[1], "0.2")))
	}
	file := write(t, line("same", "0.1", "0.2")+line("theirs-null", "null", "0.2")+line("ours-null", "0.05", "0.2")+line("differs", "0.2", "0.2")+
		line("twice", "0.3", "0.2")+line("twice", "0.1", "0.2")+line("tax", "0.1", "0.35")+line("forgiven", "0.1004", "0.2"))
	got, totals := b.statuses(t, reconcile.Options{Tolerance: reconcile.Tolerance{Amount: decimal.RequireFromString("0.001")}}, file)
	want := []string{"differs differs", "differs tax", "not priced by them theirs-null", "not priced by us ours-null", "repeated twice", "same forgiven", "same same", "same twice"}
	for i := range got {
		got[i], _, _ = strings.Cut(got[i], "~")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if totals.Agree() || totals.Same != 3 || totals.Differ != 2 || totals.NotPricedByThem != 1 || totals.NotPricedByUs != 1 || totals.Repeated != 1 {
		t.Errorf("%+v", totals)
	}
	if theirs, ours := totals.Theirs, totals.Ours; theirs.Cost["EUR"].String() != "0.9504" || ours.Cost["EUR"].String() != "0.604" ||
		theirs.Tax["EUR"].String() != "1.75" || theirs.Records != 8 || ours.Records != 7 || theirs.NoCost != 1 || ours.NoCost != 1 {
		t.Errorf("theirs %+v, ours %+v", theirs, ours)
	}
	if f := totals.Forgiven; f.Records != 1 || f.Amount["EUR"].String() != "0.0004" {
		t.Errorf("forgiven %+v", f)
	}
}

// TestDecimalCommas: one file writes its numbers in one way.
func TestDecimalCommas(t *testing.T) {
	t.Parallel()
	const header = "Date/Time Start (UTC);CLI;Destination Number;Call Duration (sec);Status;Charged (USD);Call ID\n"
	row := func(id, charged string) string {
		return "2025-04-01 10:00:00;442079460123;14155550199;55;Success;" + charged + ";" + id + "\n"
	}
	for name, c := range map[string]struct {
		file       string
		cost       string
		unreadable int
	}{
		"commas":             {header + row("a", "0,05") + row("b", "9,9900"), "10.04", 0},
		"points":             {header + row("a", "0.05") + row("b", "9.9900"), "10.04", 0},
		"both":               {header + row("a", "0.05") + row("b", "9,9900"), "0.05", 1},
		"thousands":          {header + row("a", "1.234,56") + row("b", "0,05"), "0.05", 1},
		"perhaps thousands":  {header + row("a", "1,234"), "0", 1},
		"clearly no decimal": {header + row("a", "0,05") + row("b", "1,234"), "1.284", 0},
		"no number":          {header + row("a", "n/a") + row("b", "0,05"), "0.05", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "didww", cdr.Settings{})
			_, totals := b.statuses(t, reconcile.Options{}, write(t, c.file))
			if totals.Unreadable != c.unreadable || totals.Theirs.Cost["USD"].String() != c.cost {
				t.Errorf("%+v", totals)
			}
			if said := b.imported(t, true, write(t, c.file)); !strings.Contains(said, fmt.Sprintf("Unreadable:%d", c.unreadable)) {
				t.Error(said)
			}
		})
	}
}

// TestHeaderAlone: a file without records agrees with nothing.
func TestHeaderAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, "didww", cdr.Settings{})
	_, totals := b.statuses(t, reconcile.Options{}, write(t, "Date/Time Start (UTC),CLI,Destination Number,Call Duration (sec),Charged (USD),Call ID\n"))
	if totals.Agree() {
		t.Errorf("%+v", totals)
	}
}
