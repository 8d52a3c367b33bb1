package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed templates
var templateFiles embed.FS

// problem is an error that its visitor can do something about.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

var (
	errNoPage  = problem{http.StatusNotFound, "There is no such page."}
	errForeign = problem{http.StatusForbidden, "This form is too old, or another site has sent it. Open the page again and repeat."}
)

// parsePages makes a template of each page, within the layout. Blocks of a page
// are found by their name.
func parsePages(a assets) (map[string]*template.Template, error) {
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		t, err := template.New(name).Funcs(template.FuncMap{"asset": a.url}).ParseFS(templateFiles, "templates/layout.html", file)
		if err != nil {
			return nil, fmt.Errorf("console: page %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// show writes a page. Data is what its blocks see as .Data.
func (c *Console) show(w http.ResponseWriter, v *view, page string, data any) error {
	v.Data = data
	return c.execute(w, v.Status, page, "layout", v)
}

// showPart writes one block of a page, for what replaces it in a page that is
// open.
func (c *Console) showPart(w http.ResponseWriter, v *view, page, block string, data any) error {
	v.Data = data
	return c.execute(w, v.Status, page, block, v)
}

// execute writes nothing before all of it is known to be fine.
func (c *Console) execute(w http.ResponseWriter, status int, page, block string, v any) error {
	var text bytes.Buffer
	if err := c.pages[page].ExecuteTemplate(&text, block, v); err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the client is gone
	return nil
}

// write writes a page that has no view: its visitor is not known yet.
func (c *Console) write(w http.ResponseWriter, status int, page string, data any) {
	if err := c.execute(w, status, page, page, data); err != nil {
		c.Log.Error("console", slog.Any("error", err))
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// fail shows what went wrong. What is not the visitor's fault is logged, and not
// told in detail: an error of the database may quote a row.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v *view, err error) {
	var p problem
	switch {
	case errors.As(err, &p):
	case r.Context().Err() != nil:
		return // nobody waits for it
	default:
		p = troubleOf(err)
		c.Log.Warn("console: a page could not be shown", slog.String("page", r.Pattern), slog.String("error", safeError(err)))
	}
	v.Status, v.Title = p.status, http.StatusText(p.status)
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	if err := c.show(w, v, "problem", p.text); err != nil {
		c.Log.Error("console", slog.Any("error", err))
	}
}

// troubleOf says in plain words what is wrong with the database.
func troubleOf(err error) problem {
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.Code == "57014", errors.Is(err, context.DeadlineExceeded):
		return problem{http.StatusServiceUnavailable, "The database took too long. Choose a shorter span, or try again."}
	case errors.As(err, &server) && strings.HasPrefix(server.Code, "42"):
		return problem{http.StatusServiceUnavailable, "The database lacks tables that this page needs. They are made when the receiver starts, or by `cdrstore migrate up`."}
	case errors.As(err, &server) && !strings.HasPrefix(server.Code, "57") && !strings.HasPrefix(server.Code, "53"):
		return problem{http.StatusInternalServerError, "The page could not be made. The log says more."}
	case server != nil || isAway(err):
		return problem{http.StatusServiceUnavailable, "The database does not answer. Deliveries are kept meanwhile, if the spool is on."}
	}
	return problem{http.StatusInternalServerError, "The page could not be made. The log says more."}
}

// isAway reports whether the database could not be reached.
func isAway(err error) bool {
	var connect *pgconn.ConnectError
	var network interface{ Timeout() bool } // net.Error, without its deprecated method
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// safeError leaves out what the server may quote of a row or of a search.
func safeError(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return "SQLSTATE " + server.Code
	}
	if isAway(err) {
		return "the database does not answer"
	}
	return err.Error()
}
