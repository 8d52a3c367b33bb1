// Package byhand is the handler that people write by hand, for the bench to
// measure the receiver against: Echo and pgx, one transaction for each request,
// one prepared statement for each row, calls merged by an upsert. It fills the
// same tables.
//
// The race is meant to be fair. Nothing here is slow on purpose, and where there
// was a choice it was made for the opponent: it reads deliveries with the
// receiver's own decoder, so that only the way into the tables differs; it asks
// for no credentials, bounds no memory and no quarantine and keeps no spool; and
// it sends a delivery of many records as two pipelined batches. What it leaves
// out is correctness that such handlers leave out: the upsert merges field by
// field in the order of arrival, so a call need not be the fold of its events.
//
// Every statement of the service is in queries/; these are the opponent's.
package byhand

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
)

const maxConns = 16

// Pool returns connections for the handler. Statements are prepared once on each.
func Pool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL: %w", err)
	}
	config.MaxConns = maxConns
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

type handler struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	adapters map[string]provider.Adapter
}

// Handler takes deliveries of the default sources, which have their providers'
// names.
func Handler(pool *pgxpool.Pool, log *slog.Logger) http.Handler {
	h := handler{pool, log, provider.Adapters()}
	e := echo.New()
	for _, route := range []string{"/hooks/:source", "/hooks/:source/:hint"} {
		e.GET(route, h.receive)
		e.POST(route, h.receive)
	}
	return e
}

func (h handler) receive(c echo.Context) error {
	arrived, r := time.Now(), c.Request()
	adapter, ok := h.adapters[c.Param("source")]
	if !ok {
		return echo.ErrNotFound
	}
	hint, query := "", without(r.URL.RawQuery, "token")
	if adapter.Hints {
		hint = cmp.Or(strings.Trim(c.Param("hint"), "/"), c.QueryParam("event"))
		query = without(query, "event")
	}
	if r.Method == http.MethodGet && (!adapter.GET || query == "") {
		return echo.ErrMethodNotAllowed
	}
	body, problem, err := readBody(c)
	if err != nil {
		return err
	}
	records := adapter.Read(cdr.Delivery{
		Source: adapter.Name, Provider: adapter.Name, Hint: cdr.Clean(hint), Method: r.Method, Query: query,
		ContentType: r.Header.Get("Content-Type"), ContentEncoding: r.Header.Get("Content-Encoding"),
		Body: body, BodyProblem: problem, ReceivedAt: arrived,
	})
	stored, err := h.save(r.Context(), records)
	if err != nil {
		h.log.Error("a delivery was not stored", slog.String("source", adapter.Name), slog.Any("error", err))
		return echo.ErrInternalServerError
	}
	return c.JSON(http.StatusOK, answerOf(records, stored))
}

// without takes a parameter off a raw query.
func without(query, name string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); key != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

type answer struct {
	Received    int           `json:"received"`
	Stored      int           `json:"stored"`
	Duplicates  int           `json:"duplicates"`
	Quarantined int           `json:"quarantined"`
	Spooled     int           `json:"spooled"`
	Errors      []recordError `json:"errors"`
}

type recordError struct {
	Record int    `json:"record"`
	Reason string `json:"reason"`
}

func answerOf(records []cdr.Record, stored []bool) answer {
	a := answer{Received: len(records), Errors: []recordError{}}
	for i, r := range records {
		switch {
		case r.Reject != nil:
			a.Quarantined++
			a.Errors = append(a.Errors, recordError{i, r.Reject.Reason})
		case stored[i]:
			a.Stored++
		default:
			a.Duplicates++
		}
	}
	return a
}
