package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/nyaruka/phonenumbers"

	"github.com/cdrstore/cdrstore/internal/provider"
)

var (
	sourceName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,62}$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	headerName   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// read returns what the file says. A file without the key sources leaves the
// default ones.
func (r *reader) read(text []byte) (sources []Source, proxies []netip.Prefix) {
	safe, err := hide(strings.TrimPrefix(string(text), "\uFEFF"))
	if err != nil {
		r.fault(nil, "", "%w", err)
		return nil, nil
	}
	file, err := parser.ParseBytes([]byte(safe), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil, nil
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		r.fault(nil, "", "must be one YAML document with the key sources")
		return nil, nil
	}
	r.mapping(file.Docs[0].Body, "", map[string]field{
		"sources":         func(n ast.Node, at string) { sources = r.sources(n, at) },
		"trusted_proxies": func(n ast.Node, at string) { proxies = r.prefixes(n, at) },
	})
	return sources, proxies
}

func (r *reader) sources(n ast.Node, at string) (sources []Source) {
	if _, ok := n.(*ast.SequenceNode); !ok {
		r.fault(n, at, "must be a list of sources, not %s", kind(n))
		return nil
	}
	r.items(n, at, func(n ast.Node, at string) {
		before := len(r.faults)
		s := r.source(n, at)
		if len(r.faults) == before && s.Open() && !r.loopback {
			r.fault(n, at, "the source %s would take deliveries from anybody, because CDRSTORE_LISTEN is not loopback: "+
				"give it a token, basic_auth, headers or allow_ips, or say unauthenticated: true", s.Name)
		}
		sources = append(sources, s)
	})
	return sources
}

func (r *reader) source(n ast.Node, at string) (s Source) {
	r.mapping(n, at, map[string]field{
		"name":     func(n ast.Node, at string) { s.Name = r.name(n, at) },
		"provider": func(n ast.Node, at string) { s.Provider = r.provider(n, at) },
		"aliases": func(n ast.Node, at string) {
			r.items(n, at, func(n ast.Node, at string) { s.Aliases = append(s.Aliases, r.name(n, at)) })
		},
		"basic_auth":      func(n ast.Node, at string) { s.BasicAuth = r.basicAuth(n, at) },
		"headers":         func(n ast.Node, at string) { s.Headers = r.headers(n, at) },
		"token":           func(n ast.Node, at string) { s.Tokens = r.secrets(n, at) },
		"allow_ips":       func(n ast.Node, at string) { s.AllowIPs = r.prefixes(n, at) },
		"currency":        func(n ast.Node, at string) { s.Settings.Currency = r.currency(n, at) },
		"country":         func(n ast.Node, at string) { s.Settings.Country = r.country(n, at) },
		"unauthenticated": func(n ast.Node, at string) { s.Unauthenticated = r.bool(n, at) },
		"answer_events": func(n ast.Node, at string) {
			answers := r.bool(n, at)
			s.Settings.AnswerEvents = &answers
		},
		"cost_includes_tax": func(n ast.Node, at string) {
			s.Settings.CostIncludesTax, _ = r.text(n, at)
			if !slices.Contains([]string{"true", "false", "unknown"}, s.Settings.CostIncludesTax) {
				r.fault(n, at, "must be true, false or unknown")
			}
		},
	})
	r.require(n, at, "name", "provider")
	if s.Unauthenticated && s.HasCredential() {
		r.fault(n, at+".unauthenticated", "contradicts the credentials of this source")
	}
	return s
}

// require reports keys that a mapping does not have.
func (r *reader) require(n ast.Node, at string, keys ...string) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return
	}
	for _, key := range keys {
		has := func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == key }
		if !slices.ContainsFunc(m.Values, has) {
			r.fault(n, at+"."+key, "is missing")
		}
	}
}

func (r *reader) name(n ast.Node, at string) string {
	s, ok := r.text(n, at)
	if !ok {
		return ""
	}
	if !sourceName.MatchString(s) {
		r.fault(n, at, "%s is not a name for a URL: up to 63 letters, digits, - _ . ~, a letter or digit first", quoted(n))
		return ""
	}
	if line, taken := r.names[s]; taken {
		r.fault(n, at, "%s is taken already, in line %d", quoted(n), line)
		return ""
	}
	r.names[s] = n.GetToken().Position.Line
	return s
}

func (r *reader) provider(n ast.Node, at string) string {
	s, ok := r.text(n, at)
	if _, known := provider.ByName(s); ok && !known {
		var names []string
		for _, a := range provider.All() {
			names = append(names, a.Name)
		}
		r.fault(n, at, "%s is not a provider; known are %s", quoted(n), strings.Join(names, ", "))
		return ""
	}
	return s
}

func (r *reader) basicAuth(n ast.Node, at string) (b BasicAuth) {
	r.mapping(n, at, map[string]field{
		"username": func(n ast.Node, at string) {
			s, ok := r.text(n, at)
			if ok && (s == "" || strings.Contains(s, ":")) {
				r.fault(n, at, "must not be empty nor contain a colon")
			}
			b.Username = s
		},
		"password": func(n ast.Node, at string) { b.Passwords = r.secrets(n, at) },
	})
	r.require(n, at, "username", "password")
	return b
}

func (r *reader) headers(n ast.Node, at string) map[string][]string {
	headers := map[string][]string{}
	r.pairs(n, at, func(key, value ast.Node, name, at string) {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !headerName.MatchString(name) || canonical == "Host":
			r.fault(key, at, "is not the name of a header that can be checked")
		case headers[canonical] != nil:
			r.fault(key, at, "is given twice, in another case")
		default:
			headers[canonical] = r.secrets(value, at)
		}
	})
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) == 0 {
		r.fault(n, at, "is empty")
	}
	return headers
}

func (r *reader) secrets(n ast.Node, at string) (secrets []string) {
	r.items(n, at, func(n ast.Node, at string) {
		s, ok := r.text(n, at)
		if !ok {
			return
		}
		if err := checkSecret(s); err != nil {
			r.fault(n, at, "%w", err)
			return
		}
		secrets = append(secrets, s)
	})
	return secrets
}

// checkSecret refuses what would authenticate everybody, or nobody.
func checkSecret(s string) error {
	isControl := func(c rune) bool { return c < ' ' || c == 0x7F }
	switch {
	case s == "":
		return errors.New("is set but empty; it would let everybody in")
	case strings.TrimSpace(s) != s || strings.ContainsFunc(s, isControl):
		return errors.New("begins or ends with white space or has control characters; no sender can send that")
	}
	return nil
}

func (r *reader) prefixes(n ast.Node, at string) (prefixes []netip.Prefix) {
	r.items(n, at, func(n ast.Node, at string) {
		s, ok := r.text(n, at)
		if !ok {
			return
		}
		p, err := parsePrefix(s)
		if err != nil {
			r.fault(n, at, "%s is not an address or a network like 10.0.0.0/8", quoted(n))
			return
		}
		prefixes = append(prefixes, p)
	})
	return prefixes
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().WithZone("").Prefix(addr.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("an IPv4 network in IPv6 notation")
	}
	return p.Masked(), nil
}

func (r *reader) currency(n ast.Node, at string) string {
	s, ok := r.text(n, at)
	if ok && !currencyCode.MatchString(s) {
		r.fault(n, at, "%s is not a currency of three upper-case letters like USD", quoted(n))
	}
	return s
}

func (r *reader) country(n ast.Node, at string) string {
	s, ok := r.text(n, at)
	if ok && !phonenumbers.GetSupportedRegions()[s] {
		r.fault(n, at, "%s is not a country of two upper-case letters like GB", quoted(n))
	}
	return s
}

// quoted is a value as the file has it: with the name of a variable, not what
// it holds.
func quoted(n ast.Node) string {
	return fmt.Sprintf("%q", written(n.GetToken().Value))
}
