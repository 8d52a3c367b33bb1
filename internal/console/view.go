package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/span"
)

// view is what every page knows. Its methods are what templates write values
// with, so that zone and masking hold everywhere.
type view struct {
	Title  string
	Page   string // path of the page in the navigation that is open
	Status int
	TZ     string // as the visitor wrote it; UTC where he did not
	Zone   *time.Location
	Now    time.Time
	Mask   bool
	Data   any

	console *Console
	query   url.Values
	path    string
}

// newView reads what all pages are asked with. The view is never nil.
func (c *Console) newView(r *http.Request) (*view, error) {
	v := &view{
		Status: http.StatusOK, TZ: "UTC", Zone: time.UTC, Now: c.Now(), Mask: c.Mask,
		console: c, query: r.URL.Query(), path: r.URL.EscapedPath(),
	}
	v.Page = "/" + strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")[0]
	if v.Page == "/call" {
		v.Page = "/calls"
	}
	tz := strings.TrimSpace(v.query.Get("tz"))
	if tz == "" {
		return v, nil
	}
	zone, err := span.Zone(tz)
	if err != nil {
		return v, problem{http.StatusBadRequest, "Zone: " + err.Error() + "."}
	}
	v.TZ, v.Zone = tz, zone
	return v, nil
}

// Link is a path of the console with parameters, as names and values in turn,
// in the zone of the visitor. Empty values are left out.
func (v *view) Link(path string, parameters ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Set(parameters[i], parameters[i+1])
		}
	}
	if v.TZ != "UTC" {
		query.Set("tz", v.TZ)
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// CallLink is the page of a call. Under masking the id is sealed, for many hold
// a number; and so are ids that a browser would read as a folder.
func (v *view) CallLink(source, callID string) string {
	id := callID
	if v.Mask || id == "." || id == ".." || strings.HasPrefix(id, sealed) {
		id = sealed + v.console.seal(callID)
	}
	return v.Link("/call/" + url.PathEscape(source) + "/" + url.PathEscape(id))
}

// callID reads the id in the path of a call's page.
func (c *Console) callID(r *http.Request) string {
	id := r.PathValue("call_id")
	if text, ok := strings.CutPrefix(id, sealed); ok {
		if opened, err := c.open(text); err == nil {
			return opened
		}
	}
	return id
}

// Rest are the parameters of the page but the zone, for the form that chooses
// it.
func (v *view) Rest() []parameter {
	var all []parameter
	for _, name := range slices.Sorted(maps.Keys(v.query)) {
		if name == "tz" || name == "token" {
			continue
		}
		for _, value := range v.query[name] {
			all = append(all, parameter{name, value})
		}
	}
	return all
}

type parameter struct{ Name, Value string }

// Path is that of the page, for forms that ask for it again.
func (v *view) Path() string { return v.path }

// FormToken must be in every form that changes something.
func (v *view) FormToken() string { return v.console.auth.formValue }

// Zones are proposed to the visitor, who may write any other.
func (v *view) Zones() []string {
	return []string{
		"UTC", "Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Athens", "Europe/Moscow",
		"Africa/Lagos", "Africa/Johannesburg", "Asia/Dubai", "Asia/Karachi", "Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo",
		"Australia/Sydney", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
	}
}

// navigation is a page that is always one step away.
type navigation struct{ Path, Name string }

// Nav are the pages of the navigation. A call is reached from Calls.
func (v *view) Nav() []navigation {
	return []navigation{{"/", "Now"}, {"/calls", "Calls"}, {"/quarantine", "Quarantine"}, {"/usage", "Usage"}}
}
