package api_test

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/api"
	"github.com/cdrstore/cdrstore/internal/config"
)

func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

func prefixes(all ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	const basicRealm, bearerRealm = `Basic realm="cdrstore", charset="UTF-8"`, `Bearer realm="cdrstore"`
	token := config.Source{Tokens: []string{"new", "old"}}
	auth := config.Source{BasicAuth: config.BasicAuth{Username: "acme", Passwords: []string{"new", "old"}}}
	header := config.Source{Headers: map[string][]string{"X-A": {"one", "two"}, "X-B": {"three"}}}
	all := config.Source{Tokens: token.Tokens, BasicAuth: auth.BasicAuth, Headers: header.Headers}
	for _, c := range []struct {
		name      string
		source    config.Source
		query     string
		headers   []string
		status    int
		challenge string
	}{
		{"token in the query", token, "?token=new", nil, 200, ""},
		{"older token", token, "?token=old", nil, 200, ""},
		{"escaped token", token, "?a=b&%74oken=%6Eew", nil, 200, ""},
		{"bearer", token, "", []string{"Authorization", "bearer new"}, 200, ""},
		{"no token", token, "", nil, 401, bearerRealm},
		{"empty token", token, "?token=", nil, 401, bearerRealm},
		{"wrong token", token, "?token=newer", nil, 401, bearerRealm},
		{"token in another case", token, "?token=NEW", nil, 401, bearerRealm},
		{"token as password", token, "", []string{"Authorization", basic("", "new")}, 401, bearerRealm},
		{"wrong and right token", token, "?token=x&token=old", nil, 200, ""},
		{"password", auth, "", []string{"Authorization", basic("acme", "new")}, 200, ""},
		{"older password", auth, "", []string{"Authorization", basic("acme", "old")}, 200, ""},
		{"wrong password", auth, "", []string{"Authorization", basic("acme", "x")}, 401, basicRealm},
		{"wrong username", auth, "", []string{"Authorization", basic("acm", "new")}, 401, basicRealm},
		{"no basic auth", auth, "?token=new", nil, 401, basicRealm},
		{"headers", header, "", []string{"x-a", "two", "X-B", "three"}, 200, ""},
		{"one header", header, "", []string{"X-A", "one"}, 401, ""},
		{"a wrong header", header, "", []string{"X-A", "one", "X-B", "one"}, 401, ""},
		{"all", all, "?token=old", []string{"Authorization", basic("acme", "old"), "X-A", "one", "X-B", "three"}, 200, ""},
		{"all without token", all, "", []string{"Authorization", basic("acme", "old"), "X-A", "one", "X-B", "three"}, 401, basicRealm + bearerRealm},
		{"all without header", all, "?token=old", []string{"Authorization", basic("acme", "old"), "X-A", "one"}, 401, basicRealm + bearerRealm},
		{"all without password", all, "?token=old", []string{"X-A", "one", "X-B", "three"}, 401, basicRealm + bearerRealm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.source.Name, c.source.Provider = "acme", "didww"
			r := start(t, api.Options{Sources: []config.Source{c.source}})
			a := r.post("/hooks/acme"+c.query, "{}", c.headers...)
			if got := strings.Join(a.header["Www-Authenticate"], ""); got != c.challenge {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if c.status == 200 {
				wantTaken(t, a)
				return
			}
			wantProblem(t, a, c.status)
			if len(r.kept()) != 0 {
				t.Error("kept")
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		allow, proxies []netip.Prefix
		forwarded      []string // one header each
		status         int
	}{
		{"allowed", prefixes("127.0.0.0/8"), nil, nil, 200},
		{"not allowed", prefixes("192.0.2.0/24", "2001:db8::/32"), nil, nil, 403},
		{"forged", prefixes("192.0.2.0/24"), nil, []string{"192.0.2.1"}, 403},
		{"forwarded by a trusted proxy", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32"), []string{"192.0.2.1"}, 200},
		{"with a port", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32"), []string{"192.0.2.1:4711"}, 200},
		{"IPv6", prefixes("2001:db8::/32"), prefixes("127.0.0.1/32"), []string{"[2001:db8::1]"}, 200},
		{"IPv6 with a port", prefixes("2001:db8::/32"), prefixes("127.0.0.1/32"), []string{"[2001:db8::1]:99"}, 200},
		{"IPv4 in IPv6", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32"), []string{"::ffff:192.0.2.1"}, 200},
		{"forged before the proxy", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32"), []string{"192.0.2.1, 203.0.113.9"}, 403},
		{"two trusted proxies", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32", "10.0.0.0/8"), []string{"192.0.2.1,10.0.0.5"}, 200},
		{"in two headers", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32", "10.0.0.0/8"), []string{"192.0.2.1", "10.0.0.5"}, 200},
		{"forged beyond an untrusted one", prefixes("192.0.2.0/24"), prefixes("127.0.0.1/32", "10.0.0.0/8"), []string{"192.0.2.1, 203.0.113.9", "10.0.0.5"}, 403},
		{"no address", prefixes("192.0.2.0/24", "127.0.0.0/8"), prefixes("127.0.0.1/32"), []string{"192.0.2.1, unknown"}, 403},
		{"empty", prefixes("127.0.0.0/8"), prefixes("127.0.0.1/32"), []string{""}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{
				TrustedProxies: c.proxies,
				Sources:        []config.Source{{Name: "acme", Provider: "didww", AllowIPs: c.allow, Tokens: []string{"t"}}},
			})
			var headers []string
			for _, f := range c.forwarded {
				headers = append(headers, "X-Forwarded-For", f)
			}
			a := r.post("/hooks/acme?token=t", "{}", headers...)
			if c.status == 200 {
				wantTaken(t, a)
				return
			}
			wantProblem(t, a, c.status)
			// A stranger is told nothing about credentials.
			wantProblem(t, r.post("/hooks/acme?token=wrong", "{}", headers...), c.status)
		})
	}
}

func TestATunnelIsNotLoopback(t *testing.T) {
	t.Parallel()
	bare := config.Source{Name: "acme", Provider: "didww"}
	listed, said, secret := bare, bare, bare
	listed.AllowIPs = prefixes("127.0.0.1/32")
	said.Unauthenticated = true
	secret.Tokens = []string{"t"}
	for _, c := range []struct {
		name     string
		source   config.Source
		loopback bool
		proxies  []netip.Prefix
		tunnel   int // status of a forwarded request
		direct   int
	}{
		{"no credential", bare, true, nil, 401, 200},
		{"an allow-list of loopback", listed, true, nil, 401, 200},
		{"unauthenticated: true", said, true, nil, 200, 200},
		{"a token", secret, true, nil, 200, 200},
		{"a trusted proxy", bare, true, prefixes("127.0.0.1/32"), 200, 200},
		{"no credential, open to all", bare, false, nil, 401, 401},
		{"an allow-list, open to all", listed, false, nil, 200, 200},
		{"unauthenticated: true, open to all", said, false, nil, 200, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{Sources: []config.Source{c.source}, Loopback: c.loopback, TrustedProxies: c.proxies})
			if a := r.post("/hooks/acme?token=t", "{}"); a.status != c.direct {
				t.Errorf("direct: %d", a.status)
			}
			for _, name := range []string{
				"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
				"CF-Connecting-IP", "True-Client-IP", "Tailscale-User-Login",
			} {
				if a := r.post("/hooks/acme?token=t", "{}", name, "127.0.0.1"); a.status != c.tunnel {
					t.Errorf("%s: %d, want %d", name, a.status, c.tunnel)
				}
			}
		})
	}
}
