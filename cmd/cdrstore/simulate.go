package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/simulate"
	"github.com/cdrstore/cdrstore/internal/store"
)

func simulateCommand() *cobra.Command {
	o := simulate.Options{Out: os.Stdout, Terminal: terminal(os.Stdout)}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play simulated calls of every provider against the running receiver",
		Long: `Plays the life of some hundred calls of every provider in seconds against the
receiver at CDRSTORE_LISTEN: events out of order, retries, CDRs four times,
recordings before their CDR, garbage in between. Then it says what arrived, what
was stored and what was a duplicate, shows some calls, and compares every call in
the database with what it should be. The same seed sends the same bytes: a second
run finds only duplicates.

It refuses a database that holds other calls, for simulated ones would stand
among them. The sources must be the default ones.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBulk(cmd.Context(), func(cfg config.Config, s *store.Store, _ *slog.Logger) error {
				o.Store = s
				if o.URL == "" {
					o.URL = "http://" + reachable(cfg.Listen)
				}
				o.Token = tokenOf(cfg)
				_, err := simulate.Run(cmd.Context(), o)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&o.URL, "url", "", "receiver (default: the one at CDRSTORE_LISTEN)")
	cmd.Flags().IntVar(&o.Calls, "calls", 300, "how many calls")
	cmd.Flags().Float64Var(&o.Rate, "rate", 0, "deliveries per second (0: as fast as it goes)")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "what the traffic is made of; the same seed sends the same")
	cmd.Flags().StringSliceVar(&o.Providers, "providers", nil, "only these (default: all)")
	cmd.Flags().BoolVar(&o.Force, "force", false, "also into a database that holds other calls")
	return cmd
}

// tokenOf returns a token that the sources take, empty where they want none.
func tokenOf(cfg config.Config) string {
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return len(s.Tokens) > 0 })
	if i < 0 {
		return ""
	}
	return strings.TrimSpace(cfg.Sources[i].Tokens[0])
}
