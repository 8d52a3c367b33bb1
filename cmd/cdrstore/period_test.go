package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestPeriodCommands closes a month, has a call come late, and follows it through
// every command to the next month.
func TestPeriodCommands(t *testing.T) {
	url := pgtest.New(t)
	t.Setenv("DATABASE_URL", url)
	const ended = `INSERT INTO call (source, call_id, provider, account, currency, cost, call_time, state, disposition, clock, legs, events, cdrs,
		version, first_received_at, last_received_at, changed_at) VALUES ('didww', $1, 'didww', 'acme', 'USD', $2::text::numeric, $3::text::timestamptz, 'ended', 'answered',
		'provider', 0, 1, 1, 1, now(), now(), now())`
	writePeriodRow(t, url, ended, "c1", "1.50", "2024-01-10T00:00Z")

	wantPeriod(t, "cost: no period is closed\nprice: no period is closed\n", "verify")
	wantPeriod(t, "not closed: this is what closing it now would write, 1 lines", "close", "2024-01", "--side", "cost", "--tz", "UTC", "--dry-run")
	closed := wantPeriod(t, "didww   acme     -      USD       1      0               0            1.50", "close", "2024-01", "--side=cost", "--tz=UTC")
	again := wantPeriod(t, "cost 2024-01 was closed already at 20", "close", "2024-01", "--side=cost", "--tz=UTC")
	reported := wantPeriod(t, "1.50", "report", "2024-01", "--side=cost")
	if _, after, _ := strings.Cut(again, "\n\n"); closed != reported || after != reported {
		t.Errorf("closed\n%s\nagain\n%s\nreported\n%s", closed, again, reported)
	}
	writePeriodRow(t, url, ended, "c2", "2", "2024-01-11T00:00Z")
	wantPeriod(t, "cost: 1 periods closed up to 2024-02-01T00:00:00Z, 1 lines, 0 faults; 1 lines pending for the next period\n"+
		"pending: didww c2 (2024-01-11T00:00:00Z), account acme, trunk -: - -> 2, 2 in currency USD\n", "verify", "--side=cost")
	wantPeriod(t, "pending: 1 more (--limit)", "verify", "--limit=0")
	wantPeriod(t, "2", "close", "2024-02", "--side=cost", "--tz=UTC")
	wantPeriod(t, "cost,2024-02,2024-01-11T00:00:00Z,didww,c2,1,adjustment,acme,,USD,,2,2,true", "report", "2024-02", "--side=cost", "--lines", "--format=csv")
	wantPeriod(t, "cost,2024-02,UTC,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,,20", "list", "--format=csv")
	if out, err := runPeriod(t, "report", "2024-01", "--side=cost"); err != nil || out != reported {
		t.Errorf("the report of January is another now:\n%s", out)
	}

	for _, c := range []struct{ want, args string }{
		{"the time zone is missing", "close 2024-03 --side=cost"},
		{`side "": there are cost and price`, "close 2024-03 --tz=UTC"},
		{"2024-02 is closed, and is later", "close 2023-12 --tz=UTC --side=cost"},
		{"cost 2024-03 is not closed", "report 2024-03 --side=cost"},
		{`format "xml"`, "list --format=xml"},
		{"--limit: -1 is below 0", "verify --limit=-1"},
		{"accepts 1 arg(s), received 0", "close --side=cost --tz=UTC"},
	} {
		if _, err := runPeriod(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("period %s: %v, want %q", c.args, err, c.want)
		}
	}

	writePeriodRow(t, url, `UPDATE bill_line SET after = 3, delta = 3 WHERE call_id = 'c2'`)
	if out, err := runPeriod(t, "verify"); err == nil || !strings.Contains(out, "fault: cost 2024-02: its lines were changed since it was closed") {
		t.Errorf("verify of changed lines: %v\n%s", err, out)
	}
}

func runPeriod(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"period"}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func wantPeriod(t *testing.T, want string, args ...string) string {
	t.Helper()
	out, err := runPeriod(t, args...)
	if err != nil || !strings.Contains(out, want) {
		t.Errorf("period %v: %v, got\n%s\nwant\n%s", args, err, out, want)
	}
	return out
}

func writePeriodRow(t *testing.T, url, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
