package byhand

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"
)

const (
	maxBody     = 16 << 20
	maxInflated = 64 << 20
)

// readBody returns a body inflated, or as it came and why it could not be
// inflated.
func readBody(c echo.Context) (body []byte, problem string, err error) {
	r := c.Request()
	body, err = io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, "", echo.ErrStatusRequestEntityTooLarge
	case err != nil:
		return nil, "", echo.ErrBadRequest
	case r.Header.Get("Content-Encoding") != "gzip":
		return body, "", nil
	}
	inflated, err := inflate(body)
	switch {
	case err != nil:
		return body, fmt.Sprintf("body: gzip: %v", err), nil
	case len(inflated) > maxInflated:
		return nil, "", echo.ErrStatusRequestEntityTooLarge
	}
	return inflated, "", nil
}

func inflate(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxInflated+1))
}
