package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/export"
	"github.com/cdrstore/cdrstore/internal/span"
)

func exportCommand() *cobra.Command {
	var o export.Options
	var from, to, tz string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write calls, events or messages as CSV, NDJSON or Parquet",
		Long: `Writes a table or view, row by row, as it was at one moment. A file of --output
is written as FILE.part and gets its name when it is complete and synced: an export
that fails or is interrupted leaves no FILE, or the one from before. Standard output
is complete when the exit code is 0. The number of rows is said on stderr.

` + span.Usage + `

--what, with the time that --from and --to bound, which also gives the order:
  cdr, call, rated_cdr        call_time, then source, call_id
  event, leg                  received_at, then source, call_id, event_id (leg: record_key)
  recording, message          received_at, then source, call_id, recording_id (message: message_id)
Calls come in the order of an index and are never sorted as a whole. The others are
sorted by Postgres, in its temporary files where they are many.

All formats: times are UTC with microseconds, numerics have all the digits that the
table has, lists are JSON. Nothing passes through floating point.
  csv      by RFC 4180, with a header and CRLF. Null is nothing, an empty text is "".
           Times are 2026-10-01T12:00:00.000000Z, booleans true and false.
  ndjson   an object a line with all columns, null ones too. Numerics are JSON numbers
           in full: a reader that must not round reads them as decimals. JSON columns
           are nested as they are.
  parquet  zstd; times TIMESTAMP(MICROS, UTC), numerics DECIMAL(38,24), whole numbers
           INT64, JSON columns and lists JSON. A number that does not fit ends the
           export and is named.
Without --format the ending of FILE says it: .csv, .ndjson, .jsonl, .parquet, else csv.
CSV and NDJSON are compressed where it ends in .gz.

CSV holds the texts as they are. In a spreadsheet a text that begins with = + - or @
may be run as a formula, and callers choose their names. --excel-safe puts ' before
such texts, except a + with nothing but digits behind it, and a byte order mark before
the header, so that Excel reads UTF-8.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := span.Parse(from, to, tz, time.Now())
			if err != nil {
				return err
			}
			o.From, o.To = s.From, s.To
			return runExport(cmd, o)
		},
	}
	cmd.Flags().StringVar(&o.What, "what", "cdr", strings.Join(export.Relations(), ", "))
	cmd.Flags().StringVar(&o.Format, "format", "", strings.Join(export.Formats(), ", ")+" (default by the ending of --output, else csv)")
	cmd.Flags().StringVar(&from, "from", "", "first moment, such as 2026-10 (default the beginning)")
	cmd.Flags().StringVar(&to, "to", "", "first moment that no longer counts, such as 2026-11 (default open)")
	cmd.Flags().StringVar(&tz, "tz", "UTC", "time zone of --from and --to, such as Europe/London")
	cmd.Flags().StringVar(&o.Source, "source", "", "only this source (default all)")
	cmd.Flags().StringSliceVar(&o.Columns, "columns", nil, "columns, in this order (default all)")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "-", "file to write; - is standard output")
	cmd.Flags().BoolVar(&o.Spreadsheet, "excel-safe", false, "CSV for spreadsheets, see above")
	return cmd
}

func runExport(cmd *cobra.Command, o export.Options) error {
	if o.Output == "-" && o.Format == "parquet" && terminal(os.Stdout) {
		return errors.New("parquet is not for a terminal: name a file with --output")
	}
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of the write, and not the end of this process
	return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error {
		progress, done := exportBar(o.What)
		rows, err := export.Run(cmd.Context(), pool, o, os.Stdout, progress)
		done()
		if err != nil {
			return fmt.Errorf("export %s: %w", o.What, err)
		}
		fmt.Fprintf(os.Stderr, "%d rows of %s\n", rows, o.What)
		return nil
	})
}

// exportBar shows on a terminal how many rows of about how many are written.
func exportBar(what string) (progress export.Progress, done func()) {
	if !terminal(os.Stderr) {
		return func(int64, int64) {}, func() {}
	}
	bar := progressbar.NewOptions64(1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("rows of "+what),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	return func(rows, about int64) {
		bar.ChangeMax64(max(about, rows+1)) // it would stop at its end
		_ = bar.Set64(rows)                 // a display that fails is no failure
	}, func() { _ = bar.Finish() }
}
