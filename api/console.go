package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// mount makes a handler of the console, observed as the other routes are. It
// keeps clear of the router: that has names and rules of its own for paths.
func (s *Server) mount(console http.Handler) http.HandlerFunc {
	if console == nil {
		return nil
	}
	observed := s.observe("console", func(c echo.Context, x *exchange) error {
		x.consumed = true // net/http sees to a body of which little was read
		console.ServeHTTP(c.Response(), c.Request())
		return nil
	})
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.echo.AcquireContext()
		defer s.echo.ReleaseContext(c)
		c.Reset(r, w)
		_ = observed(c) // observe has answered
	}
}

// isOwn reports whether a path is one of the receiver's, however its slashes are
// written.
func isOwn(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	switch first {
	case "hooks", "healthz", "readyz", "metrics", "openapi.yaml":
		return true
	}
	return false
}
