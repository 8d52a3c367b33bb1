package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// guard is a source as the server needs it. It keeps digests of its secrets, so
// that comparing takes the same time whatever their length.
type guard struct {
	name     string
	adapter  provider.Adapter
	settings cdr.Settings
	open     bool // unauthenticated: true

	username  []digest
	passwords []digest
	headers   map[string][]digest
	tokens    []digest
	allowIPs  []netip.Prefix
}

type digest [sha256.Size]byte

func guards(sources []config.Source) (map[string]*guard, error) {
	all := map[string]*guard{}
	for _, src := range sources {
		adapter, ok := provider.ByName(src.Provider)
		if !ok {
			return nil, fmt.Errorf("source %s: unknown provider %q", src.Name, src.Provider)
		}
		g := &guard{
			name: src.Name, adapter: adapter, settings: src.Settings, open: src.Unauthenticated,
			passwords: digests(src.BasicAuth.Passwords), tokens: digests(src.Tokens),
			headers: map[string][]digest{}, allowIPs: src.AllowIPs,
		}
		if src.BasicAuth.Username != "" {
			g.username = digests([]string{src.BasicAuth.Username})
		}
		for name, values := range src.Headers {
			g.headers[name] = digests(values)
		}
		for _, name := range append([]string{src.Name}, src.Aliases...) {
			if all[name] != nil {
				return nil, fmt.Errorf("source %s: the name %s is taken", src.Name, name)
			}
			all[name] = g
		}
	}
	return all, nil
}

// takes reports whether a provider sends in this way.
func (g *guard) takes(method, query string) bool {
	return method == http.MethodPost || method == http.MethodGet && g.adapter.GET && hasParameters(query)
}

func (g *guard) allow() string {
	if g.adapter.GET {
		return "GET, POST"
	}
	return "POST"
}

// hint is the kind of a VoipNow event, from the path, else the query. The other
// providers say the kind in their records.
func (g *guard) hint(path, query string) string {
	if !g.adapter.Hints {
		return ""
	}
	if path != "" {
		return cdr.Clean(path)
	}
	return cdr.Clean(query)
}

// admit says whether a request may deliver to a source. The address comes
// first, so that strangers cannot try credentials.
func (s *Server) admit(g *guard, r *http.Request, tokens []string) error {
	if len(g.allowIPs) > 0 && !contains(g.allowIPs, clientAddr(remoteAddr(r), r.Header, s.proxies)) {
		return errAddress
	}
	if !g.hasCredential() && !g.open {
		tunnel := isForwarded(r.Header) && !contains(s.proxies, remoteAddr(r))
		if s.loopback && tunnel || !s.loopback && len(g.allowIPs) == 0 {
			return credentialsError{}
		}
	}
	if !g.holds(r, tokens) {
		return credentialsError{challenge: g.challenge()}
	}
	return nil
}

func (g *guard) hasCredential() bool {
	return len(g.username)+len(g.headers)+len(g.tokens) > 0
}

// holds compares everything that is set, whatever failed before.
func (g *guard) holds(r *http.Request, tokens []string) bool {
	ok := 1
	if len(g.username) > 0 {
		username, password, _ := r.BasicAuth()
		ok &= oneOf(g.username, username) & oneOf(g.passwords, password)
	}
	for name, values := range g.headers {
		ok &= oneOf(values, r.Header.Get(name))
	}
	if len(g.tokens) > 0 {
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			tokens = append(tokens, strings.TrimSpace(token))
		}
		ok &= oneOf(g.tokens, tokens...)
	}
	return ok == 1
}

// oneOf returns 1 when one of the given values is one of the wanted, else 0.
func oneOf(wanted []digest, given ...string) int {
	found := 0
	for _, value := range given {
		d := sha256.Sum256([]byte(value))
		for _, w := range wanted {
			found |= subtle.ConstantTimeCompare(w[:], d[:])
		}
	}
	return found
}

func (g *guard) challenge() []string {
	var schemes []string
	if len(g.username) > 0 {
		schemes = append(schemes, `Basic realm="cdrstore", charset="UTF-8"`)
	}
	if len(g.tokens) > 0 {
		schemes = append(schemes, `Bearer realm="cdrstore"`)
	}
	return schemes
}

func digests(secrets []string) []digest {
	var all []digest
	for _, s := range secrets {
		all = append(all, sha256.Sum256([]byte(s)))
	}
	return all
}
