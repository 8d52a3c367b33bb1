package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/simulate"
)

// growth compares a database that holds millions of calls already with an empty
// one: what the receiver takes, how fast calls are found, how much space they
// need. It is a program of its own, because it takes long and tens of GB:
//
//	make bench-growth args="-calls 1000000,10000000"
type growth struct {
	*bench
	grown  string // URL of the database that grows
	filled int    // calls that were made up so far
}

// growthResults is what the growth experiment has measured.
type growthResults struct {
	SharedBuffers string       `json:"shared_buffers"`
	Steps         []growthStep `json:"steps"`
}

// growthStep is what was measured beside so many calls.
type growthStep struct {
	Calls       int      `json:"calls"`
	FillSeconds float64  `json:"fill_seconds"`
	Rounds      []round  `json:"rounds"`
	Queries     []lookup `json:"queries"`
	Sizes       []size   `json:"sizes"`
}

type growthOptions struct {
	options
	calls []int
}

// Of the target databases.
const (
	nameEmpty = "empty"
	nameGrown = "grown"
)

func growthLevels() []int { return []int{64, 256} }

func runGrowth(ctx context.Context, arguments []string) error {
	o, err := parseGrowth(arguments)
	if err != nil {
		return err
	}
	b, err := prepare(ctx, o.options)
	if err != nil {
		return err
	}
	defer b.close()
	g := &growth{bench: b}
	measured := growthResults{SharedBuffers: o.settings["shared_buffers"]}
	if g.grown, err = b.database(ctx, nameGrown); err != nil {
		return err
	}
	b.expected[g.grown] = &expected{rows: map[callKey]simulate.Row{}, since: time.Now()}
	for _, calls := range o.calls {
		step, err := g.step(ctx, calls)
		if err != nil {
			return fmt.Errorf("with %d calls: %w", calls, err)
		}
		if err := step.print(os.Stdout); err != nil {
			return err
		}
		measured.Steps = append(measured.Steps, step)
		if o.json == "" {
			continue
		}
		if err := writeJSON(o.json, measured); err != nil {
			return err
		}
	}
	return nil
}

func parseGrowth(arguments []string) (growthOptions, error) {
	var o growthOptions
	flags := flag.NewFlagSet("bench growth", flag.ContinueOnError)
	calls := flags.String("calls", "1000000,10000000", "how many calls are there already, ascending, separated by commas")
	buffers := flags.String("shared-buffers", "8GB", "shared_buffers of the temporary Postgres")
	o.add(flags)
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	o.settings = map[string]string{"shared_buffers": *buffers}
	for word := range strings.SplitSeq(*calls, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > maxCalls {
			return o, fmt.Errorf("calls must be numbers of 1 to %d, not %q", maxCalls, word)
		}
		o.calls = append(o.calls, n)
	}
	if !slices.IsSorted(o.calls) {
		return o, errors.New("calls must ascend")
	}
	return o, o.check()
}

// step measures beside so many calls.
func (g *growth) step(ctx context.Context, calls int) (growthStep, error) {
	s := growthStep{Calls: calls}
	begin := time.Now()
	if err := g.fill(ctx, calls); err != nil {
		return s, fmt.Errorf("fill: %w", err)
	}
	s.FillSeconds = time.Since(begin).Seconds()
	g.say("%d calls: filled in %.0f s", calls, s.FillSeconds)
	if err := g.prewarm(ctx); err != nil {
		return s, fmt.Errorf("prewarm: %w", err)
	}
	empty, err := g.database(ctx, nameEmpty)
	if err != nil {
		return s, err
	}
	if s.Rounds, err = g.receive(ctx, empty, calls); err != nil {
		return s, err
	}
	for _, t := range []target{{name: nameEmpty, database: empty}, {name: nameGrown, database: g.grown}} {
		found, err := g.lookups(ctx, t)
		if err != nil {
			return s, fmt.Errorf("query %s: %w", t.name, err)
		}
		measured, err := sizeOf(ctx, t)
		if err != nil {
			return s, fmt.Errorf("measure the size of %s: %w", t.name, err)
		}
		s.Queries, s.Sizes = append(s.Queries, found...), append(s.Sizes, measured)
	}
	return s, nil
}

// receive sends the same traffic to a receiver on each database, and looks
// whether all of it is there.
func (g *growth) receive(ctx context.Context, emptyURL string, calls int) ([]round, error) {
	empty, err := start(ctx, g.dir, nameEmpty, emptyURL, g.cdrstore, "serve")
	if err != nil {
		return nil, err
	}
	defer empty.stop()
	grown, err := start(ctx, g.dir, nameGrown, g.grown, g.cdrstore, "serve")
	if err != nil {
		return nil, err
	}
	defer grown.stop()
	if err := g.work(ctx, calls, empty, grown); err != nil {
		return nil, err
	}
	before := len(g.results.Rounds)
	for _, connections := range growthLevels() {
		next := func() traffic { return g.scattered(calls, g.enough(connections)) }
		p := plan{connections: connections, atMost: g.o.duration(), goOn: true}
		if err := g.interleave(ctx, fmt.Sprintf("growth-%d", calls), g.o.rounds, p, next, empty, grown); err != nil {
			return nil, err
		}
	}
	grown.stop()
	return g.results.Rounds[before:], errors.Join(g.stopAndCheck(ctx, empty), g.check(ctx, grown, false))
}

// work has receivers be at work for a minute each, after the last checkpoint that
// is asked for. A session of Postgres pays once for each page of memory that it
// touches, which shows where indexes are large: in the first ten seconds a delivery
// takes half as much again as later.
func (g *growth) work(ctx context.Context, calls int, all ...*target) error {
	if err := g.checkpoint(ctx); err != nil {
		return err
	}
	for range 6 {
		t := g.scattered(calls, 150_000)
		for _, one := range all {
			if _, err := g.run(ctx, "warm-up", one, t, plan{connections: 256, atMost: 10 * time.Second, goOn: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// scattered is traffic with ids and numbers from all over the indexes.
func (g *growth) scattered(calls, requests int) traffic {
	seed := g.newSeed()
	return mixedAs(seed, requests, newScatter(seed, numbers(calls)).story)
}
