// Package console is the web console: pages in which people look at calls, at
// what was set aside, and at how the receiver does. It is drawn on the server
// and works without JavaScript.
//
// It reads the database by sqlc's statements and the report functions. It must
// not import api, store or spool: what it shows of the running receiver comes
// through Options.
package console

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

// Options is what a Console needs. Pool is required.
type Options struct {
	// Pool is for reading. It should be small and its statements limited in time.
	Pool *pgxpool.Pool
	Log  *slog.Logger // nil: slog.Default

	// User and Password are asked for by basic auth; empty: no such credential.
	User, Password string
	// Token is taken as Authorization: Bearer, or once as ?token=; empty: none.
	Token string
	// Loopback says that only programs of this machine can connect. Without a
	// credential nobody else is let in.
	Loopback bool
	// Mask hides all but the last three digits of phone numbers.
	Mask bool

	// Counts says what the receiver has counted since its start, always of the same
	// sources in the same order; nil: nothing is known. This and Spool are called
	// from several goroutines.
	Counts func() []Count
	// Spool says what waits on disk; nil: there is no spool.
	Spool func() Spool
	// Replay reads pieces of the quarantine again; nil: it cannot be done here.
	Replay ReplayFunc

	Now func() time.Time // nil: time.Now
}

// Count is what came from one source since the receiver started. Stored,
// Duplicates, Quarantined and Spooled count records, Deliveries the requests
// that were taken.
type Count struct {
	Source                                               string
	Deliveries, Stored, Duplicates, Quarantined, Spooled int64
	LastReceipt                                          time.Time // zero: not known
}

// Spool is the state of the local log that takes deliveries while the database
// is away.
type Spool struct {
	Deliveries, Bytes, MaxBytes int64
	Failing                     bool // its disk does not take writes
}

// Console is an http.Handler. Run must run beside it for the plots to move.
type Console struct {
	Options
	sealer
	masker masker
	q      *db.Queries
	auth   auth
	assets assets
	pages  map[string]*template.Template // by name of the file
	mux    *http.ServeMux
	same   *http.CrossOriginProtection
	live   *live
	status statusCache

	replaying sync.Mutex // one replay at a time
}

// New returns a console that has sampled nothing yet.
func New(o Options) (*Console, error) {
	if o.Pool == nil {
		return nil, errors.New("console: no connections to the database")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{
		Options: o, q: db.New(o.Pool), masker: newMasker(o.Mask), auth: newAuth(o), live: newLive(),
		mux: http.NewServeMux(), same: http.NewCrossOriginProtection(),
	}
	var err error
	if c.sealer, err = newSealer(o); err != nil {
		return nil, err
	}
	if c.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = parsePages(c.assets); err != nil {
		return nil, err
	}
	c.routes()
	return c, nil
}

// Run takes a sample of the counters every second until ctx ends.
func (c *Console) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		c.sample(c.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *Console) routes() {
	c.get("/{$}", c.now)
	c.get("/now/part", c.nowPart)
	c.get("/now.json", c.nowJSON)
	c.get("/calls", c.calls)
	c.get("/calls.csv", c.callsCSV)
	c.get("/call/{source}/{call_id...}", c.call)
	c.get("/quarantine", c.quarantine)
	c.post("/quarantine/replay", c.replay)
	c.get("/usage", c.usage)
	c.mux.Handle("GET /assets/{name}", c.assets)
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.serve(w, r, func(http.ResponseWriter, *http.Request, *view) error { return errNoPage })
	})
}

// handler shows a page. What it returns becomes a page that says so, unless it
// has begun to write.
type handler func(http.ResponseWriter, *http.Request, *view) error

func (c *Console) get(pattern string, h handler) {
	c.mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, h) })
}

// formLimit is how long what a form asks for may take, answer included.
const formLimit = 6 * time.Minute

// post takes a form of our own pages only.
func (c *Console) post(pattern string, h handler) {
	c.mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
		c.serve(w, r, func(w http.ResponseWriter, r *http.Request, v *view) error {
			if err := c.checkForm(w, r); err != nil {
				return err
			}
			// What is done may take longer than a page; it may fail where nothing limits it.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(formLimit))
			return h(w, r, v)
		})
	})
}

// ServeHTTP lets in who may look, and then shows what is asked for.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !c.admit(w, r) {
		return
	}
	c.mux.ServeHTTP(w, r)
}

func (c *Console) serve(w http.ResponseWriter, r *http.Request, h handler) {
	v, err := c.newView(r)
	if err == nil {
		err = h(w, r, v)
	}
	if err != nil {
		c.fail(w, r, v, err)
	}
}
