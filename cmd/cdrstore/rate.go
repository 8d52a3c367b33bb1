package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/rate"
	"github.com/cdrstore/cdrstore/internal/table"
)

func rateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rate",
		Short: "Import price lists, choose which calls they price, explain a price",
		Long: `Works on what calls are sold for: table rate (price lists, called decks), table
tariff (which deck prices which calls), and the view rated_cdr, which has the price
of every ended call beside what the provider charged.

A call is priced by its tariff and the rates of its deck that are valid at call_time.
The called number is compared with their prefixes, by the first of these that is known:
  E.164           dst_e164, the number where it is certain
  international   digits after + or 00, also where they are no valid number
  national        by the country of the source, see the configuration
  digits as sent  as if they began with a country code: not certain
A rate exact:112 is for that number alone and comes before every prefix; among
prefixes the longest is used. Short codes (fewer than 7 digits) and SIP users are
priced by exact rates only. The price is then:
  answered       connection_fee + price_per_minute × billed seconds / 60, rounded
                 half up to 6 decimals; the seconds are first_increment at least,
                 then whole next_increments
  not answered   0
  without price  no rate matches, or the number, the talk time or the outcome is not
                 known: column unpriced of rated_cdr, counted by report completeness`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(rateImportCommand(), rateListCommand(), rateDecksCommand(), rateTariffCommand(), rateExplainCommand())
	return cmd
}

func rateImportCommand() *cobra.Command {
	var o rate.Options
	var tz string
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Add the rates of a CSV file to a deck",
		Long: `Adds the rates of a CSV file, or of standard input, to a deck. Either all lines are
imported or none; what is wrong is said for all lines at once, the first twenty in words.

The first line names the columns, in any order:
  prefix             digits with the country code, without +; empty: every number;
                     exact:112 or exact:alice: only this short code or SIP user
  valid_from         first moment: 2026-10-01 or 2026-10-01T00:00:00Z
  valid_to           first moment after it; empty: until the deck's next rate of the prefix
  price_per_minute   such as 0.0125, with a decimal point, not negative
  connection_fee     for an answer (0)
  first_increment    seconds that are billed at least (1)
  next_increment     seconds by which is billed after that (1)
  currency           such as USD
  description        for people
  deck               where --deck does not say it; with both they must be equal
Needed are prefix, valid_from, price_per_minute and currency; an empty cell of another
one is the value in brackets. Dates are midnight, and times without a zone are local
time, of --tz. UTF-8; columns are separated by commas, or by semicolons or tabs where
the header is; gzip is unpacked.

Two rates of a deck and prefix are never valid at the same time. One without valid_to
ends where the next one of its prefix begins. So a line may stand between two rates of
the deck: the earlier one then ends where the line begins. All else is a fault: two
lines with the same prefix and valid_from, overlaps, a line that ends within a rate of
the deck (import a line for the time after it too), a prefix and valid_from that the
deck has with another price. Importing a file again does nothing.

With --replace the decks of the file become what the file says: their other rates are
removed. A rate counts for past calls too. What closed periods have billed stays as it
is, and the next close adjusts it: a note says so, and cdrstore period verify
--side price shows the differences.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			zone, err := zoneOf(tz)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("deck") && o.Deck == "" {
				return errors.New("--deck: the name is empty")
			}
			o.Zone = zone
			return importRates(cmd, args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.Deck, "deck", "", "deck of all lines (default what column deck says)")
	cmd.Flags().BoolVar(&o.Replace, "replace", false, "remove the deck's other rates")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "only look for faults and count")
	cmd.Flags().StringVar(&tz, "tz", "UTC", "time zone of dates and of times that name none, such as Europe/London")
	return cmd
}

func zoneOf(tz string) (*time.Location, error) {
	zone, err := time.LoadLocation(tz)
	if err != nil || tz == "Local" {
		return nil, fmt.Errorf("--tz: %q is not a time zone like Europe/London", tz)
	}
	return zone, nil
}

func importRates(cmd *cobra.Command, name string, o rate.Options) error {
	file, err := io.NopCloser(cmd.InOrStdin()), error(nil)
	if name != "-" {
		if file, err = os.Open(name); err != nil {
			return err
		}
	}
	defer func() { _ = file.Close() }() // it was only read
	return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
		progress, done := counter("lines")
		i, err := rate.Import(cmd.Context(), pool, file, o, progress)
		done()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		would := ""
		if o.DryRun {
			would = " (dry run: nothing was changed)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d lines: %d rates added, %d known already; %d rates ended earlier, %d removed%s\n",
			i.Lines, i.Added, i.Known, i.Closed, i.Removed, would)
		if i.Note != "" {
			fmt.Fprintln(cmd.ErrOrStderr(), "note:", i.Note)
		}
		return nil
	})
}

func rateListCommand() *cobra.Command {
	var deck, prefix string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print rates as CSV that import reads",
		Long: `Prints rates by deck, prefix and time, as CSV that rate import reads. Times are UTC.
--prefix 44 prints the rates of 44 and of all prefixes that begin with it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				return listRates(cmd.Context(), pool, cmd.OutOrStdout(), deck, prefix)
			})
		},
	}
	cmd.Flags().StringVar(&deck, "deck", "", "only this deck (default all)")
	cmd.Flags().StringVar(&prefix, "prefix", "", "only prefixes that begin with these digits (default all)")
	return cmd
}

func listRates(ctx context.Context, pool *pgxpool.Pool, to io.Writer, deck, prefix string) error {
	w := table.NewCSV(to)
	if err := w.Write(rate.Columns()); err != nil {
		return err
	}
	err := rate.List(ctx, pool, deck, prefix, func(r rate.Rate) error { return w.Write(r.Record()) })
	w.Flush()
	return errors.Join(err, w.Error())
}

func rateDecksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "decks",
		Short: "List the decks",
		Long: `Lists the decks that have rates or that a tariff names, and "default", which prices
the calls that no tariff fits. Times are UTC.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				decks, err := rate.Decks(cmd.Context(), pool)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "DECK\tRATES\tVALID NOW\tCURRENCIES\tFIRST FROM\tLAST FROM\tTARIFFS")
				for _, d := range decks {
					fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%d\n", d.Name, d.Rates, d.ValidNow, dash(d.Currencies),
						day(d.FirstFrom), day(d.LastFrom), d.Tariffs)
				}
				return w.Flush()
			})
		},
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}
