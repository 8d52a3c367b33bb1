// Package config reads the settings of the receiver: the environment, and the
// YAML file of its sources. It reports every fault of both at once, and refuses
// to let a source be open to the world by accident.
//
// It imports provider for the list of providers and cdr for what a source adds
// to its records; it knows no HTTP and no database.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// Config is what the environment and the sources file say.
type Config struct {
	DatabaseURL    string // empty: start and own a local Postgres
	Listen         string // host:port
	DataDir        string // of the local Postgres and the spool
	Sources        []Source
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed

	Spool      bool          // deliveries are kept on disk while the database is away
	SpoolBytes int64         // how much of them
	Late       time.Duration // how long a commit may take before the delivery is spooled
	Stop       time.Duration // how long requests in flight may take once a stop was asked for
	Log        slog.Level    // what the receiver logs: this and what is graver

	Console Console
}

// Source is one configured sender. All kinds of credentials that are set must
// hold; of each kind any one value, so that secrets can be rotated.
type Source struct {
	Name            string // for ever: it is in the key of every table
	Provider        string
	Aliases         []string // former names whose URLs still arrive
	BasicAuth       BasicAuth
	Headers         map[string][]string // by canonical name
	Tokens          []string
	AllowIPs        []netip.Prefix
	Settings        cdr.Settings
	Unauthenticated bool // said in so many words: anybody may send
}

// BasicAuth is a username and its passwords; without a username there is none.
type BasicAuth struct {
	Username  string
	Passwords []string
}

// HasCredential reports whether a sender must know a secret.
func (s Source) HasCredential() bool {
	return s.BasicAuth.Username != "" || len(s.Headers) > 0 || len(s.Tokens) > 0
}

// Open reports whether a source takes deliveries from anybody without saying
// that this is meant. An allow-list closes a source too, unless it lists the
// whole world.
func (s Source) Open() bool {
	world := slices.ContainsFunc(s.AllowIPs, func(p netip.Prefix) bool { return p.Bits() == 0 })
	return !s.Unauthenticated && !s.HasCredential() && (len(s.AllowIPs) == 0 || world)
}

// Load reads the environment through lookup (os.LookupEnv), and the file that
// CDRSTORE_CONFIG names. The error lists every fault.
func Load(lookup func(string) (string, bool)) (Config, error) {
	get := func(name, or string) string {
		if v, _ := lookup(name); v != "" {
			return v
		}
		return or
	}
	c := Config{
		DatabaseURL: get("DATABASE_URL", ""),
		Listen:      get("CDRSTORE_LISTEN", "127.0.0.1:8080"),
		DataDir:     get("CDRSTORE_DATA_DIR", "./data"),
	}
	token, isSet := lookup("CDRSTORE_TOKEN")
	faults := []error{checkAddress("CDRSTORE_LISTEN", c.Listen), checkToken(token, isSet), c.readLimits(get), c.readConsole(lookup, get)}
	if path := get("CDRSTORE_CONFIG", ""); path != "" {
		faults = append(faults, c.readFile(path, lookup))
	}
	if len(c.Sources) == 0 && errors.Join(faults...) == nil {
		c.Sources = defaultSources(token)
		faults = append(faults, c.checkDefault(token))
	}
	if err := errors.Join(faults...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Loopback reports whether only programs of this machine can connect.
func (c Config) Loopback() bool { return isLoopback(c.Listen) }

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// readFile adds what the sources file says.
func (c *Config) readFile(path string, lookup func(string) (string, bool)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("CDRSTORE_CONFIG: read the sources file: %w", err)
	}
	r := reader{file: path, lookup: lookup, loopback: c.Loopback(), names: map[string]int{}}
	c.Sources, c.TrustedProxies = r.read(text)
	return errors.Join(r.faults...)
}

func defaultSources(token string) []Source {
	var sources []Source
	for _, a := range provider.All() {
		s := Source{Name: a.Name, Provider: a.Name}
		if token != "" {
			s.Tokens = []string{token}
		}
		sources = append(sources, s)
	}
	return sources
}

func (c *Config) checkDefault(token string) error {
	if token != "" || c.Loopback() {
		return nil
	}
	var names []string
	for _, s := range c.Sources {
		names = append(names, s.Name)
	}
	return fmt.Errorf("CDRSTORE_LISTEN is %s, which is not loopback, and the sources %s would take deliveries from anybody: "+
		"set CDRSTORE_TOKEN, or give them credentials in the file of CDRSTORE_CONFIG", c.Listen, strings.Join(names, ", "))
}

func checkAddress(name, listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: %q is not a port number", name, port)
	}
	return nil
}

// checkToken refuses a token that is set but empty: whoever set it meant to
// have one.
func checkToken(token string, isSet bool) error {
	if !isSet {
		return nil
	}
	if err := checkSecret(token); err != nil {
		return fmt.Errorf("CDRSTORE_TOKEN: %w", err)
	}
	return nil
}
