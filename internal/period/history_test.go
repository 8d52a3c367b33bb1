package period_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

var update = flag.Bool("update", false, "write what the histories of testdata give; read the difference before you keep it")

// TestHistories plays each steps.txt of testdata and compares the lines of its
// periods with the files beside it. A step is
//
//	call ID ACCOUNT TRUNK CURRENCY COST TIME   the call is this from now on, - is null
//	live ID TIME                               it has not ended
//	gone ID                                    its row is removed
//	close PERIOD [NOT-BEFORE]                  of side cost, in UTC
func TestHistories(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/*/steps.txt")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			var closed []string
			steps, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(steps)), "\n") {
				if p := step(t, pool, strings.Fields(line)); p != "" {
					closed = append(closed, p)
				}
			}
			for _, p := range closed {
				compare(t, filepath.Join(dir, p+".csv"), report(t, pool, period.Cost, p, true, period.CSV))
			}
			if pending := wantSound(t, pool, period.Cost); pending > 0 {
				t.Errorf("%d lines are pending, want none", pending)
			}
			if again := one(t, pool, `SELECT count(*) FROM bill_pending('cost', '', '2000-01-01', '2000-01-01', NULL)`); again != "0" {
				t.Errorf("%s lines would be written again", again)
			}
		})
	}
}

// step does one step and returns the period that it closed.
func step(t *testing.T, pool *pgxpool.Pool, f []string) string {
	t.Helper()
	for i := range f {
		if f[i] == "-" {
			f[i] = ""
		}
	}
	switch {
	case len(f) == 0 || f[0] == "#":
	case f[0] == "call":
		put(t, pool, call{"didww", f[1], f[2], f[3], f[4], f[5], day(t, f[6]), false})
	case f[0] == "live":
		put(t, pool, call{source: "didww", id: f[1], at: day(t, f[2]), live: true})
	case f[0] == "gone":
		run(t, pool, "DELETE FROM call WHERE call_id = $1", f[1])
	case f[0] == "close":
		c := period.Closing{Side: period.Cost, Name: f[1], Zone: "UTC"}
		if len(f) > 2 {
			c.NotBefore = f[2]
		}
		if _, err := period.Close(t.Context(), pool, c); err != nil {
			t.Fatal(err)
		}
		return f[1]
	default:
		t.Fatalf("no such step: %v", f)
	}
	return ""
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}
