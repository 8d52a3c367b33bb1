// Package api is the receiver's HTTP side: it says who may deliver, reads what
// they send within limits, hands it to the writer, and answers as openapi.yaml
// promises.
//
// It is the only package that imports Echo. It decodes
// nothing and knows neither Postgres nor the spool: a delivery goes to
// Options.Write as it came, without its credentials. Of provider it uses only
// how a sender sends.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/gunzip"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// WriteFunc makes a delivery safe: (*ingest.Writer).Write.
type WriteFunc func(context.Context, cdr.Delivery) (ingest.Result, error)

// Options is what a Server needs. Sources and Write are required.
type Options struct {
	Sources        []config.Source
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Loopback       bool           // the server listens on loopback only
	Write          WriteFunc
	Ready          func(context.Context) Readiness // nil: always ready
	Log            *slog.Logger                    // nil: slog.Default
	Registry       *prometheus.Registry            // nil: one of its own
	Now            func() time.Time                // nil: time.Now
	Limits         Limits
	Console        http.Handler // takes every path that is not one of the server's own; nil: they are not found
}

// Limits bound what a client can use up. A zero stands for the default.
type Limits struct {
	Body         int64         // bytes of a body as sent; 16 MiB
	Inflated     int64         // bytes of an inflated body; 64 MiB
	InFlight     int64         // bytes of all bodies that are held at a time; 256 MiB
	Requests     int           // deliveries at a time; 4096
	BodyGrace    time.Duration // how long a body may take, besides BodyRate; 15 s
	BodyRate     int64         // bytes a second that prolong BodyGrace; 16 KiB
	WriteTimeout time.Duration // how long Write may take; 30 s
}

// Server answers the routes of openapi.yaml.
type Server struct {
	sources  map[string]*guard // by name and alias
	proxies  []netip.Prefix
	loopback bool
	write    WriteFunc
	ready    func(context.Context) Readiness
	log      *slog.Logger
	now      func() time.Time
	limits   Limits
	slots    budget
	bytes    budget
	warnings warnings
	metrics  metrics
	security http.Header // of every answer
	jsonType []string
	echo     *echo.Echo
	console  http.HandlerFunc // nil: there is none
	http     *http.Server

	inflaters sync.Pool // a *gunzip.Reader has 40 KiB
}

// New returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	o.setDefaults()
	s := &Server{
		proxies: o.TrustedProxies, loopback: o.Loopback, write: o.Write, ready: o.Ready,
		log: o.Log, now: o.Now, limits: o.Limits,
		slots:    budget{limit: int64(o.Limits.Requests)},
		bytes:    budget{limit: o.Limits.InFlight},
		warnings: warnings{now: o.Now, last: map[warning]*lastWarning{}},
		security: http.Header{
			"X-Content-Type-Options":  {"nosniff"},
			"Cache-Control":           {"no-store"},
			"Content-Security-Policy": {"default-src 'none'"},
		},
		jsonType: []string{echo.MIMEApplicationJSON},

		inflaters: sync.Pool{New: func() any { return new(gunzip.Reader) }},
	}
	var err error
	if s.sources, err = guards(o.Sources); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(o.Registry, o.Sources); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	s.echo = s.routes(o.Registry)
	s.console = s.mount(o.Console)
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Handler returns the routes, for a server of the caller's own.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.console != nil && !isOwn(r.URL.Path) {
			s.console(w, r) // with its path as it came: an id of a call may have any characters
			return
		}
		normalise(r.URL)
		s.echo.ServeHTTP(w, r)
	})
}

// Serve answers requests until Shutdown, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those in flight. When ctx ends
// first it closes their connections: what was not answered comes again.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // the error of Shutdown says more
		return fmt.Errorf("finish the requests in flight: %w", err)
	}
	return nil
}

// routes tells the router what there is. Every route takes all methods, so that
// a wrong one is answered by the route and not by the router.
func (s *Server) routes(registry *prometheus.Registry) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { // no route took it
		_ = s.observe("other", func(echo.Context, *exchange) error { return err })(c)
	}
	for _, path := range []string{"/hooks/:source", "/hooks/:source/:hint"} {
		receive := s.observe(path, s.receive)
		e.GET(path, receive)
		e.POST(path, receive)
		e.RouteNotFound(path, receive)
	}
	for path, handler := range map[string]handler{
		"/healthz":      s.healthz,
		"/readyz":       s.readyz,
		"/metrics":      metricsHandler(registry),
		"/openapi.yaml": contract,
	} {
		e.GET(path, s.observe(path, handler))
		e.RouteNotFound(path, s.observe(path, onlyGET))
	}
	return e
}

func (o *Options) setDefaults() {
	if o.Ready == nil {
		o.Ready = func(context.Context) Readiness { return Readiness{Status: "ok"} }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &o.Limits
	l.Body = or(l.Body, 16<<20)
	l.Inflated = or(l.Inflated, 64<<20)
	l.InFlight = or(l.InFlight, 256<<20)
	l.Requests = or(l.Requests, 4096)
	l.BodyGrace = or(l.BodyGrace, 15*time.Second)
	l.BodyRate = or(l.BodyRate, 16<<10)
	l.WriteTimeout = or(l.WriteTimeout, 30*time.Second)
}

func or[T int | int64 | time.Duration](value, standard T) T {
	if value == 0 {
		return standard
	}
	return value
}
