package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/reconcile"
	"github.com/cdrstore/cdrstore/internal/store"
)

const filesHelp = `FILE is what the provider's webhooks send, one JSON record a line or any other way
that the receiver reads (a list, objects one after another); for DIDWW also the
CSV exports of its inbound and outbound call logs, from the API or the user panel.
Columns are found by name. Gzip is taken off. - is standard input.`

func importCommand() *cobra.Command {
	var source string
	var dry bool
	cmd := &cobra.Command{
		Use:   "import --source NAME FILE...",
		Short: "Bring back call records that never arrived, from a provider's files",
		Long: `Reads records of a source from files and stores those that the tables lack. Known
ones change nothing: it can be run any number of times, before and after the push.

` + filesHelp + `

A CDR from a file is marked as imported and yields to a pushed one of the same
record, whichever comes first: nothing is ever charged twice. Of imported ones the
last counts, but for one without the cost or with fields that cannot be read, which
is printed and not added where there is another. A CDR that is there already is compared, and printed where it says
something else; ours stays. Rows that do not name their record in full, as in
DIDWW's outbound export, are matched by call and start, and not added where the
call has other CDRs; rows without the id of a call are matched by start, numbers
and duration for the report alone. A row of an unknown call that looks like a known
one (same second, numbers and talk time) is printed and not added either.

Live events, recordings and messages are stored as if they were pushed; events of
providers that send no time (VoipNow) are not imported.

Each record that cannot be read is printed with its line and the reason, all
others are imported, and the exit code is 1. Nothing goes to the quarantine.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return withBulk(cmd.Context(), func(cfg config.Config, s *store.Store, _ *slog.Logger) error {
				src, err := sourceNamed(cmd.Context(), s, cfg, source)
				if err != nil {
					return err
				}
				if !dry { // one that no receiver has started with yet
					if err := s.Register(cmd.Context(), []store.Source{src}); err != nil {
						return err
					}
				}
				in := reconcile.Input{Source: src, Files: files, Stdin: cmd.InOrStdin(), Now: time.Now().UTC().Truncate(time.Microsecond)}
				return runImport(cmd.Context(), cmd.OutOrStdout(), s, in, dry)
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "whose records these are")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be done and write nothing")
	_ = cmd.MarkFlagRequired("source") // the flag exists
	return cmd
}

func runImport(ctx context.Context, out io.Writer, s *store.Store, in reconcile.Input, dry bool) error {
	progress, done := counter("records read")
	i, err := reconcile.Import(ctx, s, in, dry, func(n reconcile.Note) { printNote(out, n) }, progress)
	done()
	stored := "stored"
	if dry {
		stored = "would be stored"
	}
	fmt.Fprintf(out, "%d records read: %d CDRs %s (%d instead of an earlier import), %d other records %s, %d known already (%d of them differ), %d not added, %d unreadable\n",
		i.Records, i.CDRs, stored, i.Replaced, i.Others, stored, i.Known, i.Differ, i.NotAdded, i.Unreadable)
	if err == nil && i.Unreadable > 0 {
		return fmt.Errorf("%d records could not be read; all others were", i.Unreadable)
	}
	return err
}

func printNote(out io.Writer, n reconcile.Note) {
	what := n.What
	if n.CallID != "" {
		what += " call " + n.CallID
	}
	if n.RecordKey != "" {
		what += " record " + n.RecordKey
	}
	fmt.Fprintf(out, "%s line %d: %s: %s%s\n", n.File, n.Line, what, n.Reason, reconcile.Explain(n.Differences))
}

// sourceNamed returns a source as the database knows it, else as it is
// configured.
func sourceNamed(ctx context.Context, s *store.Store, cfg config.Config, name string) (store.Source, error) {
	known, err := s.Sources(ctx)
	if err != nil {
		return store.Source{}, err
	}
	if src, ok := known[name]; ok {
		return src, nil
	}
	if src, ok := byName(cfg)[name]; ok && src.Name == name {
		return src, nil
	}
	for n, src := range byName(cfg) {
		if _, ok := known[n]; !ok && src.Name == n {
			known[n] = src
		}
	}
	if name == "" {
		return store.Source{}, errors.New("--source: missing")
	}
	return store.Source{}, fmt.Errorf("no source %q is known; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// loadConfig is for commands on connections of their own.
func loadConfig() (config.Config, error) { return config.Load(os.LookupEnv) }
