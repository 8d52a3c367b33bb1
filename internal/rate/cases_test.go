package rate_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// TestCases imports the file rates.csv of every folder of testdata/rates, after
// before.csv where there is one, and compares what it says (said.txt), the table
// (list.csv) and the prices of calls.csv by tariff.csv (want.csv).
func TestCases(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(testcase.Root(t), "rates", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			runCase(t, dir)
		})
	}
}

func runCase(t *testing.T, dir string) {
	pool := pgtest.Pool(t)
	o := options(t, dir)
	if before := read(t, dir, "before.csv"); before != nil {
		// What is in the table already comes from a plain file.
		if _, err := rate.Import(t.Context(), pool, bytes.NewReader(before), rate.Options{}, ignore); err != nil {
			t.Fatal(err)
		}
	}
	old := list(t, pool)
	file := read(t, dir, "rates.csv")
	dry := o
	dry.DryRun = true
	wouldSay := importFile(t.Context(), pool, file, dry)
	if now := list(t, pool); now != old {
		t.Errorf("the dry run leaves\n%s", now)
	}
	said := importFile(t.Context(), pool, file, o)
	if wouldSay != said {
		t.Errorf("the dry run says %s", wouldSay)
	}
	expect(t, dir, "said.txt", said)
	if strings.HasPrefix(said, "error") {
		if now := list(t, pool); now != old {
			t.Errorf("a wrong file leaves\n%s", now)
		}
		return
	}
	expect(t, dir, "list.csv", list(t, pool))
	again, err := rate.Import(t.Context(), pool, bytes.NewReader(file), o, ignore)
	if want := (rate.Imported{Lines: again.Lines, Known: again.Lines}); err != nil || again != want {
		t.Errorf("again: %+v, %v", again, err)
	}
	setTariffs(t, pool, dir)
	if read(t, dir, "calls.csv") != nil {
		insertCalls(t, pool, dir)
		expect(t, dir, "want.csv", prices(t, pool))
	}
}

func importFile(ctx context.Context, pool *pgxpool.Pool, file []byte, o rate.Options) string {
	i, err := rate.Import(ctx, pool, bytes.NewReader(file), o, ignore)
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	return fmt.Sprintf("%d lines, %d added, %d known, %d closed, %d removed\n", i.Lines, i.Added, i.Known, i.Closed, i.Removed)
}

func ignore(int) {}

func options(t *testing.T, dir string) rate.Options {
	t.Helper()
	var o struct {
		Deck, Zone string
		Replace    bool
	}
	if text := read(t, dir, "options.json"); text != nil {
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return rate.Options{Deck: o.Deck, Zone: zone, Replace: o.Replace}
}

// read returns a file of a case, nil where there is none.
func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return text
}

func expect(t *testing.T, dir, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(read(t, dir, name)); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func list(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(rate.Columns())
	err := rate.List(t.Context(), pool, "", "", func(r rate.Rate) error { return w.Write(r.Record()) })
	w.Flush()
	if err != nil || w.Error() != nil {
		t.Fatal(err, w.Error())
	}
	return b.String()
}

// rows reads a CSV file of a case; the cells of a line by column.
func rows(t *testing.T, dir, name string) []map[string]string {
	t.Helper()
	text := read(t, dir, name)
	if text == nil {
		return nil
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		all = append(all, row)
	}
	return all
}

func setTariffs(t *testing.T, pool *pgxpool.Pool, dir string) {
	t.Helper()
	for _, r := range rows(t, dir, "tariff.csv") {
		c := rate.Calls{Source: r["source"], Account: r["account"], Trunk: r["trunk"], Direction: r["direction"]}
		if _, _, err := rate.SetTariff(t.Context(), pool, rate.Tariff{Calls: c, Deck: r["deck"], ValidFrom: timeOf(t, r["valid_from"]), ValidTo: timeOf(t, r["valid_to"])}); err != nil {
			t.Fatal(err)
		}
	}
}

// timeOf reads a time; an empty one is zero.
func timeOf(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := rate.ReadTime(text, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func insertCalls(t *testing.T, pool *pgxpool.Pool, dir string) {
	t.Helper()
	for i, r := range rows(t, dir, "calls.csv") {
		source := r["source"]
		if source == "" {
			source = "s"
		}
		_, err := pool.Exec(t.Context(), insertCall, source, r["call_id"], r["account"], r["trunk"], r["direction"],
			r["dst_e164"], r["disposition"], r["call_time"], r["billsec"], r["cost"], r["currency"], r["dst"])
		if err != nil {
			t.Fatalf("call %d: %v", i+1, err)
		}
	}
}

// insertCall takes texts; an empty one is null.
const insertCall = `
INSERT INTO call (source, call_id, provider, account, trunk, direction, dst, dst_e164, state, disposition, call_time,
	billsec, cost, currency, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
VALUES ($1, $2, 'wavix', nullif($3, ''), nullif($4, ''), nullif($5, ''), coalesce(nullif($12, ''), $6), nullif($6, ''),
	CASE WHEN $7 = '' THEN 'answered' ELSE 'ended' END, nullif($7, ''), $8::text::timestamptz,
	nullif($9, '')::numeric, nullif($10, '')::numeric, nullif($11, ''), 'provider', 0, 1, 1, 1, now(), now(), now())`

func prices(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	got, err := pool.Query(t.Context(), `
		SELECT concat_ws(',', source, call_id, deck, coalesce(prefix, '-'), coalesce(billed_sec::text, '-'), coalesce(price::text, '-'),
			coalesce(price_currency, '-'), coalesce(margin::text, '-'))
		FROM rated_cdr ORDER BY source COLLATE "C", call_id COLLATE "C"`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(got, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return "source,call_id,deck,prefix,billed_sec,price,price_currency,margin\n" + strings.Join(lines, "\n") + "\n"
}
