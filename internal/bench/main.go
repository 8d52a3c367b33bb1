// Command bench measures the receiver side by side with the handler that people
// write by hand and with what limits both, on one Postgres and with one traffic:
//
//	make bench
//
// Load generator, servers and Postgres share the machine, so that ratios within
// one run mean something and bare figures little. It fails when at the end a row
// is missing or doubled.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options of a run.
type options struct {
	only    []string
	seconds float64
	rounds  int
	dir     string
	json    string

	settings map[string]string // of the temporary Postgres, beyond those of the own local one
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == roleByHand:
		err = serveByHand(ctx)
	case len(os.Args) == 2 && os.Args[1] == roleParse:
		err = serveParse(ctx)
	case len(os.Args) > 1 && os.Args[1] == "growth":
		err = runGrowth(ctx, os.Args[2:])
	default:
		err = run(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // the signals need no handler any more
	}
}

func run(ctx context.Context, arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	b, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	for _, e := range experiments() {
		if len(o.only) > 0 && !slices.Contains(o.only, e.name) {
			continue
		}
		b.say("")
		b.say("%s: %s", e.name, e.what)
		if err := e.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	if err := b.report(os.Stdout); err != nil {
		return err
	}
	if o.json == "" {
		return nil
	}
	return b.writeJSON(o.json)
}

func parse(arguments []string) (options, error) {
	var o options
	names := make([]string, 0, len(experiments()))
	for _, e := range experiments() {
		names = append(names, e.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "experiments, separated by commas: "+strings.Join(names, ", ")+"; empty: all")
	o.add(flags)
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("no experiment %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return o, o.check()
}

// add lets flags set what all experiments have.
func (o *options) add(flags *flag.FlagSet) {
	flags.Float64Var(&o.seconds, "seconds", 3, "how long a round lasts")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each target and number of connections, one after another")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "where the temporary Postgres is: on the disk that is meant")
	flags.StringVar(&o.json, "json", "", "a file for the figures, to compare runs")
}

func (o *options) check() error {
	if o.seconds <= 0 || o.seconds > 60 || o.rounds < 1 || o.rounds > 20 {
		return errors.New("seconds must be above 0 and up to 60, rounds 1 to 20")
	}
	return nil
}

// say tells what is going on.
func (b *bench) say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func (o options) duration() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }
