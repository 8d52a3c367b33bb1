package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// receive takes one delivery. The order is the contract's: source, method,
// address and credentials, body.
func (s *Server) receive(c echo.Context) error {
	r, x := c.Request(), exchangeOf(c)
	arrived := s.now().UTC().Truncate(time.Microsecond)
	name, hint := sourceAndHint(r.URL.Path)
	g, ok := s.sources[name]
	if !ok || strings.Contains(hint, "/") {
		return errUnknownSource
	}
	x.source = g.name
	query, asked := splitQuery(r.URL.RawQuery, g.adapter.Hints)
	if !g.takes(r.Method, query) {
		return methodError{allow: g.allow()}
	}
	if err := s.admit(g, r, asked.tokens); err != nil {
		return err
	}
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	held := &lease{from: &s.bytes}
	defer held.end()
	body, problem, err := s.readBody(c, held)
	if err != nil {
		return err
	}
	x.consumed = true
	d := cdr.Delivery{
		Source: g.name, Provider: g.adapter.Name, Settings: g.settings,
		Hint: g.hint(hint, asked.event), Method: r.Method, Query: query,
		ContentType:     cdr.Clean(r.Header.Get("Content-Type")),
		ContentEncoding: cdr.Clean(strings.Join(r.Header.Values("Content-Encoding"), ", ")),
		Body:            body, BodyProblem: problem, ReceivedAt: arrived,
	}
	if x.result, err = s.store(r.Context(), d); err != nil {
		return err
	}
	setWriteDeadline(c)
	return c.JSON(http.StatusOK, x.result)
}

// store writes a delivery, also when its client goes away: it would only send it
// again.
func (s *Server) store(ctx context.Context, d cdr.Delivery) (ingest.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.WriteTimeout)
	defer cancel()
	result, err := s.write(ctx, d)
	if result.Errors == nil {
		result.Errors = []ingest.RecordError{}
	}
	return result, err
}

// enter takes one of the slots for deliveries; it never waits.
func (s *Server) enter() (leave func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	default:
		return nil, errInFlight
	}
}

// sourceAndHint reads a normalised path. The router forgets its parameters when
// it hands over a method that it does not know.
func sourceAndHint(path string) (source, hint string) {
	source, hint, _ = strings.Cut(strings.TrimPrefix(path, "/hooks/"), "/")
	return source, hint
}

// normalise makes a path with trailing, doubled or escaped slashes the same
// route. It never redirects: DIDLogic takes a redirect as delivered.
func normalise(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
		u.Path, u.RawPath = "/"+strings.Join(parts, "/"), ""
		return next(c)
	}
}
