package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/store"
)

func verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Prove that every call is the fold of its events",
		Long: `Compares every row of table call with the fold of its events and prints each that
differs with its columns. Exits with 1 when one does. Works beside running
receivers, and needs only DATABASE_URL.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), func(_ config.Config, s *store.Store, _ *slog.Logger) error {
				progress, done := counter("calls compared")
				v, err := s.Verify(cmd.Context(), printDifference, progress)
				done()
				if err != nil {
					return err
				}
				fmt.Printf("%d calls, %d of them pruned and not compared, %d differ\n", v.Calls, v.Pruned, v.Differences)
				if v.Differences > 0 {
					return errors.New("some calls are not the fold of their events: `cdrstore rebuild` mends them")
				}
				return nil
			})
		},
	}
}

func printDifference(d store.Difference) {
	fmt.Printf("%s %s: %s\n", d.Source, d.CallID, strings.Join(d.Columns, ", "))
}

func rebuildCommand() *cobra.Command {
	var redecode bool
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Fold every call anew from its events",
		Long: `Folds every call again from the facts of its events and writes those that differ.
With --redecode it first reads the stored payloads again, after an adapter was
fixed. The id of an event and what the configuration added to it stay; an event
whose record now names another call moves there. Pruned calls are left alone.
Works while receivers run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), func(_ config.Config, s *store.Store, _ *slog.Logger) error {
				var redecoder store.Redecoder
				if redecode {
					redecoder = ingest.Redecode
				}
				progress, done := counter("calls folded")
				r, err := s.Rebuild(cmd.Context(), redecoder, progress)
				done()
				fmt.Printf("%d calls, %d changed, %d pruned and left alone", r.Calls, r.Changed, r.Pruned)
				if redecode {
					fmt.Printf("; %d events read differently now, %d of them as those of another call; %d could not be read again and were left alone", r.Events, r.Moved, r.Unreadable)
				}
				fmt.Println()
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&redecode, "redecode", false, "read the stored payloads again first")
	return cmd
}

func replayCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Decode the quarantine again",
		Long: `Decodes what is in quarantine again, after an adapter was mended, with the time of
its first receipt. What can be read now is stored and marked; the rest stays with
its reason. It can be run any number of times and never makes a row twice.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), func(_ config.Config, s *store.Store, _ *slog.Logger) error {
				progress, done := counter("pieces")
				r, err := ingest.Replay(cmd.Context(), s, store.Choice{ReadToo: all}, progress)
				done()
				fmt.Printf("%d pieces: %d read, %d still unreadable; %d records new, %d known already\n",
					r.Pieces, r.Read, r.Unreadable, r.Records, r.Duplicates)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what was replayed before")
	return cmd
}
