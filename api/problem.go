package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/ingest"
)

// What a request can be refused for. Their texts are told to the client.
var (
	errUnknownSource = errors.New("there is no such source")
	errAddress       = errors.New("this address may not deliver to this source")
	errTooLarge      = errors.New("the body is too large")
	errInFlight      = errors.New("too much in flight")
	errSlow          = errors.New("the body came too slowly; nothing of it is stored")
	errIncomplete    = errors.New("the body ended early; nothing of it is stored")
	errNotReady      = errors.New("deliveries cannot be taken")
	errNoLength      = errors.New("in HTTP/1.0 a POST needs a Content-Length; nothing of the body is stored")
)

// methodError names the methods that are allowed.
type methodError struct{ allow string }

func (e methodError) Error() string {
	if e.allow == http.MethodGet {
		return "this path is read with GET"
	}
	return "this URL receives the webhooks of a telephony provider: enter it in the provider's settings; a request needs one of the methods in Allow, and a GET its parameters in the query"
}

// credentialsError says how to authenticate, where HTTP has a word for it.
type credentialsError struct{ challenge []string }

func (credentialsError) Error() string { return "wrong or missing credentials" }

// problem is a document of RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// statusOf is the one place that chooses a status other than 200. What is not
// known to be the sender's fault is ours: DIDLogic gives up on any 4xx.
func statusOf(err error) (status int, detail string) {
	for _, known := range []struct {
		err    error
		status int
	}{
		{errUnknownSource, http.StatusNotFound},
		{errAddress, http.StatusForbidden},
		{errTooLarge, http.StatusRequestEntityTooLarge},
		{errNoLength, http.StatusLengthRequired},
		{errInFlight, http.StatusServiceUnavailable},
		{errSlow, http.StatusServiceUnavailable}, // and not 408: it would be final
		{errIncomplete, http.StatusServiceUnavailable},
		{errNotReady, http.StatusServiceUnavailable},
		{ingest.ErrUnavailable, http.StatusServiceUnavailable},
		{ingest.ErrBusy, http.StatusServiceUnavailable},
		{ingest.ErrQuarantineFull, http.StatusServiceUnavailable},
		{ingest.ErrClosed, http.StatusServiceUnavailable},
		{context.DeadlineExceeded, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, known.err) {
			return known.status, known.err.Error()
		}
	}
	var router *echo.HTTPError
	var method methodError
	switch {
	case errors.As(err, &method):
		return http.StatusMethodNotAllowed, method.Error()
	case errors.As(err, new(credentialsError)):
		return http.StatusUnauthorized, credentialsError{}.Error()
	case errors.As(err, &router) && router.Code == http.StatusNotFound:
		return http.StatusNotFound, "there is nothing at this path"
	}
	return http.StatusInternalServerError, "the receiver failed; see its log"
}

// fail answers a request that was not taken.
func (s *Server) fail(c echo.Context, x *exchange, err error) {
	if c.Response().Committed {
		return
	}
	status, detail := statusOf(err)
	h := c.Response().Header()
	var method methodError
	if errors.As(err, &method) {
		h.Set("Allow", method.allow)
	}
	var credentials credentialsError
	if errors.As(err, &credentials) && len(credentials.challenge) > 0 {
		h["Www-Authenticate"] = credentials.challenge
	}
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "10")
	}
	leaveBody(c, x)
	x.setWriteDeadline(c, time.Now())
	doc, _ := json.Marshal(problem{"about:blank", http.StatusText(status), status, detail}) // strings and a number
	_ = c.Blob(status, "application/problem+json", append(doc, '\n'))                       // the client is gone
}

// leaveBody closes the connection after the answer when the body was not read.
// Otherwise the server would first read it, and a client that stalls would keep
// its connection.
func leaveBody(c echo.Context, x *exchange) {
	if r := c.Request(); r.ContentLength == 0 && !hasNoLength(r) || x.consumed {
		return
	}
	c.Response().Header().Set("Connection", "close")
	setReadDeadline(c, time.Now().Add(5*time.Second))
}
