package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// now is when the reports of these tests are made.
var now = time.Date(2026, 10, 26, 9, 30, 0, 0, time.UTC)

// TestOutput runs the requests of testdata/output and compares what they print
// with the files beside them. UPDATE=1 writes these anew, to be looked at.
func TestOutput(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	setup, err := os.ReadFile("testdata/output/calls.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), string(setup)); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Request{
		"usage":           {Kind: "usage", Zone: "Europe/London", By: []string{"hour", "source", "account"}},
		"usage-total":     {Kind: "usage", From: "2026-10", To: "2026-12"},
		"usage-day":       {Kind: "usage", From: "2026-10-24", To: "2026-10-26", Zone: "Asia/Kolkata", Bucket: "day", By: []string{"dst_country", "trunk", "trunk"}},
		"usage-of-one":    {Kind: "usage", By: []string{"month"}, Source: "wavix"},
		"usage-of-nobody": {Kind: "usage", Source: "silent"},
		"kpi":             {Kind: "kpi", By: []string{"source"}},
		"kpi-of-one":      {Kind: "kpi", Source: "acme", Bucket: "month"},
		"concurrency":     {Kind: "concurrency", From: "2026-10-25T01:29", To: "2026-10-25T01:52", Zone: "UTC"},
		"completeness":    {Kind: "completeness"},
		"completeness-of": {Kind: "completeness", Source: "acme", By: []string{"source"}},
	} {
		for _, format := range Formats() {
			r.Format = format
			var out bytes.Buffer
			if err := Run(t.Context(), pool, r, now, &out); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			path := filepath.Join("testdata/output", name+map[string]string{"table": ".txt", "csv": ".csv", "json": ".json"}[format])
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || out.String() != string(want) {
				t.Errorf("%s (%v): got\n%s\nwant\n%s", path, err, &out, want)
			}
			checkFormat(t, format, out.String())
		}
	}
}

// checkFormat reads what was printed with another's reader.
func checkFormat(t *testing.T, format, text string) {
	t.Helper()
	switch format {
	case "csv":
		if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) == 0 || strings.Count(text, "\r\n") < len(rows) {
			t.Errorf("no CSV with a header and CRLF: %v\n%s", err, text)
		}
	case "json":
		var rows []map[string]any
		if err := json.Unmarshal([]byte(text), &rows); err != nil || rows == nil {
			t.Errorf("no array of objects: %v\n%s", err, text)
		}
		for _, row := range rows {
			for name, value := range row {
				if _, isNumber := value.(float64); isNumber && (strings.Contains(name, "cost") && name != "cost_unknown" || strings.Contains(name, "sec")) {
					t.Errorf("%s is a number: %v", name, value)
				}
			}
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Request{
		`report: "billing" is unknown; write one of usage, tax, kpi, concurrency, completeness`: {Kind: "billing", Format: "csv"},
		`--format: "xml" is unknown; write one of table, csv, json`:                             {Kind: "usage", Format: "xml"},
		`--format: "" is unknown`: {Kind: "usage"},
		`--bucket: "week" is unknown; write one of hour, day, month, all`:                                             {Kind: "usage", Format: "csv", Bucket: "week"},
		`--by: "tag" is unknown; write one of source, provider, account, trunk, direction, country, hour, day, month`: {Kind: "usage", Format: "csv", By: []string{"source", "tag"}},
		`--by: "all" is unknown`:                             {Kind: "usage", Format: "csv", By: []string{"all"}},
		`--by: day and month are two buckets`:                {Kind: "kpi", Format: "csv", By: []string{"day", "month"}},
		`--by: hour and day are two buckets`:                 {Kind: "kpi", Format: "csv", By: []string{"day"}, Bucket: "hour"},
		`report concurrency is by the minute: leave out day`: {Kind: "concurrency", Format: "csv", By: []string{"day"}},
		`report completeness is by source`:                   {Kind: "completeness", Format: "csv", By: []string{"trunk"}},
		`report completeness is by source: `:                 {Kind: "completeness", Format: "csv", By: []string{"day"}},
		`--tz: "Mars" is no name of a time zone`:             {Kind: "usage", Format: "csv", Zone: "Mars"},
		`--from: "soon" is no time`:                          {Kind: "usage", Format: "csv", From: "soon"},
		`--to: 2026-10-01T00:00:00Z is not after --from`:     {Kind: "usage", Format: "csv", From: "2026-11", To: "2026-10"},
		`--from: the clocks of Europe/London show 2026-10-25 01:30 twice, and this is the second time; write both ends in UTC`: {Kind: "usage", Format: "csv", Zone: "Europe/London", From: "2026-10-25T01:30Z"},
	} {
		if err := Check(r, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
	for _, r := range []Request{
		{Kind: "usage", Format: "csv", By: []string{"day", "day", " source"}, Bucket: "day"}, {Kind: "usage", Format: "csv", Zone: "Europe/London", From: "2026-10-25T01:30+01:00"},
	} {
		if err := Check(r, now); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestUnknownSource(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), "INSERT INTO source (name, provider) VALUES ('b', 'didww'), ('a', 'wavix')"); err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds() {
		var out bytes.Buffer
		err := Run(t.Context(), pool, Request{Kind: kind, Format: "csv", Source: "c"}, now, &out)
		if err == nil || !strings.Contains(err.Error(), `there is no source "c"; there are: a, b`) || out.Len() > 0 {
			t.Errorf("%s: %v, %q", kind, err, &out)
		}
	}
}

// TestWriteErrors: a report that was not written to its end is an error.
func TestWriteErrors(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	insert(t, pool, aCall{Source: "a", CallID: "1", At: now.Add(-time.Hour)})
	for _, format := range Formats() {
		if err := Run(t.Context(), pool, Request{Kind: "usage", Format: format}, now, full{}); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", format, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, pool, Request{Kind: "usage", Format: "csv"}, now, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

var errFull = errors.New("the disk is full")

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestGrouped(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1234567.8901": "-1,234,567.8901", "123456": "123,456", "-100": "-100"} {
		if got := grouped(number); got != want {
			t.Errorf("%s is written %s, want %s", number, got, want)
		}
	}
}
