// Package simulate plays made-up traffic of the five providers against a running
// receiver and then looks whether every call is in the database as it should be.
//
// What should be there follows from what was made up, never from the service's
// own decoding and folding: the package imports cdr for the vocabulary of a
// call's columns and store to read tables, and neither provider nor ingest.
//
// The same seed makes the same bytes for ever: a call's numbers, times and
// outcome depend on the seed, its provider and its number alone, and its times
// lie on days of 2025 that the seed chooses. So a second run of a seed brings
// nothing but duplicates, whatever the number of calls or connections.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/store"
)

// MaxCalls is how many calls one run may have.
const MaxCalls = 1_000_000

// Options of a run. Store and Out are required.
type Options struct {
	URL         string       // of the receiver; http://127.0.0.1:8080. Loopback only
	Token       string       // of the receiver's sources; empty: they have none
	Store       *store.Store // the receiver's database
	Calls       int          // 300
	Rate        float64      // deliveries a second; 0: as fast as it goes
	Seed        uint64       // 0 stands for 1
	Providers   []string     // didww, didlogic, voipnow, piopiy, wavix; all of them
	Connections int          // 8
	Force       bool         // also where the database holds calls that nobody simulated
	Out         io.Writer    // for the report and the progress
	Terminal    bool         // Out is a terminal: show a progress bar
}

// samples is how many calls a report shows.
const samples = 15

// Run plays the traffic, checks the database and prints a report. The error says
// what went wrong, above all which calls are not as they should be. When ctx
// ends, so does the run, and the report says what was sent so far.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.complete(); err != nil {
		return Report{}, err
	}
	r := newReport()
	s := newSender(o, r)
	defer s.client.CloseIdleConnections()
	if err := s.reach(ctx); err != nil {
		return *r, err
	}
	if err := o.refuseOthers(ctx); err != nil {
		return *r, err
	}
	before, err := counts(ctx, o)
	if err != nil {
		return *r, err
	}
	if err := play(ctx, o, s); err != nil {
		if interrupted(ctx, err) {
			err = fmt.Errorf("interrupted, the calls were not checked: %w", err)
		}
		return *r, errors.Join(err, r.write(o.Out))
	}
	if err := settle(ctx, o, r, before); err != nil {
		return *r, err
	}
	if err := r.write(o.Out); err != nil {
		return *r, fmt.Errorf("print the report: %w", err)
	}
	text, wrong := r.verdict()
	_, err = fmt.Fprintln(o.Out, text)
	return *r, errors.Join(wrong, err)
}

// play sends everything.
func play(ctx context.Context, o Options, s *sender) error {
	p := newProgress(o, expectedDeliveries(o))
	began := time.Now()
	err := s.sendAll(ctx, newTimeline(o).deliveries(o.Connections), p)
	p.end()
	s.report.took = time.Since(began)
	return err
}

// settle checks the database. What was spooled comes there a little later: then
// it is checked again for a while.
func settle(ctx context.Context, o Options, r *Report, before map[string]map[string]store.Count) error {
	for try := 1; ; try++ {
		r.Calls, r.Wrong, r.Faults, r.sample = 0, 0, nil, nil
		clear(r.wanted)
		c := &checker{o: o, report: r, every: (o.Calls + samples - 1) / samples}
		if err := c.check(ctx); err != nil {
			return err
		}
		after, err := counts(ctx, o)
		if err != nil {
			return err
		}
		r.Tables = after
		c.checkCounts(before, after)
		if r.Wrong == 0 || r.Said.Spooled == 0 || try == patience {
			return nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// expectedDeliveries estimates how many deliveries a run has by those of its
// first calls.
func expectedDeliveries(o Options) int {
	first := o
	first.Calls = min(o.Calls, 2000)
	n := 0
	for _, s := range newTimeline(first).stories() {
		n += len(s.deliveries)
	}
	return n * o.Calls / first.Calls
}

// refuseOthers refuses a database in which there are calls that nobody
// simulated.
func (o *Options) refuseOthers(ctx context.Context) error {
	if o.Force {
		return nil
	}
	source, id, err := o.Store.CallUnlike(ctx, simulated)
	if err != nil {
		return err
	}
	if id != "" {
		return fmt.Errorf("the database holds calls that nobody simulated, such as %s of %s: use another database, or --force to put simulated calls beside them", id, source)
	}
	return nil
}

// complete fills in what was not said and refuses what cannot be done.
func (o *Options) complete() error {
	if o.URL == "" {
		o.URL = "http://127.0.0.1:8080"
	}
	if o.Calls == 0 {
		o.Calls = 300
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Connections == 0 {
		o.Connections = 8
	}
	if len(o.Providers) == 0 {
		o.Providers = names()
	}
	switch {
	case o.Calls < 1 || o.Calls > MaxCalls:
		return fmt.Errorf("calls: %d is not between 1 and %d", o.Calls, MaxCalls)
	case !(o.Rate >= 0 && o.Rate <= 1e6):
		return fmt.Errorf("rate: %g deliveries a second is not between 0 (as fast as it goes) and 1000000", o.Rate)
	case o.Connections < 1 || o.Connections > 256:
		return fmt.Errorf("connections: %d is not between 1 and 256", o.Connections)
	}
	for i, p := range o.Providers {
		if !slices.Contains(names(), p) {
			return fmt.Errorf("providers: %q is none; known are %s", p, strings.Join(names(), ", "))
		}
		if slices.Contains(o.Providers[:i], p) {
			return fmt.Errorf("providers: %s is named twice", p)
		}
	}
	return o.checkURL()
}

// checkURL refuses every receiver but one on this machine: made-up calls must
// not reach somebody's bills.
func (o *Options) checkURL() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not the URL of a receiver, like http://127.0.0.1:8080", o.URL)
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if !strings.EqualFold(u.Hostname(), "localhost") && (err != nil || !addr.Unmap().IsLoopback()) {
		return fmt.Errorf("%s is not on this machine: simulated calls go to a loopback address only, like http://127.0.0.1:8080", u.Host)
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return nil
}
