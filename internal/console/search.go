package console

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/span"
)

// search is what the visitor looks for, as he wrote it. Empty does not limit.
type search struct {
	Number, CallID, Source, Disposition, From, To string

	from, to time.Time // no end: the beginning and the end of time
	written  string    // Number without what stands between digits
	numbers  []string  // its spellings; none: any number
	sources  []string  // all there are
}

// dispositions are what calls can be told apart by.
func dispositions() []string {
	return []string{"answered", "no_answer", "busy", "cancelled", "rejected", "failed", "unknown", "in_progress"}
}

// readSearch reads the form. After an error the search is what was written, to be
// mended.
func (c *Console) readSearch(query url.Values, v *view) (search, error) {
	s := search{from: time.Unix(0, 0), to: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name, to := range map[string]*string{
		"number": &s.Number, "call_id": &s.CallID, "source": &s.Source, "disposition": &s.Disposition, "from": &s.From, "to": &s.To,
	} {
		text := query.Get(name)
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > 1024 {
			return s, problem{http.StatusBadRequest, "The field " + name + " is too long, or has characters that no call has."}
		}
		*to = strings.TrimSpace(text)
	}
	if s.Disposition != "" && !slices.Contains(dispositions(), s.Disposition) {
		return s, problem{http.StatusBadRequest, "There is no such disposition. Write one of " + strings.Join(dispositions(), ", ") + "."}
	}
	spanned, err := span.Parse(s.From, s.To, v.TZ, v.Now)
	if err != nil {
		return s, problem{http.StatusBadRequest, strings.NewReplacer("--from", "From", "--to", "To", "--tz", "Zone").Replace(err.Error())}
	}
	if !spanned.From.IsZero() {
		s.from = spanned.From
	}
	if !spanned.To.IsZero() {
		s.to = spanned.To
	}
	return s, nil
}

// know adds what only the database knows: the sources, and the countries by which
// a number is read.
func (c *Console) know(ctx context.Context, s *search) error {
	rows, err := c.q.ConsoleSources(ctx)
	if err != nil {
		return err
	}
	var countries []string
	for _, r := range rows {
		s.sources = append(s.sources, r.Source)
		if r.Country.Valid && !slices.Contains(countries, r.Country.String) {
			countries = append(countries, r.Country.String)
		}
	}
	if s.Number != "" {
		s.written, s.numbers = spellings(s.Number, countries)
	}
	return nil
}

// parameters are the search as a link has it.
func (s search) parameters() []string {
	return []string{"number", s.Number, "call_id", s.CallID, "source", s.Source, "disposition", s.Disposition, "from", s.From, "to", s.To}
}

// key is where a page begins: behind a call, in the order of the list.
type key struct {
	Time           time.Time
	Source, CallID string
}

func (k key) before(o key) bool {
	return cmp.Or(k.Time.Compare(o.Time), strings.Compare(k.Source, o.Source), strings.Compare(k.CallID, o.CallID)) < 0
}

// lastKey is behind every call, the newest first.
func lastKey() key { return key{Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *Console) writeKey(k key) string {
	text, _ := json.Marshal(k) // a time and two texts
	return c.seal(string(text))
}

func (c *Console) readKey(text string) (key, error) {
	wrong := problem{http.StatusBadRequest, "This page of the list was not found. Begin with the newest."}
	opened, err := c.open(text)
	if err != nil {
		return key{}, wrong
	}
	var k key
	if err := json.Unmarshal([]byte(opened), &k); err != nil || k.Source == "" || k.Time.Year() > 9999 || strings.Contains(k.Source+k.CallID, "\x00") {
		return key{}, wrong
	}
	return k, nil
}
