package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/ingest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

func spoolCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spool",
		Short: "Look at the deliveries kept while the database was away: list, check, drain",
		Long: `The spool in CDRSTORE_DATA_DIR/spool takes deliveries while the database is away,
late or refuses them. A running receiver drains it by itself.`,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Show the deliveries that wait: receipt, source, hint, bytes; never what they say", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				return checkSpool(func(d cdr.Delivery) error {
					_, err := fmt.Printf("%s  %s  %s  %d bytes\n", d.ReceivedAt.Format(time.RFC3339Nano), d.Source, d.Hint, len(d.Body)+len(d.Query))
					return err
				})
			},
		},
		&cobra.Command{
			Use: "check", Short: "Read all of it, change nothing, exit with 1 where something is damaged", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return checkSpool(nil) },
		},
		&cobra.Command{
			Use: "drain", Short: "Store what waits, where no receiver runs to do it", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return drainSpool(cmd.Context()) },
		},
	)
	return cmd
}

func spoolDir(cfg config.Config) string { return filepath.Join(cfg.DataDir, "spool") }

// spooled counts the deliveries that wait.
func spooled(cfg config.Config) (int64, error) {
	r, err := spool.Check(spoolDir(cfg), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return r.Deliveries, err
}

func checkSpool(each func(cdr.Delivery) error) error {
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	r, err := spool.Check(spoolDir(cfg), each)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("there is no spool")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d deliveries wait, %d are done, in %d segments of %d bytes\n", r.Deliveries, r.Done, r.Segments, r.Bytes)
	if !r.Oldest.IsZero() {
		fmt.Printf("the oldest was received at %s\n", r.Oldest.Format(time.RFC3339))
	}
	if r.Tail > 0 {
		fmt.Printf("%d bytes at the end are being written, or were cut short\n", r.Tail)
	}
	if r.Aside > 0 {
		fmt.Printf("%d drained segments with damage are kept aside\n", r.Aside)
	}
	for _, d := range r.Damage {
		fmt.Printf("damaged: %s from byte %d, %d bytes: %s\n", d.Segment, d.Offset, d.Bytes, d.Reason)
	}
	if r.Position != "" {
		fmt.Println(r.Position)
	}
	if len(r.Damage) > 0 {
		return errors.New("pieces of the spool cannot be read; they are kept")
	}
	return nil
}

func drainSpool(ctx context.Context) error {
	return withBulk(ctx, func(cfg config.Config, s *store.Store, log *slog.Logger) error {
		if _, err := os.Stat(spoolDir(cfg)); errors.Is(err, fs.ErrNotExist) {
			fmt.Println("there is no spool")
			return nil
		}
		sp, err := spool.Open(spoolDir(cfg), spool.Options{MaxBytes: cfg.SpoolBytes, Log: log})
		if err != nil {
			return err
		}
		defer closeSpool(sp, log)
		if err := s.Register(ctx, registered(cfg)); err != nil {
			return err
		}
		progress, done := counter("deliveries drained")
		defer done()
		for total := 0; ; {
			n, err := ingest.Drain(ctx, sp, s, byName(cfg))
			total += n
			progress(total)
			if err != nil || n == 0 {
				fmt.Printf("%d deliveries drained\n", total)
				return err
			}
		}
	})
}
