package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/cdrstore/cdrstore/internal/feed"
)

// changing is how changes are read.
type changing struct {
	since, file string
	limit       int
}

func changesCommand() *cobra.Command {
	var c changing
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "Print the calls that changed since a cursor",
		Long: `Prints every call that changed behind a cursor as a line of JSON: source, call_id,
the row of table call as it is now (null where it is gone), and the cursor behind
it. The last line is {"next":"CURSOR"}: give that to --since the next time. Without
a cursor it begins with all calls there are. With --since now it prints nothing but
the present cursor, for those who load an export: take the cursor first, then the
export, or what changes between the two is missed.

Nothing is missed, however late it commits: what a running transaction may still
precede is not shown yet. A call can come more than once, so let the newest version
win. A cursor belongs to its database; after a restore or a failover it is refused.

With --cursor-file the cursor is read from a file and, when all lines are out,
written there. The same in SQL: SELECT * FROM changes('CURSOR', 1000).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withReports(cmd.Context(), func(pool *pgxpool.Pool, _ *slog.Logger) error { return c.run(cmd, pool) })
		},
	}
	cmd.Flags().StringVar(&c.since, "since", "", "cursor to go on from, or now")
	cmd.Flags().StringVar(&c.file, "cursor-file", "", "file that keeps the cursor from one run to the next")
	cmd.Flags().IntVar(&c.limit, "limit", 0, "print at most so many changes (0: all)")
	cmd.MarkFlagsMutuallyExclusive("since", "cursor-file")
	return cmd
}

func (c changing) run(cmd *cobra.Command, pool *pgxpool.Pool) error {
	if c.limit < 0 {
		return fmt.Errorf("--limit: %d is below 0", c.limit)
	}
	since, err := c.cursor()
	if err != nil {
		return err
	}
	if since == "now" {
		if since, err = feed.Now(cmd.Context(), pool); err != nil {
			return err
		}
		return c.finish(bufio.NewWriter(cmd.OutOrStdout()), since)
	}
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	next, err := feed.Read(cmd.Context(), pool, since, c.limit, func(change feed.Change) error { return lines.Encode(change) })
	if err != nil {
		return errors.Join(err, out.Flush())
	}
	return c.finish(out, next)
}

// cursor is where to begin. A file that is not there yet is the beginning.
func (c changing) cursor() (string, error) {
	if c.file == "" {
		return c.since, nil
	}
	info, err := os.Stat(c.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("--cursor-file: %w", err)
	case !info.Mode().IsRegular(): // it will be replaced
		return "", fmt.Errorf("--cursor-file: %s is no ordinary file", c.file)
	}
	text, err := os.ReadFile(c.file)
	if err != nil {
		return "", fmt.Errorf("--cursor-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// finish prints the last line and, when everything is out, keeps the cursor.
func (c changing) finish(out *bufio.Writer, next string) error {
	if _, err := fmt.Fprintf(out, "{\"next\":%q}\n", next); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if c.file == "" {
		return nil
	}
	fresh := c.file + ".new"
	if err := os.WriteFile(fresh, []byte(next+"\n"), 0o600); err != nil {
		return fmt.Errorf("--cursor-file: %w", err)
	}
	if err := os.Rename(fresh, c.file); err != nil {
		return fmt.Errorf("--cursor-file: %w", err)
	}
	return nil
}
