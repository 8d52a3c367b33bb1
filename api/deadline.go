package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// setReadDeadline lets a client go that stalls within its request. That a
// connection has none (a recorder of a test) is no error.
func setReadDeadline(c echo.Context, at time.Time) {
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(at)
}

// setWriteDeadline lets a client go that does not read its answer. A deadline of
// the last second is left as it is.
func (x *exchange) setWriteDeadline(c echo.Context, now time.Time) {
	if now.Sub(x.writable) < time.Second {
		return
	}
	x.writable = now
	_ = http.NewResponseController(c.Response().Writer).SetWriteDeadline(now.Add(30 * time.Second))
}
