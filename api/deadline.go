package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// setReadDeadline lets a client go that stalls within its request. Zero is no
// deadline. That a connection has none (a recorder of a test) is no error.
func setReadDeadline(c echo.Context, at time.Time) {
	_ = http.NewResponseController(c.Response()).SetReadDeadline(at)
}

// setWriteDeadline lets a client go that does not read its answer.
func setWriteDeadline(c echo.Context) {
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(30 * time.Second))
}
