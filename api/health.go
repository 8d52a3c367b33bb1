package api

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed openapi.yaml
var openapi []byte

// Readiness says whether deliveries can be taken.
type Readiness struct {
	Status          string `json:"status"` // ok or spooling; with any other word readyz answers 503
	SpoolDeliveries int64  `json:"spool_deliveries,omitempty"`
	SpoolBytes      int64  `json:"spool_bytes,omitempty"`
}

func (s *Server) healthz(c echo.Context, _ *exchange) error {
	return c.JSON(http.StatusOK, Readiness{Status: "ok"})
}

func (s *Server) readyz(c echo.Context, _ *exchange) error {
	state := s.ready(c.Request().Context())
	if state.Status != "ok" && state.Status != "spooling" {
		return errNotReady
	}
	return c.JSON(http.StatusOK, state)
}

func contract(c echo.Context, _ *exchange) error {
	return c.Blob(http.StatusOK, "application/yaml", openapi)
}

func metricsHandler(registry *prometheus.Registry) handler {
	h := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return func(c echo.Context, _ *exchange) error {
		h.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

func onlyGET(echo.Context, *exchange) error { return methodError{allow: http.MethodGet} }
