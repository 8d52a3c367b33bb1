package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// load writes a sources file, where there is one, and loads it with env.
func load(t *testing.T, file string, env map[string]string) (config.Config, error) {
	t.Helper()
	all := map[string]string{}
	if file != "" {
		all["CDRSTORE_CONFIG"] = filepath.Join(t.TempDir(), "sources.yaml")
		if err := os.WriteFile(all["CDRSTORE_CONFIG"], []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range env {
		all[k] = v
	}
	return config.Load(func(name string) (string, bool) {
		v, ok := all[name]
		return v, ok
	})
}

func mustLoad(t *testing.T, file string, env map[string]string) config.Config {
	t.Helper()
	c, err := load(t, file, env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "", map[string]string{"DATABASE_URL": "", "CDRSTORE_LISTEN": ""})
	if c.DatabaseURL != "" || c.Listen != "127.0.0.1:8080" || c.DataDir != "./data" || !c.Loopback() {
		t.Errorf("got %+v", c)
	}
	var names []string
	for _, s := range c.Sources {
		names = append(names, s.Name)
		if s.Name != s.Provider || s.HasCredential() {
			t.Errorf("source %+v", s)
		}
	}
	if len(names) != len(provider.All()) {
		t.Errorf("sources %v", names)
	}
}

func TestTokenOfDefaultSources(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "", map[string]string{"CDRSTORE_TOKEN": "s3cret", "CDRSTORE_LISTEN": ":8080"})
	for _, s := range c.Sources {
		if !reflect.DeepEqual(s.Tokens, []string{"s3cret"}) {
			t.Errorf("source %s has %d tokens", s.Name, len(s.Tokens))
		}
	}
}

func TestTokenIsNotForTheFile(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "sources: [{name: a, provider: didww}]", map[string]string{"CDRSTORE_TOKEN": "s3cret"})
	if len(c.Sources) != 1 || c.Sources[0].HasCredential() {
		t.Errorf("got %+v", c.Sources)
	}
	_, err := load(t, "sources: [{name: a, provider: didww}]",
		map[string]string{"CDRSTORE_TOKEN": "s3cret", "CDRSTORE_LISTEN": ":8080"})
	if err == nil || !strings.Contains(err.Error(), "the source a would take deliveries from anybody") {
		t.Errorf("error %v", err)
	}
}

// The file of the design, to the letter.
const example = `sources:
  - name: didww-acme
    provider: didww
    aliases: [didww-old]            # former names whose URLs still arrive
    basic_auth: {username: acme, password: ${DIDWW_PASSWORD}}    # any of these; all that are set must hold
    headers: {X-Auth-Token: ${DIDWW_TOKEN}}
    token: ${HOOK_TOKEN}            # ?token=… or Authorization: Bearer …
    allow_ips: [46.19.210.148, "2a01:ad00:2:3::148"]
    currency: USD                   # what the provider's amounts are in, when it does not say
    country: GB                     # how to read national numbers, when it sends them
  - {name: pbx, provider: voipnow, token: x, answer_events: true, cost_includes_tax: unknown}
trusted_proxies: [10.0.0.0/8]       # whose X-Forwarded-For is believed; nobody's by default
`

func TestFileOfTheDesign(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, example, map[string]string{
		"DIDWW_PASSWORD": "p} #: $$x", "DIDWW_TOKEN": "h", "HOOK_TOKEN": "t", "CDRSTORE_LISTEN": "0.0.0.0:80",
	})
	yes := true
	want := []config.Source{{
		Name: "didww-acme", Provider: "didww", Aliases: []string{"didww-old"},
		BasicAuth: config.BasicAuth{Username: "acme", Passwords: []string{"p} #: $$x"}},
		Headers:   map[string][]string{"X-Auth-Token": {"h"}},
		Tokens:    []string{"t"},
		AllowIPs:  []netip.Prefix{netip.MustParsePrefix("46.19.210.148/32"), netip.MustParsePrefix("2a01:ad00:2:3::148/128")},
		Settings:  cdr.Settings{Currency: "USD", Country: "GB"},
	}, {
		Name: "pbx", Provider: "voipnow", Tokens: []string{"x"}, Settings: cdr.Settings{AnswerEvents: &yes, CostIncludesTax: "unknown"},
	}}
	if !reflect.DeepEqual(c.Sources, want) {
		t.Errorf("got  %+v\nwant %+v", c.Sources, want)
	}
	if !reflect.DeepEqual(c.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}) {
		t.Errorf("proxies %v", c.TrustedProxies)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	env := map[string]string{"A": "one", "B": "two"}
	for file, want := range map[string][]string{
		`[old, new]`:                   {"old", "new"},
		"\n      - ${A}\n      - ${B}": {"one", "two"},
		`${A}-${B}`:                    {"one-two"},
		`"x$${A}$y$"`:                  {"x${A}$y$"},
		`"pa$$word"`:                   {"pa$word"},
		`0123`:                         {"0123"},
		`true`:                         {"true"},
		"|-\n      ${A}":               {"one"},
		`x # ${UNSET}`:                 {"x"},
	} {
		c := mustLoad(t, "sources:\n  - name: a\n    provider: wavix\n    token: "+file+"\n", env)
		if got := c.Sources[0].Tokens; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "LocalHost:0": true,
		"[::ffff:127.0.0.1]:1": true, ":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false,
		"localhost.example.com:1": false, "example.com:1": false, "nonsense": false,
	} {
		if got := (config.Config{Listen: listen}).Loopback(); got != want {
			t.Errorf("%s: %v", listen, got)
		}
	}
}

func TestOpenSources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source, listen string
		fails          bool
	}{
		{"", "0.0.0.0:80", true},
		{"", "example.com:80", true},
		{"", "127.0.0.1:80", false},
		{", unauthenticated: true", ":80", false},
		{", unauthenticated: false", ":80", true},
		{", token: x", ":80", false},
		{", headers: {X-A: x}", ":80", false},
		{", basic_auth: {username: u, password: p}", ":80", false},
		{", allow_ips: 192.0.2.1", ":80", false},
		{", allow_ips: [192.0.2.1, 0.0.0.0/0]", ":80", true},
		{", allow_ips: '::/0'", ":80", true},
	} {
		file := "sources: [{name: first, provider: didww" + c.source + "}, {name: second, provider: wavix" + c.source + "}]"
		_, err := load(t, file, map[string]string{"CDRSTORE_LISTEN": c.listen})
		switch {
		case !c.fails && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.fails && (err == nil || !strings.Contains(err.Error(), "source first") || !strings.Contains(err.Error(), "source second")):
			t.Errorf("%+v: must name both sources: %v", c, err)
		}
	}
}

func TestFileWithoutSourcesKeepsTheDefault(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "trusted_proxies: 10.0.0.1", map[string]string{"CDRSTORE_TOKEN": "t", "CDRSTORE_LISTEN": ":80"})
	if len(c.Sources) != len(provider.All()) || len(c.TrustedProxies) != 1 || !c.Sources[0].HasCredential() {
		t.Errorf("got %+v", c)
	}
}
