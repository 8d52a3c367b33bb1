package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/ingest"
)

// receive takes one delivery. The order is the contract's: source, method,
// address and credentials, body.
func (s *Server) receive(c echo.Context, x *exchange) error {
	r := c.Request()
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
	if hasNoLength(r) && !g.takes(http.MethodGet, query) {
		return errNoLength
	}
	if !s.slots.take(1) {
		return errInFlight
	}
	defer s.slots.give(1)
	held := &lease{from: &s.bytes}
	defer held.end()
	body, problem, err := s.readBody(c, x, held)
	if err != nil {
		return err
	}
	x.consumed, x.bytes = true, len(body)
	d := cdr.Delivery{
		Source: g.name, Provider: g.adapter.Name, Settings: g.settings,
		Hint: g.hint(hint, asked.event), Method: r.Method, Query: query,
		ContentType:     cdr.Clean(r.Header.Get("Content-Type")),
		ContentEncoding: cdr.Clean(strings.Join(r.Header.Values("Content-Encoding"), ", ")),
		Body:            body, BodyProblem: problem, ReceivedAt: arrived,
	}
	if x.result, err = s.store(d); err != nil {
		return err
	}
	return s.answer(c, x)
}

// hasNoLength reports whether a request may have a body that net/http has not read:
// HTTP/1.0 has no chunks, and a body without a length goes on to the end of the
// connection.
func hasNoLength(r *http.Request) bool {
	return r.Method == http.MethodPost && !r.ProtoAtLeast(1, 1) && r.Header.Get("Content-Length") == ""
}

// store writes a delivery, also when its client goes away: it would only send it
// again.
func (s *Server) store(d cdr.Delivery) (ingest.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.WriteTimeout)
	defer cancel()
	return s.write(ctx, d)
}

func (s *Server) answer(c echo.Context, x *exchange) error {
	x.setWriteDeadline(c, time.Now())
	c.Response().Header()["Content-Type"] = s.jsonType
	_, err := c.Response().Write(appendResult(make([]byte, 0, 128), x.result))
	return err
}

// appendResult writes a result without errors, which is nearly every one, as
// encoding/json would.
func appendResult(b []byte, r ingest.Result) []byte {
	if len(r.Errors) > 0 {
		doc, _ := json.Marshal(r) // strings and numbers
		return append(append(b, doc...), '\n')
	}
	b = strconv.AppendInt(append(b, `{"received":`...), int64(r.Received), 10)
	b = strconv.AppendInt(append(b, `,"stored":`...), int64(r.Stored), 10)
	b = strconv.AppendInt(append(b, `,"duplicates":`...), int64(r.Duplicates), 10)
	b = strconv.AppendInt(append(b, `,"quarantined":`...), int64(r.Quarantined), 10)
	b = strconv.AppendInt(append(b, `,"spooled":`...), int64(r.Spooled), 10)
	return append(b, `,"errors":[]}`+"\n"...)
}

// sourceAndHint reads a normalised path. The router forgets its parameters when
// it hands over a method that it does not know.
func sourceAndHint(path string) (source, hint string) {
	source, hint, _ = strings.Cut(strings.TrimPrefix(path, "/hooks/"), "/")
	return source, hint
}

// normalise makes a path with trailing, doubled or escaped slashes the same
// route. It never redirects: DIDLogic takes a redirect as delivered.
func normalise(u *url.URL) {
	u.RawPath = ""
	if strings.HasPrefix(u.Path, "/") && !strings.HasSuffix(u.Path, "/") && !strings.Contains(u.Path, "//") {
		return
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	u.Path = "/" + strings.Join(parts, "/")
}
