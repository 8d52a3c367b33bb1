// Package testcase reads the folders of testdata/<provider>/<case>. One case
// drives the tests of decoding, of the store and of the HTTP receiver. Tests
// only.
//
// A case holds deliveries in the order of their names: NN-name.json is the body
// of a POST to /hooks/<provider>; NN-name.http is a request as it goes over the
// wire (request line, headers, empty line, body; the body is gzipped where the
// headers say so). Beside each stands NN-name.want.json: what it decodes to.
// source.json, if there, is what the configuration adds (cdr.Settings).
// rows.want.json is what the tables hold once everything has arrived.
package testcase

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Case is one folder.
type Case struct {
	Name       string // provider/case
	Provider   string
	Dir        string
	Settings   cdr.Settings
	Deliveries []Delivery
}

// Delivery is one request of a case.
type Delivery struct {
	Name   string // file name without extension
	Method string
	Target string // path and query, beginning with /hooks/
	Header http.Header
	Body   []byte // not compressed
}

// Load reads all cases below testdata of the module, but for rates and imports,
// which hold no deliveries.
func Load(t testing.TB) []Case {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(Root(t), "*", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no test cases found: %v", err)
	}
	var cases []Case
	for _, dir := range dirs {
		if parent := filepath.Base(filepath.Dir(dir)); parent == "rates" || parent == "imports" {
			continue
		}
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			cases = append(cases, load(t, dir))
		}
	}
	return cases
}

// Root returns the module's testdata folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata")
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("not inside of the module")
	return ""
}

func load(t testing.TB, dir string) Case {
	t.Helper()
	provider := filepath.Base(filepath.Dir(dir))
	c := Case{Name: provider + "/" + filepath.Base(dir), Provider: provider, Dir: dir}
	if text, err := os.ReadFile(filepath.Join(dir, "source.json")); err == nil {
		if err := json.Unmarshal(text, &c.Settings); err != nil {
			t.Fatalf("%s: source.json: %v", c.Name, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, ".want.json") || name == "source.json" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		d := Delivery{
			Name: strings.TrimSuffix(name, filepath.Ext(name)), Method: http.MethodPost,
			Target: "/hooks/" + provider, Header: http.Header{"Content-Type": {"application/json"}}, Body: text,
		}
		if filepath.Ext(name) == ".http" {
			d.parse(t, c.Name, text)
		}
		c.Deliveries = append(c.Deliveries, d)
	}
	if len(c.Deliveries) == 0 {
		t.Fatalf("%s: no deliveries", c.Name)
	}
	return c
}

// parse reads a .http file by hand: net/http would want a Content-Length.
func (d *Delivery) parse(t testing.TB, name string, text []byte) {
	t.Helper()
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	words := strings.Fields(lines[0])
	if len(words) < 2 || !strings.HasPrefix(words[1], "/hooks/") {
		t.Fatalf("%s: %s: the first line must be METHOD /hooks/...", name, d.Name)
	}
	d.Method, d.Target, d.Header, d.Body = words[0], words[1], http.Header{}, body
	for _, line := range lines[1:] {
		key, value, found := strings.Cut(line, ": ")
		if !found {
			t.Fatalf("%s: %s: not a header: %q", name, d.Name, line)
		}
		d.Header.Add(key, value)
	}
}

// Delivery returns the delivery as the receiver hands it to decoding, received
// a minute after the one before it.
func (c Case) Delivery(i int) cdr.Delivery {
	d := c.Deliveries[i]
	path, query, _ := strings.Cut(d.Target, "?")
	hint := strings.Trim(strings.TrimPrefix(path, "/hooks/"+c.Provider), "/")
	query = withoutParams(query, "token")
	if c.Provider == "voipnow" {
		values, _ := url.ParseQuery(query)
		hint = cmp.Or(hint, values.Get("event"))
		query = withoutParams(query, "event")
	}
	return cdr.Delivery{
		Source: c.Provider, Provider: c.Provider, Settings: c.Settings,
		Hint: hint, Method: d.Method, Query: query,
		ContentType: d.Header.Get("Content-Type"), Body: d.Body,
		ReceivedAt: Start().Add(time.Duration(i) * time.Minute),
	}
}

// Start is when the first delivery of every case is received.
func Start() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }

func withoutParams(query string, names ...string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		drop := pair == ""
		for _, n := range names {
			drop = drop || name == n
		}
		if !drop {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
