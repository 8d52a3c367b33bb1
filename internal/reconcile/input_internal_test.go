package reconcile

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/store"
)

func readAll(t interface{ Fatal(...any) }, providerName, text string) []string {
	var got []string
	in := Input{Source: store.Source{Name: "acme", Provider: providerName}, Files: []string{"-"}, Stdin: strings.NewReader(text), Now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	last := in.Now
	err := in.read(testContext(), func(e entry) error {
		if e.Reject != nil {
			got = append(got, fmt.Sprintf("%d: %s", e.line, e.Reject.Reason))
			return nil
		}
		if at := e.Events[0].ReceivedAt; at.Before(last) {
			t.Fatal("a later record was received before an earlier one")
		} else {
			last = at
		}
		got = append(got, fmt.Sprintf("%d %s", e.line, e.Events[0].CallID))
		return nil
	})
	if err != nil {
		got = append(got, err.Error())
	}
	return got
}

func post(id string) string {
	return `{"uuid":"` + id + `","date":"2025-10-14T12:00:00Z","from":"1","to":"2","direction":"inbound","disposition":"answered","duration":30,"destination":"} ] \" [ {","per_minute":"0","charge":"0"}`
}

func pretty(t interface{ Fatal(...any) }, text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReadsJSONHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	a, b := post("a"), post("b")
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"lines":                   {a + "\n" + b + "\n", []string{"1 a", "2 b"}},
		"no end of line":          {a + "\r\n\r\n" + b, []string{"1 a", "3 b"}},
		"byte order mark":         {"\xEF\xBB\xBF" + a + "\n" + b, []string{"1 a", "2 b"}},
		"two on a line":           {a + b + "\n" + a, []string{"1 a", "1 b", "2 a"}},
		"a list":                  {"[" + a + "," + b + "]", []string{"1 a", "1 b"}},
		"a list, an item a line":  {"[\n" + a + ",\n" + b + "\n]\n", []string{"2 a", "3 b"}},
		"a list, brackets beside": {"[" + a + ",\n" + b + "]", []string{"1 a", "2 b"}},
		"pretty":                  {pretty(t, a) + "\n" + pretty(t, b), []string{"1 a", "13 b"}},
		"a pretty list":           {pretty(t, "["+a+","+b+"]"), []string{"2 a", "14 b"}},
		"an envelope":             {`{"data":[` + a + "," + b + `],"meta":{"total":2,"pages":[{"x":1}]}}`, []string{"1 a", "1 b"}},
		"a pretty envelope":       {pretty(t, `{"data":[`+a+","+b+`],"meta":{"total":2}}`) + "\n" + pretty(t, a), []string{"3 a", "15 b", "32 a"}},
		"one broken line":         {a + "\n{\"uuid\":\n" + b + "\n", []string{"1 a", "2: body: byte 0: ends in the middle of a value", "3 b"}},
		"the first line broken":   {"{\"uuid\":\n" + a + "\n" + b + "\n", []string{"1: body: byte 0: ends in the middle of a value", "2 a", "3 b"}},
		"garbage between":         {pretty(t, a) + "\nwhat is this\n" + pretty(t, b), []string{"1 a", "13: body: byte 0: not JSON", "14 b"}},
		"cut off":                 {pretty(t, a) + "\n{\"uuid\":", []string{"1 a", "13: body: byte 0: ends in the middle of a value"}},
		"nothing":                 {" \n\n", []string{"-: the file is empty"}},
		"csv of a provider without": {"Date,From\n1,2\n",
			[]string{"-: this looks like CSV, and no CSV export of wavix is known: take the records as JSON, one a line"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readAll(t, "wavix", c.text); !slices.Equal(got, c.want) {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
		})
	}
}

// Whatever the layout, every record is read once, in order.
func TestReadsEveryRecord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "records")
		isPretty := rapid.Bool().Draw(t, "pretty")
		var items, want []string
		for i := range n {
			id := fmt.Sprintf("call-%d", i)
			item := post(id)
			if isPretty {
				item = pretty(t, item)
			}
			items, want = append(items, item), append(want, id)
		}
		separator := rapid.SampledFrom([]string{",", ",\n", "\n", "\r\n", " \n\n", ""}).Draw(t, "separator")
		around := rapid.SampledFrom([][2]string{{"", ""}, {"[", "]"}, {"[\n", "\n]\n"}, {`{"data": [`, `], "links": {"next": null}}`}, {"{\n\"data\": [\n", "]}"}}).Draw(t, "around")
		var got []string
		for _, line := range readAll(t, "wavix", around[0]+strings.Join(items, separator)+around[1]) {
			_, id, _ := strings.Cut(line, " ")
			got = append(got, id)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestReadsCSV(t *testing.T) {
	t.Parallel()
	const header = "Date/Time Start (UTC),DID,Duration (sec),Source Name,Call ID\n"
	row := func(id string) string { return "2025-02-14 16:00:00,442079460123,0,," + id }
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"rows":              {header + row("a") + "\n" + row("b") + "\n", []string{"2 a", "3 b"}},
		"windows":           {strings.ReplaceAll("\xEF\xBB\xBF"+header+row("a")+"\n\n"+row("b"), "\n", "\r\n"), []string{"2 a", "4 b"}},
		"quoted everything": {`"Date/Time Start (UTC)","DID","Duration (sec)","Call ID"` + "\n" + `"2025-02-14 16:00:00","442079460123","0","a"`, []string{"2 a"}},
		"a quoted line end": {header + strings.Replace(row("a"), "0,,", "0,\"Jane\nDoe\",", 1) + "\n" + row("b"), []string{"2 a", "4 b"}},
		"an open quote":     {header + strings.Replace(row("a"), "0,,", "0,\"Jane,", 1) + "\n" + row("b") + "\n" + row("c"), []string{"2: a quote is not closed", "3 b", "4 c"}},
		"two open quotes":   {header + strings.Replace(row("a"), "0,,", "0,x\"y,", 1) + "\n" + strings.Replace(row("b"), "0,,", "0,x\"y,", 1) + "\n" + row("c"), []string{`2: bare " in non-quoted-field`, "4 c"}},
		"a stray quote":     {header + strings.Replace(row("a"), "0,,", "0,\"x\"y\",", 1) + "\n" + row("b"), []string{"2: a quote is not closed", "3 b"}},
		"too many":          {header + row("a") + ",x\n" + row("b"), []string{"2: 6 fields, the header has 5", "3 b"}},
		"tabs":              {strings.ReplaceAll(header+row("a"), ",", "\t"), []string{"2 a"}},
		"no id":             {header + row("") + "\n" + row(" "), []string{"2 no call id", "3 no call id"}},
		"unknown columns":   {"a,b\n1,2", []string{`-: line 1: this is no export of DIDWW's call logs: no column is named "Destination DID" or "DID" (inbound), nor "CLI", "Billing Duration (sec)" or "Charged (USD)" (outbound)`}},
		"no start":          {"DID,Duration (sec)\n1,2", []string{`-: line 1: columns are missing: "Date/Time Start (UTC)"`}},
		"another zone":      {strings.Replace(header, "(UTC)", "(CET)", 1) + row("a"), []string{`-: line 1: column "Date/Time Start (CET)": only times in UTC can be read`}},
		"header alone":      {header, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readAll(t, "didww", c.text); !slices.Equal(got, c.want) {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
		})
	}
}

// A quote that is never closed must not swallow the file, nor take for ever.
func TestOpenQuoteInLongFile(t *testing.T) {
	t.Parallel()
	text := "Date/Time Start (UTC),DID,Duration (sec),Call ID\n2025-02-14 16:00:00,\"44,0,x\n" +
		strings.Repeat("2025-02-14 16:00:00,442079460123,0,a\n", 5*maxRow)
	if got := readAll(t, "didww", text); len(got) != 5*maxRow+1 || got[0] != "2: a quote is not closed" || got[5*maxRow] != fmt.Sprintf("%d a", 5*maxRow+2) {
		t.Errorf("%d lines: %q ... %q", len(got), got[0], got[len(got)-1])
	}
}

func TestReadsGzipFiles(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(post("a") + "\n" + post("b"))); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	whole, cut := filepath.Join(t.TempDir(), "x.gz"), filepath.Join(t.TempDir(), "cut.gz")
	for name, text := range map[string][]byte{whole: zipped.Bytes(), cut: zipped.Bytes()[:zipped.Len()-9]} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, fails := range map[string]bool{whole: false, cut: true, whole + ".missing": true} {
		in := Input{Source: store.Source{Provider: "wavix"}, Files: []string{name}}
		n := 0
		err := in.read(t.Context(), func(entry) error { n++; return nil })
		if (err != nil) != fails || !fails && n != 2 {
			t.Errorf("%s: %d records, %v", filepath.Base(name), n, err)
		}
	}
}

// A line that is too long is one unreadable record, and the next is read.
func TestLongLine(t *testing.T) {
	t.Parallel()
	got := readAll(t, "wavix", post("a")+"\n{\"uuid\":\""+strings.Repeat("x", MaxRecord)+"\"}\n"+post("b"))
	if want := []string{"1 a", "2: the line is longer than 16 MiB", "3 b"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func testContext() context.Context { return context.Background() }
