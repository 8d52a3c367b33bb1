package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/postgres"
)

func psqlCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "psql [ARGUMENTS OF PSQL]",
		Short: "Open psql on the database",
		Long: `Opens psql on DATABASE_URL, or on the own Postgres, which is started for the while
where no receiver runs. Everything behind psql is handed on: cdrstore psql -c 'SELECT …'`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return cmd.Help()
			}
			return withDatabase(cmd.Context(), func(_ config.Config, url string, _ *slog.Logger) error {
				return psql(cmd, url, args)
			})
		},
	}
}

func psql(cmd *cobra.Command, url string, args []string) error {
	program, err := exec.LookPath("psql")
	if err != nil {
		dir, findErr := postgres.Find()
		if findErr != nil {
			return fmt.Errorf("psql is not installed: %w", err)
		}
		program = filepath.Join(dir, "psql")
	}
	// Ctrl-C is psql's: it cancels a query there.
	signal.Ignore(os.Interrupt)
	defer signal.Reset(os.Interrupt)
	child := exec.CommandContext(cmd.Context(), program, append([]string{"--dbname=" + url}, args...)...)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	return child.Run()
}
