package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/ingest"
)

// The contract has every route of the server, and no other.
func TestContract(t *testing.T) {
	t.Parallel()
	var doc struct {
		OpenAPI string                    `yaml:"openapi"`
		Paths   map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	var promised, served []string
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "parameters" {
				promised = append(promised, strings.ToUpper(method)+" "+path)
			}
		}
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.echo.Routes() {
		if r.Method != echo.RouteNotFound {
			path := strings.NewReplacer(":source", "{source}", ":hint", "{hint}").Replace(r.Path)
			served = append(served, r.Method+" "+path)
		}
	}
	slices.Sort(promised)
	slices.Sort(served)
	if !slices.Equal(promised, served) {
		t.Errorf("promised %v\nserved   %v", promised, served)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
}

// Every reference within the contract leads somewhere.
func TestContractReferences(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				n++
				at := any(doc)
				for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[key]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(doc)
	if n < 10 {
		t.Errorf("only %d references", n)
	}
}

func TestSplitQuery(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                "",
		"token=a":                         "",
		"token":                           "",
		"a=1&token=x&b=2":                 "a=1&b=2",
		"event=x&a=%zz&b=+&&c":            "a=%zz&b=+&&c",
		"Token=a&tokens=b&x=token":        "Token=a&tokens=b&x=token",
		"a=\xC3\xA4":                      "a=\xC3\xA4",
		"a=\xE4&b=\xC3\xA4":               "a=%E4&b=%C3%A4",
		"%74oken=a&to%6Ben=b&%65vent=c&d": "d",
		"token=%zz":                       "",
	} {
		if got, _ := splitQuery(raw, true); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

// Taking off token and event leaves every other parameter as it was.
func FuzzSplitQuery(f *testing.F) {
	f.Add("a=1&token=x&b=%2A&event=y")
	f.Add("%74oken=\xFF&&=;&\xE4=")
	f.Fuzz(func(t *testing.T, raw string) {
		if strings.Contains(raw, ";") {
			return // net/url does not read it
		}
		rest, _ := splitQuery(raw, true)
		want, _ := url.ParseQuery(raw)
		got, _ := url.ParseQuery(rest)
		want.Del("token")
		want.Del("event")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	})
}

// An answer is what encoding/json would write.
func TestAppendResult(t *testing.T) {
	t.Parallel()
	for _, r := range []ingest.Result{
		{},
		{Received: 15, Stored: 1, Duplicates: 2, Quarantined: 3, Spooled: 9},
		{Received: 1 << 40, Stored: -1},
		{Received: 1, Errors: []ingest.RecordError{{Record: 7, Reason: "a <b> \u2028 \xFF"}, {}}},
	} {
		got := appendResult([]byte{}, r)
		if r.Errors == nil {
			r.Errors = []ingest.RecordError{}
		}
		var want bytes.Buffer
		if err := json.NewEncoder(&want).Encode(r); err != nil {
			t.Fatal(err)
		}
		if string(got) != want.String() {
			t.Errorf("got  %q\nwant %q", got, want.String())
		}
	}
}

// The lease has what the buffer has, whatever the first size and the reader.
func TestReadAll(t *testing.T) {
	t.Parallel()
	const limit = 50_000
	for _, n := range []int{0, 1, 511, 512, 513, 4096, limit - 1, limit, limit + 1} {
		for _, size := range []int64{1, minBuffer, int64(n) + 1, maxFirstBuffer} {
			for _, wrap := range []func(io.Reader) io.Reader{iotest.DataErrReader, iotest.HalfReader, iotest.OneByteReader} {
				all := budget{limit: 3 * limit}
				held := &lease{from: &all}
				text := bytes.Repeat([]byte("x"), n)
				body, err := readAll(wrap(bytes.NewReader(text)), size, limit, held)
				if n > limit {
					if !errors.Is(err, errTooLarge) {
						t.Errorf("%d: %v", n, err)
					}
				} else if err != nil || !bytes.Equal(body, text) || held.bytes != int64(cap(body)) {
					t.Errorf("%d in %d: %d bytes of %d, lease %d, %v", n, size, len(body), cap(body), held.bytes, err)
				}
				if held.end(); all.used.Load() != 0 {
					t.Errorf("%d in %d: %d kept", n, size, all.used.Load())
				}
			}
		}
	}
}

// The short way for a path as it should be is the same as the long one.
func FuzzNormalise(f *testing.F) {
	for _, path := range []string{"", "/", "//", "/a", "a", "/a/", "//a", "/a//b", "/a/b", "/a%2Fb/c"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u := url.URL{Path: path, RawPath: path}
		normalise(&u)
		parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
		if want := "/" + strings.Join(parts, "/"); u.Path != want || u.RawPath != "" {
			t.Errorf("%q: got %q, want %q", path, u.Path, want)
		}
	})
}
