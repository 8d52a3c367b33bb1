package simulate

import (
	"compress/gzip"
	"iter"
	"strings"
	"time"
)

// Story is what a provider sends about some calls that belong together, and the
// rows that come of it whatever the order and repetition.
type Story struct {
	Requests []Request // each once
	Rows     []Row
}

// Request is one delivery, as it goes to a receiver without credentials.
type Request struct {
	At      time.Time // when the provider sends it, by the simulated clock, UTC
	Method  string
	Target  string // path and query
	Header  map[string]string
	Body    []byte // compressed where the header says so
	Records int
}

// Row counts the rows under one call id.
type Row struct {
	Source, CallID     string
	Calls              int // 0 or 1
	Events, Recordings int
}

// Providers lists the providers whose calls can be told.
func Providers() []string { return names() }

// Tell tells the calls of a provider from a number on, for others to send in an
// order of their own. The same arguments tell the same story.
func Tell(provider string, seed uint64, first, calls int) Story {
	s := tell(provider, seed, first, calls)
	var told Story
	seen := map[string]bool{}
	for _, d := range s.deliveries {
		key := strings.Join([]string{d.method, d.hint, d.query, string(d.body)}, "\x00")
		if !seen[key] {
			seen[key] = true
			told.Requests = append(told.Requests, d.request())
		}
	}
	for _, r := range s.rows {
		row := Row{Source: r.source, CallID: r.id, Events: r.events, Recordings: r.recordings}
		if r.call != nil {
			row.Calls = 1
		}
		told.Rows = append(told.Rows, row)
	}
	return told
}

// Replay returns all that Run sends with a seed and a number of calls of all
// providers, repeats included, in the order of the simulated clock, for others
// to store as received at those times.
func Replay(seed uint64, calls int) iter.Seq[Request] {
	return func(yield func(Request) bool) {
		for d := range newTimeline(Options{Seed: seed, Calls: calls, Providers: names()}).deliveries(1) {
			if !yield(d.request()) {
				return
			}
		}
	}
}

// TellBatch tells only the CDRs of DIDWW's calls from a number on, without their
// events: one request with as many CDRs as size, as DIDWW's feed sends them when
// there is much to send. It says how many of them are different.
func TellBatch(seed uint64, first, size int) (r Request, different int) {
	s := &story{provider: "didww", seed: seed, Rand: chance(seed, "didww", "story", first)}
	var lines []line
	for n := first; len(lines) < size; n++ {
		p := s.plot(n)
		p.alive = false
		if p.inbound {
			lines = append(lines, s.didwwIn(p)...)
		} else {
			lines = append(lines, s.didwwOut(p)...)
		}
	}
	lines = lines[:size]
	seen := map[string]bool{}
	for _, l := range lines {
		seen[string(l.json)] = true
	}
	d := didwwBatch(lines)
	d.provider = s.provider
	return d.request(), len(seen)
}

func (d delivery) request() Request {
	r := Request{At: d.at, Method: d.method, Target: d.target(), Header: d.header, Body: d.body, Records: d.records}
	if d.header["Content-Encoding"] == "gzip" {
		r.Body = zip(gzip.NewWriter(nil), d.body)
	}
	return r
}

// target is the path and query of a request.
func (d delivery) target() string {
	target := "/hooks/" + d.provider
	if d.hint != "" {
		target += "/" + d.hint
	}
	if d.query != "" {
		target += "?" + d.query
	}
	return target
}
