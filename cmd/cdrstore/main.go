// Command cdrstore receives call events and CDRs of telephony providers and keeps
// them in Postgres. This package wires the others together and holds no logic.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones by name also where the machine has none

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cdrstore:", err)
		os.Exit(exitCode(err))
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cdrstore",
		Short: "Keeps what telephony providers push: call events, CDRs, recordings, messages",
		Long: `cdrstore receives call events, CDRs, recording notices and SMS notices that DIDWW,
DIDLogic, VoipNow, PIOPIY and Wavix push over HTTP, and keeps them in Postgres:
one row per call, whatever the order and the repetition of what arrives.

Settings come from the environment:
  DATABASE_URL       Postgres to use; without it an own one runs in CDRSTORE_DATA_DIR
  CDRSTORE_LISTEN    address of the receiver (127.0.0.1:8080)
  CDRSTORE_DATA_DIR  where the own Postgres and the spool live (./data)
  CDRSTORE_CONFIG    YAML file of sources; without it one per provider, of its name
  CDRSTORE_TOKEN     token that the sources without a file must show
  CDRSTORE_SPOOL     off: keep nothing on disk while the database is away (on)
  CDRSTORE_SPOOL_SIZE  how much of it (8GiB)
  CDRSTORE_LATE      how long a commit may take before a delivery is spooled (5s)
  CDRSTORE_STOP      how long deliveries in flight may take after Ctrl-C (20s)
  CDRSTORE_LOG       how much the receiver logs: debug, info, warn or error (info)
  CDRSTORE_CONSOLE   the web console: on, at / of the receiver's port; off; or an
                     address of its own such as 127.0.0.1:8081 (on)
  CDRSTORE_CONSOLE_USER, CDRSTORE_CONSOLE_PASSWORD  basic auth of the console
  CDRSTORE_CONSOLE_TOKEN  a token that opens it too. Without one of these the
                     console is there on loopback only
  CDRSTORE_CONSOLE_MASK  on: the console masks phone numbers (off)`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(serveCommand(), migrateCommand(), simulateCommand(), rebuildCommand(),
		verifyCommand(), replayCommand(), pruneCommand(), eraseCommand(spooled), spoolCommand(),
		psqlCommand(), healthCommand(), rateCommand(), exportCommand(), changesCommand(), periodCommand(), reportCommand(),
		importCommand(), reconcileCommand())
	return cmd
}

// logger writes text for people and JSON for programs.
func logger(level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if isatty.IsTerminal(os.Stderr.Fd()) {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
