package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

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
"default".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				tariffs, err := rate.Tariffs(cmd.Context(), pool)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "SOURCE\tACCOUNT\tTRUNK\tDIRECTION\tDECK")
				for _, t := range tariffs {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", anyOf(t.Source), anyOf(t.Account), anyOf(t.Trunk), anyOf(t.Direction), t.Deck)
				}
				fmt.Fprintf(w, "other calls\t\t\t\t%s\n", rate.DefaultDeck)
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
said is any. A tariff for exactly these calls gets the new deck.

A tariff is for past calls too: their prices follow at once, and the next close of a
period adjusts those that are billed already; ` + "`cdrstore period verify --side price`" + `
shows them. For prices that change on a day give the deck rates with a valid_from.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				doubts, err := rate.SetTariff(cmd.Context(), pool, t)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: priced by deck %s\n", t.Calls, t.Deck)
				for _, d := range doubts {
					fmt.Fprintln(cmd.ErrOrStderr(), "note:", d)
				}
				return nil
			})
		},
	}
	callFlags(cmd, &t.Calls)
	cmd.Flags().StringVar(&t.Deck, "deck", "", "deck that prices them")
	_ = cmd.MarkFlagRequired("deck") // the flag was just defined
	return cmd
}

func tariffRemoveCommand() *cobra.Command {
	var c rate.Calls
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Remove the tariff of some calls",
		Long: `Removes the tariff for exactly the source, account, trunk and direction that are
given; with none of them, the one for all calls. It is an error when there is none.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				if err := rate.RemoveTariff(cmd.Context(), pool, c); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no tariff of their own any more\n", c)
				return nil
			})
		},
	}
	callFlags(cmd, &c)
	return cmd
}

func callFlags(cmd *cobra.Command, c *rate.Calls) {
	cmd.Flags().StringVar(&c.Source, "source", "", "calls of this source (default any)")
	cmd.Flags().StringVar(&c.Account, "account", "", "calls of this account (default any)")
	cmd.Flags().StringVar(&c.Trunk, "trunk", "", "calls of this trunk (default any)")
	cmd.Flags().StringVar(&c.Direction, "direction", "", "inbound, outbound or internal (default any)")
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
	number := e.Number
	if number == "" {
		number = fmt.Sprintf("not known for certain, sent as %q", e.AsSent)
	}
	tariff := "none fits: the default deck"
	if e.Tariff != nil {
		tariff = e.Tariff.String()
	}
	fmt.Fprintf(w, "time      %s\ncalled    %s\noutcome   %s, talk %s\ntariff    %s\ndeck      %s\n",
		day(e.CallTime), number, e.Disposition, amount(e.Billsec, "s"), tariff, e.Deck)
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
