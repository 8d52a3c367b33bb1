package api

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/ingest"
)

// unknown is the source of requests that name none of the configured ones. What
// a stranger writes in a URL reaches neither log nor metrics.
const unknown = "unknown"

// exchange is what is noted of a request while it is served.
type exchange struct {
	start    time.Time
	writable time.Time // since when its write deadline counts
	route    string    // the template, or other
	source   string
	consumed bool // the body was read to its end
	bytes    int  // of the inflated body
	result   ingest.Result
}

// handler serves a route, within an exchange.
type handler func(echo.Context, *exchange) error

// observe is around every request: security headers, panics, log and metrics.
func (s *Server) observe(route string, h handler) echo.HandlerFunc {
	timer := s.metrics.timer(route)
	return func(c echo.Context) error {
		x := &exchange{start: time.Now(), route: route, source: unknown}
		maps.Copy(c.Response().Header(), s.security)
		if c.Request().ContentLength != 0 {
			setReadDeadline(c, x.start.Add(s.limits.BodyGrace))
		}
		x.setWriteDeadline(c, x.start)
		err := s.survive(h, c, x)
		if err != nil {
			s.fail(c, x, err)
		}
		took := time.Since(x.start)
		timer(c.Response().Status).Observe(took.Seconds())
		if strings.HasPrefix(route, "/hooks/") {
			s.report(c, x, err, took)
		}
		return nil
	}
}

// survive turns a panic into an error of its request. What the panic says is
// kept out of the log unless the runtime says it: it could quote a record.
func (s *Server) survive(h handler, c echo.Context, x *exchange) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		text := fmt.Sprintf("%T", p)
		if e, ok := p.(runtime.Error); ok {
			text = e.Error()
		}
		err = fmt.Errorf("panic: %s", text)
		s.log.Error("panic in a request", "route", x.route, "panic", text, "stack", string(debug.Stack()))
	}()
	return h(c, x)
}

// report writes a line and counts. The line has the template of the route, never
// the path, the query or what is in the body.
func (s *Server) report(c echo.Context, x *exchange, err error, took time.Duration) {
	status := c.Response().Status
	s.metrics.count(x, status, took)
	if status == http.StatusOK && !s.log.Enabled(c.Request().Context(), slog.LevelDebug) {
		return
	}
	attrs := []any{"source", x.source, "route", x.route, "status", status, "duration", took}
	switch status {
	case http.StatusOK:
		r := x.result
		s.log.Debug("delivery", append(attrs, "bytes", x.bytes, "received", r.Received, "stored", r.Stored,
			"duplicates", r.Duplicates, "quarantined", r.Quarantined, "spooled", r.Spooled)...)
	case http.StatusInternalServerError:
		s.log.Error("delivery failed", append(attrs, "error", err)...)
	default:
		s.warn(c, x, err, attrs)
	}
}

// warn logs a refusal, at most one a minute for each source and status.
func (s *Server) warn(c echo.Context, x *exchange, err error, attrs []any) {
	suppressed, ok := s.warnings.pass(warning{x.source, c.Response().Status})
	if !ok {
		return
	}
	remote := remoteAddr(c.Request())
	attrs = append(attrs, "reason", err, "address", clientAddr(remote, c.Request().Header, s.proxies))
	if suppressed > 0 {
		attrs = append(attrs, "more_since_last_line", suppressed)
	}
	switch c.Response().Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		s.log.Error("ALARM: delivery refused, which is final for some providers", attrs...)
	default:
		s.log.Warn("delivery refused", attrs...)
	}
}

// warnings keeps a flood of refusals from flooding the log. Its keys are names
// of the configuration and a few statuses.
type warnings struct {
	now  func() time.Time
	mu   sync.Mutex
	last map[warning]*lastWarning
}

type warning struct {
	source string
	status int
}

type lastWarning struct {
	at         time.Time
	suppressed int
}

// pass reports whether a line may be written, and how many were not since the
// last one.
func (w *warnings) pass(key warning) (suppressed int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	last := w.last[key]
	if last == nil {
		last = &lastWarning{}
		w.last[key] = last
	}
	if now.Sub(last.at) < time.Minute {
		last.suppressed++
		return 0, false
	}
	suppressed = last.suppressed
	*last = lastWarning{at: now}
	return suppressed, true
}
