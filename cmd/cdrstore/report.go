package main

import (
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/report"
	"github.com/cdrstore/cdrstore/internal/span"
)

func reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report usage|tax|kpi|concurrency|completeness",
		Short: "Print usage, quality, simultaneous calls, or what may be missing",
		Long: `Prints a report of the calls of a span of time:
  usage         attempts, answered, seconds, billed minutes and cost by currency
  tax           what providers charged: net, tax and gross by currency
  kpi           ASR, NER, ACD, post dial delay, short calls, why calls ended
  concurrency   the peak of simultaneous calls in each minute
  completeness  per source: receipts, silences, duplicates, quarantine, calls
                that never ended, calls without a CDR

` + span.Usage + `
Without them it is this month so far. A call belongs to the hour, day or month of
its start, in the zone of --tz; days have 23, 24 or 25 hours.

The same in SQL, where the definitions stand (\df+ usage in psql):
  SELECT * FROM usage('2026-10-01', '2026-11-01', 'day', 'Europe/London', 'source')
  SELECT * FROM tax('2026-10-01', '2026-11-01', 'all', 'UTC', 'source')
  SELECT * FROM kpi('2026-10-01', '2026-11-01', 'all', 'UTC', 'source', 'trunk')
  SELECT * FROM concurrency('2026-10-01', '2026-10-02', 'UTC')
  SELECT * FROM completeness('2026-10-01', '2026-11-01', 'UTC')

A table is for people: a dash is what is not known, thousands have commas, long
lists show their first three. Programs read csv (RFC 4180, nothing where nothing
is known) or json (an array of objects; counts are numbers, and amounts, seconds
and ratios are text, so that no digit is lost). Amounts of several currencies are
never added: usage has a row for each.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return report.Check(report.Request{Kind: args[0], Format: "table"}, time.Now())
		},
	}
	short := map[string]string{
		"usage":        "Attempts, answered, seconds, billed minutes and cost",
		"tax":          "What providers charged: net, tax and gross",
		"kpi":          "ASR, NER, ACD, post dial delay, short calls, causes",
		"concurrency":  "Peak of simultaneous calls in each minute",
		"completeness": "What may be missing, per source",
	}
	for _, kind := range report.Kinds() {
		cmd.AddCommand(oneReport(kind, short[kind]))
	}
	return cmd
}

func oneReport(kind, short string) *cobra.Command {
	r := report.Request{Kind: kind}
	cmd := &cobra.Command{
		Use:   kind,
		Short: short,
		Long: short + ", of a span of time.\n\n" + span.Usage +
			"\nWithout them it is this month so far.\n\n`cdrstore report --help` says more, and \\df+ " + kind + " in psql what each column means.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := report.Check(r, time.Now()); err != nil {
				return err
			}
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
				return report.Run(cmd.Context(), pool, r, time.Now(), cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVar(&r.From, "from", "", "first moment that counts (default this-month)")
	cmd.Flags().StringVar(&r.To, "to", "", "first moment that no longer counts (default now)")
	cmd.Flags().StringVar(&r.Zone, "tz", "UTC", "time zone, such as Europe/London")
	cmd.Flags().StringVar(&r.Format, "format", "table", strings.Join(report.Formats(), ", "))
	cmd.Flags().StringVar(&r.Source, "source", "", "only this source (default all)")
	if kind != "completeness" {
		cmd.Flags().StringSliceVar(&r.By, "by", nil, "any of "+strings.Join(report.Dimensions(), ", ")+byTime(kind))
	}
	if byTime(kind) != "" {
		cmd.Flags().StringVar(&r.Bucket, "bucket", "", strings.Join(report.Buckets(), ", ")+" (default that of --by, else all)")
	}
	return cmd
}

func byTime(kind string) string {
	if report.HasBuckets(kind) {
		return ", and one of hour, day, month"
	}
	return ""
}
