package api

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"
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
