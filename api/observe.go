package api

import (
	"fmt"
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
	source   string
	consumed bool // the body was read to its end
	result   ingest.Result
}

const exchangeKey = "exchange"

func exchangeOf(c echo.Context) *exchange { return c.Get(exchangeKey).(*exchange) }

// observe is around every request: security headers, panics, log and metrics.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		x := &exchange{source: unknown}
		c.Set(exchangeKey, x)
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'")
		setReadDeadline(c, start.Add(s.limits.BodyGrace))
		setWriteDeadline(c)
		err := s.survive(next, c)
		if err != nil {
			s.fail(err, c)
		}
		s.report(c, x, err, time.Since(start))
		return nil
	}
}

// survive turns a panic into an error of its request. What the panic says is
// kept out of the log unless the runtime says it: it could quote a record.
func (s *Server) survive(next echo.HandlerFunc, c echo.Context) (err error) {
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
		s.log.Error("panic in a request", "route", route(c), "panic", text, "stack", string(debug.Stack()))
	}()
	return next(c)
}

// report writes a line and counts. The line has the template of the route, never
// the path, the query or what is in the body.
func (s *Server) report(c echo.Context, x *exchange, err error, took time.Duration) {
	status := c.Response().Status
	path := route(c)
	s.metrics.duration.WithLabelValues(path, fmt.Sprint(status)).Observe(took.Seconds())
	if !strings.HasPrefix(path, "/hooks/") {
		return
	}
	s.metrics.count(x, status)
	attrs := []any{"source", x.source, "route", path, "status", status, "duration", took}
	switch status {
	case http.StatusOK:
		r := x.result
		s.log.Debug("delivery", append(attrs, "received", r.Received, "stored", r.Stored,
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

// route is the template that matched, or one word for everything else.
func route(c echo.Context) string {
	switch p := c.Path(); p {
	case "/hooks/:source", "/hooks/:source/:hint", "/healthz", "/readyz", "/metrics", "/openapi.yaml":
		return p
	}
	return "other"
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
