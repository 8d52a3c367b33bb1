package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/store"
)

func pruneCommand() *cobra.Command {
	var olderThan, forgetAfter string
	var what store.Pruning
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Empty what is old: payloads, facts, texts of messages, quarantine",
		Long: `Empties what has had no news for longer than an age (recordings and messages:
what was first received longer ago):
  event       payload and facts of calls whose last news is older (also of calls
              that never ended), of events that belong to no call, and of what
              came late for a call that was pruned
  recording   payload
  message     payload and body
  quarantine  pieces that were replayed are deleted. Pieces that were NEVER READ
              may still be calls to bill: they stay and are counted, unless
              --quarantine-too deletes them as well
The row of a call stays, with its amounts, parties and times; it gets pruned_at
and is never folded, verified or rebuilt again. The keys of its events stay too,
so that a late retry is still a duplicate. --forget-after deletes, at a second,
longer age, the keys of what was emptied; the same record sent again after that
is stored as a new one, though it no longer changes the call.

What comes for a pruned call is stored, not folded, and counted here as late:
  SELECT e.* FROM event e JOIN call c USING (source, call_id)
  WHERE e.received_at > c.pruned_at OR c.pruned_at IS NOT NULL AND e.facts IS NOT NULL

Ages are whole numbers of h, d, w, mo or y (36h, 90d, 2y) or ISO 8601 (P90D, P2Y);
the least is a day, because providers repeat what they sent for hours. Works
beside running receivers, in small transactions: it can be interrupted and run
again at any time. Space becomes free for new rows; only VACUUM FULL gives it back.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if what.Before, what.Forget, err = cutoffs(olderThan, forgetAfter, time.Now()); err != nil {
				return err
			}
			return withStore(cmd.Context(), func(_ config.Config, s *store.Store, _ *slog.Logger) error {
				progress, done := counter("rows looked at")
				p, err := s.Prune(cmd.Context(), what, progress)
				done()
				printPruned(what, p)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&olderThan, "older-than", "", "age from which contents are emptied, such as 90d (required)")
	cmd.Flags().StringVar(&forgetAfter, "forget-after", "", "age from which the keys of emptied events are deleted, such as 2y (default never)")
	cmd.Flags().BoolVar(&what.UnreadToo, "quarantine-too", false, "also delete old pieces in quarantine that were never read")
	cmd.Flags().StringVar(&what.Source, "source", "", "only this source (default all)")
	cmd.Flags().BoolVar(&what.DryRun, "dry-run", false, "only count what would be emptied and freed")
	return cmd
}

func printPruned(what store.Pruning, p store.Pruned) {
	verb := ""
	if what.DryRun {
		verb = "would be "
	}
	fmt.Printf("%d calls %spruned: %d events emptied; %d recordings and %d messages emptied; %d pieces in quarantine deleted; about %s freed\n",
		p.Calls, verb, p.Events, p.Recordings, p.Messages, p.Quarantine, size(p.Bytes))
	if !what.Forget.IsZero() {
		fmt.Printf("%d keys of events %sdeleted\n", p.Forgotten, verb)
	}
	if p.UnreadKept > 0 {
		fmt.Printf("KEPT: %d old pieces in quarantine that were never read and may be calls to bill: `cdrstore replay` reads them, --quarantine-too deletes them\n", p.UnreadKept)
	}
	if p.Late > 0 {
		fmt.Printf("LATE: %d events came for calls that were pruned already and are not in them (see --help)\n", p.Late)
	}
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	n, unit := float64(bytes), 0
	for n >= 1024 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f %s", n, units[unit])
}

// cutoffs returns the moments before which things are old and forgotten; the
// second is zero where nothing is.
func cutoffs(olderThan, forgetAfter string, now time.Time) (before, forget time.Time, err error) {
	if olderThan == "" {
		return before, forget, errors.New("--older-than: say from which age, such as --older-than 90d")
	}
	if before, err = ago(olderThan, now); err != nil {
		return before, forget, fmt.Errorf("--older-than: %w", err)
	}
	if forgetAfter == "" {
		return before, forget, nil
	}
	if forget, err = ago(forgetAfter, now); err != nil {
		return before, forget, fmt.Errorf("--forget-after: %w", err)
	}
	if forget.After(before) {
		return before, forget, fmt.Errorf("--forget-after: %s is shorter than --older-than %s", forgetAfter, olderThan)
	}
	return before, forget, nil
}

// ago returns the moment an age before now.
func ago(age string, now time.Time) (time.Time, error) {
	parts := regexp.MustCompile(`^(?:P?([0-9]{1,5})(h|d|w|mo|y|D|W|M|Y)|PT([0-9]{1,5})(H))$`).FindStringSubmatch(age)
	if parts == nil {
		return now, fmt.Errorf("%q is no age: write a whole number and h, d, w, mo or y, such as 90d or 2y", age)
	}
	n, err := strconv.Atoi(parts[1] + parts[3])
	if err != nil {
		return now, err
	}
	at := now
	switch strings.ToLower(parts[2] + parts[4]) {
	case "h":
		at = now.Add(-time.Duration(n) * time.Hour)
	case "d":
		at = now.AddDate(0, 0, -n)
	case "w":
		at = now.AddDate(0, 0, -7*n)
	case "mo", "m":
		at = now.AddDate(0, -n, 0)
	case "y":
		at = now.AddDate(-n, 0, 0)
	}
	if at.After(now.Add(-24 * time.Hour)) {
		return now, fmt.Errorf("%s is less than a day: providers repeat what they sent for hours, and what comes for a pruned call is not folded", age)
	}
	return at, nil
}

// eraseCommand takes what counts the deliveries that the spool still holds; nil
// where there is no spool.
func eraseCommand(spooled func(config.Config) (int64, error)) *cobra.Command {
	var number string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "erase --number +COUNTRY…",
		Short: "Remove a person's number from all tables",
		Long: `Removes a number, with + and its country, in whatever spelling it was sent
(+44…, 0044…, 44…, 0…, with blanks, dashes and brackets, within other texts):
  event       facts lose it, and the name of a caller who has it; the payload goes
  call        is folded anew without it and stays verifiable; the row of a pruned
              call loses it directly. Amounts, times and countries stay
  recording   is deleted where its address holds it; else its payload goes
  message     src or dst, whichever it is, and the text and payload
  quarantine  pieces that hold it are DELETED, also those that were never read:
              run ` + "`cdrstore replay`" + ` first
What is billed in closed periods stays as it is. A call that is not billed yet loses
its price with its called number, so close the period first.
The keys of events stay, so that a late retry of a record is a duplicate and does
not bring the number back.

Ids given by the provider stay (call_id, record_key, message_id), and so do lines
of closed periods (account, trunk, call_id); where one holds the number, and where a piece in quarantine cannot be inflated to be searched,
the command says so and exits with 1. So it does, before anything else, while the
spool of CDRSTORE_DATA_DIR holds deliveries; look at the spools of other machines
yourself.

What arrives afterwards is stored again with the number: a new call, and a late
repeat of an SMS, of a recording notice or of what was in quarantine. Run it a day
after the last call to be sure, and as often as you like. Numbers of 7 and 8
digits within their country may look like other digits: see --dry-run first.
Reads every row (slow on large tables, beside running receivers). The old rows
leave the files with the next VACUUM; backups, logs of other programs and the
provider keep theirs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), func(cfg config.Config, s *store.Store, _ *slog.Logger) error {
				if err := wantNothingSpooled(cfg, spooled); err != nil {
					return err
				}
				progress, done := counter("rows searched")
				e, err := s.Erase(cmd.Context(), number, dryRun, progress)
				done()
				if err != nil {
					return err
				}
				return printErased(e, dryRun)
			})
		},
	}
	cmd.Flags().StringVar(&number, "number", "", "the number, with + and its country (required)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only count the rows that would change")
	return cmd
}

func wantNothingSpooled(cfg config.Config, spooled func(config.Config) (int64, error)) error {
	if spooled == nil {
		return nil
	}
	n, err := spooled(cfg)
	if err != nil {
		return fmt.Errorf("look into the spool: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("the spool holds %d deliveries, which may hold the number: drain it first", n)
	}
	return nil
}

// printErased says what became of each table. It is an error when the number is
// not gone.
func printErased(e store.Erased, dryRun bool) error {
	if dryRun {
		fmt.Println("dry run: nothing was changed; this many rows hold the number")
	}
	fmt.Fprintf(os.Stdout, "call        %d\nevent       %d\nrecording   %d\nmessage     %d\nquarantine  %d deleted, %d of them never read\n",
		e.Calls, e.Events, e.Recordings, e.Messages, e.Quarantine, e.Unread)
	var left []string
	if e.Kept > 0 {
		left = append(left, fmt.Sprintf("%d rows have it in an id given by the provider, which stays", e.Kept))
	}
	if e.Billed > 0 {
		left = append(left, fmt.Sprintf("%d lines of closed periods have it in account, trunk or call_id, and never change", e.Billed))
	}
	if e.Unsearched > 0 {
		left = append(left, fmt.Sprintf("%d pieces in quarantine could not be inflated and searched", e.Unsearched))
	}
	if len(left) > 0 {
		return errors.New("the number may still be there: " + strings.Join(left, "; "))
	}
	return nil
}
