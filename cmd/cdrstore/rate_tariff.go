package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/rate"
)

func rateTariffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tariff",
		Short: "List, set or remove which deck prices which calls",
		Long: `Lists which deck prices which calls. A tariff names a source, an account, a trunk
and a direction, or some of them, or none: then it is for all calls. Of those that fit
a call the narrowest counts: one that names the trunk before one that does not, then
account, then source, then direction. A call that none fits is priced by the deck
"default". A tariff is used for the calls whose call_time lies in its time: from
VALID FROM, inclusive, to VALID TO, exclusive, UTC; - is no bound.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				tariffs, err := rate.Tariffs(cmd.Context(), pool)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "SOURCE\tACCOUNT\tTRUNK\tDIRECTION\tDECK\tVALID FROM\tVALID TO")
				for _, t := range tariffs {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", anyOf(t.Source), anyOf(t.Account), anyOf(t.Trunk), anyOf(t.Direction), t.Deck,
						day(t.ValidFrom), day(t.ValidTo))
				}
				fmt.Fprintf(w, "other calls\t\t\t\t%s\t-\t-\n", rate.DefaultDeck)
				return w.Flush()
			})
		},
	}
	cmd.AddCommand(tariffSetCommand(), tariffRemoveCommand())
	return cmd
}

func anyOf(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

func tariffSetCommand() *cobra.Command {
	var t rate.Tariff
	cmd := &cobra.Command{
		Use:   "set --deck DECK",
		Short: "Choose the deck of some calls",
		Long: `Chooses the deck of the calls of a source, account, trunk and direction; what is not
said is any. --from and --to say for which time: without --from from the beginning,
without --to until the next tariff for exactly these calls begins. A tariff for exactly
these calls that is valid within that time is replaced there, and stays before and
after it.

A tariff is for past calls too: their prices follow immediately, and the next close of a
period adjusts those that are billed already: a note says so, and
` + "`cdrstore period verify --side price`" + ` shows them.`,
		Args:    cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return tariffTimes(cmd, &t) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				set, doubts, err := rate.SetTariff(cmd.Context(), pool, t)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: priced by deck %s%s\n", set.Calls, set.Deck, set.Span())
				for _, d := range doubts {
					fmt.Fprintln(cmd.ErrOrStderr(), "note:", d)
				}
				return nil
			})
		},
	}
	tariffFlags(cmd, &t)
	cmd.Flags().StringVar(&t.Deck, "deck", "", "deck that prices them")
	_ = cmd.MarkFlagRequired("deck") // the flag was just defined
	return cmd
}

func tariffRemoveCommand() *cobra.Command {
	var t rate.Tariff
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Remove the tariff of some calls",
		Long: `Removes the tariffs for exactly the source, account, trunk and direction that are
given; with none of them, those for all calls. With --from or --to only for that time.
It is an error when there is none.`,
		Args:    cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return tariffTimes(cmd, &t) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				if err := rate.RemoveTariff(cmd.Context(), pool, t); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no tariff of their own any more%s\n", t.Calls, t.Span())
				return nil
			})
		},
	}
	tariffFlags(cmd, &t)
	return cmd
}

func tariffFlags(cmd *cobra.Command, t *rate.Tariff) {
	cmd.Flags().StringVar(&t.Source, "source", "", "calls of this source (default any)")
	cmd.Flags().StringVar(&t.Account, "account", "", "calls of this account (default any)")
	cmd.Flags().StringVar(&t.Trunk, "trunk", "", "calls of this trunk (default any)")
	cmd.Flags().StringVar(&t.Direction, "direction", "", "inbound, outbound or internal (default any)")
	cmd.Flags().String("from", "", "calls from this time on, such as 2026-10-01 or 2026-10-01T06:00:00Z (default no bound)")
	cmd.Flags().String("to", "", "calls before this time (default no bound)")
	cmd.Flags().String("tz", "UTC", "time zone of dates and of times that name none, such as Europe/London")
}

// tariffTimes reads --from and --to.
func tariffTimes(cmd *cobra.Command, t *rate.Tariff) error {
	zone, err := zoneOf(cmd.Flag("tz").Value.String())
	if err != nil {
		return err
	}
	for name, bound := range map[string]*time.Time{"from": &t.ValidFrom, "to": &t.ValidTo} {
		if !cmd.Flags().Changed(name) {
			continue
		}
		if *bound, err = rate.ReadTime(cmd.Flag(name).Value.String(), zone); err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
	}
	return nil
}

func rateExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain SOURCE CALL_ID",
		Short: "Say why a call has its price",
		Long: `Says why a call has its price, or has none: the tariff that chooses its deck, the
deck's rates for the called number, the seconds and the sum. Times are UTC.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				e, err := rate.Explain(cmd.Context(), pool, args[0], args[1])
				if err != nil {
					return err
				}
				printExplanation(cmd.OutOrStdout(), e)
				return nil
			})
		},
	}
}

func printExplanation(w io.Writer, e rate.Explanation) {
	tariff := "none fits: the default deck"
	if e.Tariff != nil {
		tariff = e.Tariff.String() + e.Tariff.Span()
	}
	fmt.Fprintf(w, "time      %s\ncalled    %s\noutcome   %s, talk %s\ntariff    %s\ndeck      %s\n",
		day(e.CallTime), e.Called(), e.Disposition, amount(e.Billsec, "s"), tariff, e.Deck)
	counts, found := e.Rate()
	for _, r := range e.Candidates {
		mark := "shorter"
		switch {
		case found && r.Prefix == counts.Prefix && r.ValidFrom.Equal(counts.ValidFrom):
			mark = "counts"
		case !r.ValidAt(e.CallTime):
			mark = "not valid then"
		}
		fmt.Fprintf(w, "rate      %s: prefix %q, from %s to %s: %s per minute, %s for the connection, %s; %d/%d s%s\n",
			mark, r.Prefix, day(r.ValidFrom), day(r.ValidTo), r.PricePerMinute, r.ConnectionFee, r.Currency,
			r.FirstIncrement, r.NextIncrement, strings.TrimRight(" "+r.Description, " "))
	}
	fmt.Fprintf(w, "billed    %s\nprice     %s\nbecause   %s\ncost      %s\nmargin    %s\n",
		amount(e.BilledSec, "s"), amount(e.Price, e.Currency), e.Reason(), amount(e.Cost, e.CostIn), amount(e.Margin, e.Currency))
}

// amount writes a number with its unit.
func amount(a decimal.NullDecimal, unit string) string {
	if !a.Valid {
		return "not known"
	}
	return strings.TrimRight(a.Decimal.String()+" "+unit, " ")
}
