package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/period"
)

func periodCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "period",
		Short: "Close billing periods, and print and prove what they say",
		Long: `A billing period is a month or a day in a time zone. Each side is closed by itself:
  cost   what the providers charge: cost of view cdr
  price  what we charge by the rates: price of view rated_cdr
Closing writes lines that never change. A call belongs to the period of its
call_time. What comes late, or is corrected after its period was closed, becomes
an adjustment of the next one, so that the sum of all lines is the sum of the
calls. The lines are table bill_line, the totals view bill_total, the periods
table period; the lines that would be written now are function bill_pending.`,
	}
	cmd.AddCommand(periodCloseCommand(), periodListCommand(), periodReportCommand(), periodVerifyCommand())
	return cmd
}

func periodCloseCommand() *cobra.Command {
	var c period.Closing
	cmd := &cobra.Command{
		Use:   "close NAME --side cost|price --tz ZONE",
		Short: "Write the lines of a month or a day that is over",
		Long: `Closes a month (2026-10) or a day (2026-10-05) of a time zone, for one side, and
prints its totals. It writes, at once or not at all:
  - a line for each ended call of the period. An amount that is not known gets a
    line without amount, adjusted when it is known;
  - an adjustment for each call of an earlier time that was never billed;
  - an adjustment for each billed call whose amount is another now; where account,
    trunk or currency is another, or the call is gone, one that takes the old
    amount back, and one that adds the new. On the side price a call whose called
    number was erased stays as it was billed.
The first close of a side bills every earlier call there is as an adjustment, unless
--not-before says from when calls are billed. No close can be undone: look with
--dry-run before.
The digest that it prints is a SHA-256 of the lines, the period and the digest of the
period before it: keep it to prove later that nothing was changed.
It refuses a period that is not over by the database's clock, or that is before or
within what is closed. A side has one sequence of periods for all accounts, so one
installation bills in one time zone per side: docs/billing.md says why. A period that was closed already is only printed. It can
run beside receivers, and at once from two places: one closes, the other prints.

Do not close at the stroke of midnight: calls still go on, and CDRs come late. What
misses the close is billed in the next period.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Name = args[0]
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				closed, err := period.Close(cmd.Context(), pool, c)
				if err != nil {
					return err
				}
				if !closed.Gap.IsZero() {
					fmt.Fprintf(cmd.ErrOrStderr(), "note: no period from %s to %s was closed, and none can be any more: calls of that time are adjustments here\n",
						closed.Gap.Format(time.RFC3339), closed.Period.From.Format(time.RFC3339))
				}
				if closed.Already {
					fmt.Fprintf(cmd.OutOrStdout(), "%s %s was closed already at %s\n\n", c.Side, c.Name, closed.Period.ClosedAt.Format(time.RFC3339))
				}
				return period.WriteTotals(closed.Period, closed.Totals, period.Table, cmd.OutOrStdout())
			})
		},
	}
	periodSideFlag(cmd, &c.Side)
	cmd.Flags().StringVar(&c.Zone, "tz", "", "time zone of the period, such as Europe/London or UTC (required)")
	cmd.Flags().StringVar(&c.NotBefore, "not-before", "", "first close of a side only: never bill calls before this day, such as 2026-01-01")
	cmd.Flags().BoolVar(&c.DryRun, "dry-run", false, "only print what would be written")
	return cmd
}

func periodListCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the closed periods",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := period.CheckFormat(format); err != nil {
				return err
			}
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				periods, err := period.List(cmd.Context(), pool)
				if err != nil {
					return err
				}
				return period.WriteList(periods, format, cmd.OutOrStdout())
			})
		},
	}
	periodFormatFlag(cmd, &format)
	return cmd
}

func periodReportCommand() *cobra.Command {
	var side, format string
	var lines bool
	cmd := &cobra.Command{
		Use:   "report NAME --side cost|price",
		Short: "Print the totals or the lines of a closed period",
		Long: `Prints the totals of a closed period per source, account, trunk and currency, or
with --lines each line. The output is the same bytes whenever it runs, whatever has
become of calls and rates; it is an error when the period or a line was changed in
its table. digest is the SHA-256 of the period, see docs/billing.md.
  calls            calls of the period, billed for the first time, with calls_amount
  adjustments      late calls and changes of what was billed, with adjustments_amount
  without_amount   lines after which a call stands with an amount that is not known
  amount           calls_amount + adjustments_amount: what is to pay
In lines, before is what was billed for the call, after what is billed from now on,
delta their difference; stands is false where the call is taken back. Times are UTC.
In JSON amounts are strings, so that no reader rounds them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				return period.Report(cmd.Context(), pool, side, args[0], lines, format, cmd.OutOrStdout())
			})
		},
	}
	periodSideFlag(cmd, &side)
	periodFormatFlag(cmd, &format)
	cmd.Flags().BoolVar(&lines, "lines", false, "print each line, in the order of call_time, instead of totals")
	return cmd
}

func periodVerifyCommand() *cobra.Command {
	var side string
	var limit int
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the lines of closed periods are sound and add up to the calls",
		Long: `Proves by their digests that no line and no period was changed, removed or added
since it was closed, that each line of a call goes on from the line before it, and
that all lines, with what is pending, add up to the calls. Pending is what differs between lines and calls now: the next
close writes it as adjustments, and it is no error. Exits with 1 when a proof
fails. It reads all calls and lines, and can run beside receivers.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fmt.Errorf("--limit: %d is below 0", limit)
			}
			sides := []string{period.Cost, period.Price}
			if side != "" {
				sides = []string{side}
			}
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				faults := 0
				for _, one := range sides {
					v, err := period.Verify(cmd.Context(), pool, one, limit)
					if err != nil {
						return err
					}
					printVerified(cmd, v)
					faults += len(v.Faults)
				}
				if faults > 0 {
					return errors.New("the lines of closed periods are not sound: bring tables period and bill_line back from a backup")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&side, "side", "", "only cost or only price (default both)")
	cmd.Flags().IntVar(&limit, "limit", 100, "name at most so many pending lines of each side")
	return cmd
}

func printVerified(cmd *cobra.Command, v period.Verified) {
	out := cmd.OutOrStdout()
	if v.Periods == 0 && len(v.Faults) == 0 {
		fmt.Fprintf(out, "%s: no period is closed\n", v.Side)
		return
	}
	fmt.Fprintf(out, "%s: %d periods closed up to %s, %d lines, %d faults; %d lines pending for the next period\n",
		v.Side, v.Periods, v.To.Format(time.RFC3339), v.Lines, len(v.Faults), v.PendingLines)
	for _, f := range v.Faults {
		fmt.Fprintf(out, "fault: %s\n", f)
	}
	for _, p := range v.Pending {
		fmt.Fprintf(out, "pending: %s\n", p)
	}
	if more := v.PendingLines - int64(len(v.Pending)); more > 0 {
		fmt.Fprintf(out, "pending: %d more (--limit)\n", more)
	}
}

func periodSideFlag(cmd *cobra.Command, side *string) {
	cmd.Flags().StringVar(side, "side", "", "cost or price (required)")
}

func periodFormatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "format", period.Table, "table, csv or json")
}
