package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/reconcile"
	"github.com/cdrstore/cdrstore/internal/span"
	"github.com/cdrstore/cdrstore/internal/store"
)

// errDiffers is the answer no, not a fault: the exit code is 2.
var errDiffers = errors.New("the file and the tables differ")

// exitCode is 2 where a comparison went well and found a difference.
func exitCode(err error) int {
	if errors.Is(err, errDiffers) {
		return 2
	}
	return 1
}

// reconcileFlags is what the command line says.
type reconcileFlags struct {
	source, format, month, tz string
	tolerance                 []string
	all                       bool
	direction, currency       string
	totals                    map[string]*string
}

func reconcileCommand() *cobra.Command {
	f := reconcileFlags{totals: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "reconcile --source NAME {FILE... | --month 2026-10 --tz ZONE --cost 12.34 --currency USD ...}",
		Short: "Compare a provider's file, or the totals of an invoice, with the tables",
		Long: `Says where a provider's call records and the tables differ. It writes nothing.

With files it compares record by record: same, differs (which fields, theirs less
ours), not priced by them, not priced by us, only theirs, only ours, repeated (a
record that the files list again: the last is compared, the sums count all). A cost
that one side lacks is no 0, but for calls that nobody answered. Those of only ours
are our CDRs that start between the first
and the last start of the files, or in --month, in a direction that the files hold.
Only what is not the same is printed, then the totals of both sides: calls,
records, seconds, cost and tax in each currency, and what --tolerance let pass.
Records are paired by call and record, or
by call and start within a second where the file does not name the record; what no
id connects by start, numbers and talk time.

` + filesHelp + `

Without files it compares the totals that an invoice states for a month of the zone
--tz: --calls are those that ended, --answered those of them that were answered,
--billsec seconds of talk, --minutes what was charged (rounded up by the carrier;
what its increments make of the talk time where it does not say; else talk time),
--cost what was charged in --currency.

The exit code is 0 when every record is the same and there is one, 2 when not, 1
after a fault or where a record of a file, or an amount of it, could not be read.`,
		RunE: func(cmd *cobra.Command, files []string) error { return f.run(cmd, files) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.source, "source", "", "whose records these are")
	flags.StringVar(&f.format, "format", "table", strings.Join(reconcile.Formats(), ", "))
	flags.StringSliceVar(&f.tolerance, "tolerance", nil, "how far apart is still the same: an amount (0.001), seconds (2s), or both (0.001,2s)")
	flags.BoolVar(&f.all, "all", false, "print records that are the same too")
	flags.StringVar(&f.month, "month", "", "the month, like 2026-10")
	flags.StringVar(&f.tz, "tz", "UTC", "time zone of the month, like Europe/London")
	flags.StringVar(&f.direction, "direction", "", "invoice: only inbound, outbound or internal calls")
	flags.StringVar(&f.currency, "currency", "", "invoice: currency of --cost, like USD")
	for name, what := range map[string]string{
		"calls": "calls", "answered": "answered calls", "billsec": "seconds of talk", "minutes": "charged minutes", "cost": "amount",
	} {
		f.totals[name] = flags.String(name, "", "invoice: "+what)
	}
	_ = cmd.MarkFlagRequired("source") // the flag exists
	return cmd
}

func (f *reconcileFlags) run(cmd *cobra.Command, files []string) error {
	tolerance, err := f.tolerances()
	if err != nil {
		return err
	}
	if !slices.Contains(reconcile.Formats(), f.format) {
		return fmt.Errorf("--format: %q is none of %s", f.format, strings.Join(reconcile.Formats(), ", "))
	}
	var month span.Span
	if f.month != "" {
		if month, err = span.Month(f.month, f.tz); err != nil {
			return fmt.Errorf("--month: %w", err)
		}
	}
	invoice, err := f.invoice(month)
	if err != nil {
		return err
	}
	if err := f.check(files, invoice); err != nil {
		return err
	}
	return withReports(cmd.Context(), func(pool *pgxpool.Pool, log *slog.Logger) error {
		cfg, err := loadConfig()
		if err != nil {
			return err
		}
		src, err := sourceNamed(cmd.Context(), store.New(pool, log), cfg, f.source)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return compareMonth(cmd.Context(), cmd.OutOrStdout(), pool, invoice, tolerance, f.format)
		}
		in := reconcile.Input{Source: src, Files: files, Stdin: cmd.InOrStdin(), Now: time.Now().UTC()}
		p := &reconcile.Printer{Out: cmd.OutOrStdout(), Format: f.format, All: f.all}
		return compareFiles(cmd.Context(), pool, in, reconcile.Options{Tolerance: tolerance, From: month.From, To: month.To}, p)
	})
}

// check says what does not go together.
func (f *reconcileFlags) check(files []string, in reconcile.Invoice) error {
	stated := in.Calls.Valid || in.Answered.Valid || in.Billsec.Valid || in.Minutes.Valid || in.Cost.Valid
	switch {
	case len(files) > 0 && (stated || f.direction != "" || f.currency != ""):
		return errors.New("either files or the totals of an invoice: not both")
	case len(files) > 0:
		return nil
	case f.month == "":
		return errors.New("name a file, or a --month and what the invoice says of it")
	case !stated:
		return errors.New("say at least one total of the invoice: --calls, --answered, --billsec, --minutes or --cost")
	case in.Cost.Valid && f.currency == "":
		return errors.New("--cost needs a --currency")
	case f.direction != "" && !slices.Contains([]cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal}, in.Direction):
		return fmt.Errorf("--direction: %q is none of inbound, outbound, internal", f.direction)
	}
	return nil
}

func (f *reconcileFlags) invoice(month span.Span) (reconcile.Invoice, error) {
	in := reconcile.Invoice{
		Source: f.source, From: month.From, To: month.To,
		Direction: cdr.Direction(f.direction), Currency: strings.ToUpper(f.currency),
	}
	for name, to := range map[string]*cdr.Amount{
		"calls": &in.Calls, "answered": &in.Answered, "billsec": &in.Billsec, "minutes": &in.Minutes, "cost": &in.Cost,
	} {
		text := *f.totals[name]
		if text == "" {
			continue
		}
		d, err := decimal.NewFromString(text)
		if err != nil {
			return in, fmt.Errorf("--%s: %q is not a number", name, text)
		}
		*to = decimal.NewNullDecimal(d)
	}
	return in, nil
}

func (f *reconcileFlags) tolerances() (t reconcile.Tolerance, err error) {
	for _, text := range f.tolerance {
		digits, isSeconds := strings.CutSuffix(text, "s")
		d, err := decimal.NewFromString(digits)
		if err != nil || d.IsNegative() {
			return t, fmt.Errorf("--tolerance: %q is neither an amount (0.001) nor seconds (2s)", text)
		}
		if isSeconds {
			t.Seconds = d
		} else {
			t.Amount = d
		}
	}
	return t, nil
}

func compareFiles(ctx context.Context, pool *pgxpool.Pool, in reconcile.Input, o reconcile.Options, p *reconcile.Printer) error {
	progress, done := counter("records read")
	totals, err := reconcile.Files(ctx, pool, in, o, p.Row, progress)
	done()
	if err != nil {
		return err
	}
	if err := p.End(totals); err != nil {
		return err
	}
	switch {
	case totals.Unreadable > 0:
		return fmt.Errorf("%d records could not be read; all others were compared", totals.Unreadable)
	case !totals.Agree():
		return errDiffers
	}
	return nil
}

func compareMonth(ctx context.Context, out io.Writer, pool *pgxpool.Pool, in reconcile.Invoice, t reconcile.Tolerance, format string) error {
	lines, err := reconcile.Month(ctx, pool, in, t)
	if err != nil {
		return err
	}
	if err := reconcile.PrintLines(out, format, lines); err != nil {
		return err
	}
	if slices.ContainsFunc(lines, func(l reconcile.Line) bool { return l.Differ }) {
		return errDiffers
	}
	return nil
}
