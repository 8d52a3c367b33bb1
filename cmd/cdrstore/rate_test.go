package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestRateCommands goes from a file to the price of a call.
func TestRateCommands(t *testing.T) {
	url := pgtest.New(t)
	t.Setenv("DATABASE_URL", url)
	name := filepath.Join(t.TempDir(), "rates.csv")
	rates := "prefix,valid_from,price_per_minute,currency,description\n44,2026-05-01,0.60,USD,\"United, Kingdom\"\n"
	if err := os.WriteFile(name, []byte(rates), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(input string, args ...string) (string, error) {
		var out bytes.Buffer
		cmd := root()
		cmd.SetArgs(append([]string{"rate"}, args...))
		cmd.SetIn(strings.NewReader(input))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	says := func(want, input string, args ...string) {
		t.Helper()
		if got, err := run(input, args...); err != nil || !strings.Contains(got, want) {
			t.Errorf("%v: %q, %v; want %q", args, got, err, want)
		}
	}
	says("1 rates added, 0 known already; 0 rates ended earlier, 0 removed (dry run", "", "import", name, "--deck", "gold", "--tz", "Europe/London", "--dry-run")
	says("1 rates added", "", "import", name, "--deck", "gold", "--tz", "Europe/London")
	says("0 rates added, 1 known already", "", "import", name, "--deck", "gold", "--tz", "Europe/London")
	says("gold,44,2026-04-30T23:00:00Z,,0.6,0,1,1,USD,\"United, Kingdom\"\n", "", "list", "--deck", "gold", "--prefix", "4")
	listed, err := run("", "list")
	if err != nil {
		t.Fatal(err)
	}
	says("0 rates added, 1 known already; 0 rates ended earlier, 0 removed", listed, "import", "-", "--replace")
	says("gold     1      1          USD", "", "decks")
	says("direction outbound: priced by deck gold", "", "tariff", "set", "--direction", "outbound", "--deck", "gold")
	says("any          any      any    outbound   gold     -           -", "", "tariff")
	says("direction outbound: priced by deck silver from 2026-06-30T23:00:00Z up to 2026-07-31T23:00:00Z", "", "tariff", "set", "--direction", "outbound", "--deck", "silver",
		"--from", "2026-07-01", "--to", "2026-08-01", "--tz", "Europe/London")
	says("outbound   gold     2026-07-31T23:00:00Z  -", "", "tariff")
	insertOutbound(t, url)
	says("because   0 + 0.6 × 90 / 60 = 0.900000 USD", "", "explain", "wavix", "a call")
	says("counts: prefix \"44\"", "", "explain", "wavix", "a call")
	says("direction outbound: no tariff of their own any more", "", "tariff", "remove", "--direction", "outbound")
	says("deck      default", "", "explain", "wavix", "a call")
	for want, args := range map[string][]string{
		"no tariff for exactly":      {"tariff", "remove", "--direction", "outbound"},
		"--tz":                       {"import", name, "--deck", "x", "--tz", "Mars/Olympus"},
		"--deck: the name is empty":  {"import", name, "--deck", ""},
		"deck: is empty, and --deck": {"import", name},
		"no such file":               {"import", name + "x", "--deck", "x"},
		"no such call":               {"explain", "wavix", "x"},
		`required flag(s) "deck"`:    {"tariff", "set"},
		"--from: \"soon\" is not a":  {"tariff", "set", "--deck", "x", "--from", "soon"},
		"is not after its beginning": {"tariff", "set", "--deck", "x", "--from", "2026-07-01", "--to", "2026-07-01"},
	} {
		if got, err := run("", args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %q, %v; want %q", args, got, err, want)
		}
	}
}

func insertOutbound(t *testing.T, url string) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO call (source, call_id, provider, direction, dst, dst_e164, state, disposition, call_time, billsec,
			clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
		VALUES ('wavix', 'a call', 'wavix', 'outbound', '442079460000', '+442079460000', 'ended', 'answered', '2026-06-01Z', 90,
			'provider', 0, 1, 1, 1, now(), now(), now())`); err != nil {
		t.Fatal(err)
	}
}
