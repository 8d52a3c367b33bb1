package main

import (
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/migrations"
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Change the tables: up, down, status, new, distribute",
		Long: `Changes the tables of DATABASE_URL, or of the own Postgres. The receiver applies
missing migrations by itself when it starts; several at once wait for each other.`,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply the migrations that the database lacks", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withDatabase(cmd.Context(), func(_ config.Config, url string, _ *slog.Logger) error {
					return migrations.Up(cmd.Context(), url, logger(slog.LevelInfo))
				})
			},
		},
		&cobra.Command{
			Use: "down", Short: "Take the last migration back, and its data with it", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withDatabase(cmd.Context(), func(_ config.Config, url string, _ *slog.Logger) error {
					return migrations.Down(cmd.Context(), url, logger(slog.LevelInfo))
				})
			},
		},
		&cobra.Command{
			Use: "status", Short: "List the migrations and when they were applied", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withDatabase(cmd.Context(), func(_ config.Config, url string, _ *slog.Logger) error {
					states, err := migrations.Status(cmd.Context(), url)
					if err != nil {
						return err
					}
					return printStates(states)
				})
			},
		},
		&cobra.Command{
			Use: "new NAME", Short: "Write an empty migration into ./migrations", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				path, err := migrations.New("migrations", args[0])
				if err == nil {
					fmt.Println(path)
				}
				return err
			},
		},
		distributeCommand(),
	)
	return cmd
}

func distributeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "distribute",
		Short: "Spread the tables over the machines of a Citus cluster",
		Long: `Spreads the tables of DATABASE_URL, the coordinator of a Citus cluster (11 or newer),
over its machines: what is about a call by call_id, messages and the quarantine by
their ids, sources everywhere. Applies missing migrations first, as up does. Tables
that are distributed already are left alone: run it again after every upgrade.

A table's rows are copied to their machines and then removed from the coordinator.
Meanwhile it can be read, but what is written to it waits, or is refused until all
tables are done. Receivers may run and keep in their spool what comes; stop those
with CDRSTORE_SPOOL=off, and rebuild, replay, prune and erase. Every table is a step
of its own: after a failure run it again, and it goes on where it was.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(_ config.Config, url string, _ *slog.Logger) error {
				return migrations.Distribute(cmd.Context(), url, logger(slog.LevelInfo))
			})
		},
	}
}

func printStates(states []migrations.State) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, s := range states {
		applied := "not applied"
		if !s.AppliedAt.IsZero() {
			applied = s.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\n", s.Name, applied)
	}
	return out.Flush()
}
