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
		Short: "Change the tables: up, down, status, new",
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
	)
	return cmd
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
