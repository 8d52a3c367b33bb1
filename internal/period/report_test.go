package period_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

// billed closes two months of calls with awkward names and amounts.
func billed(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool := pgtest.Pool(t)
	at := day(t, "2024-01-10T12:00")
	put(t, pool, call{source: "wavix", id: "z", account: "acme", trunk: "london", currency: "USD", cost: "1.20", at: at})
	put(t, pool, call{source: "didww", id: "a", account: "acme, \"the\" first", trunk: "sip\tout\nx", currency: "USD", cost: "0.000001", at: at})
	put(t, pool, call{source: "didww", id: "B", account: "Zürich", currency: "EUR", cost: "12345678901234567890.123456789", at: at})
	put(t, pool, call{source: "didww", id: "b", account: "acme", at: at})
	put(t, pool, call{source: "didww", id: "_", account: "acme", currency: "USD", cost: "3.10", at: at.Add(123456000)})
	put(t, pool, call{source: "wavix", id: "y", currency: "USD", cost: "0.40", at: at})
	mustClose(t, pool, period.Cost, "2024-01", "Europe/London")
	put(t, pool, call{source: "didww", id: "b", account: "acme", currency: "USD", cost: "0.30", at: at})
	put(t, pool, call{source: "didww", id: "_", account: "acme", trunk: "paris", currency: "USD", cost: "3", at: at.Add(123456000)})
	put(t, pool, call{source: "didww", id: "new", account: "acme", currency: "USD", cost: "5.00", at: at.AddDate(0, 1, 0)})
	mustClose(t, pool, period.Cost, "2024-02", "Europe/London")
	run(t, pool, `ALTER TABLE period DISABLE TRIGGER period_stays`)
	run(t, pool, `UPDATE period SET closed_at = to_at + interval '9 hours 0.5 seconds'`)
	run(t, pool, `ALTER TABLE period ENABLE TRIGGER period_stays`)
	forge(t, pool)
	return pool
}

// forge gives all periods the digests of what they are now.
func forge(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	run(t, pool, `ALTER TABLE period DISABLE TRIGGER period_stays`)
	run(t, pool, `DO $$ DECLARE p period; BEGIN
		FOR p IN SELECT * FROM period ORDER BY side, to_at LOOP
			SELECT d.lines, d.digest INTO p.lines, p.lines_digest FROM bill_digest(p.side, p.name) d;
			p.previous_digest := (SELECT digest FROM period WHERE side = p.side AND to_at < p.to_at ORDER BY to_at DESC LIMIT 1);
			UPDATE period SET lines = p.lines, lines_digest = p.lines_digest, previous_digest = p.previous_digest,
				digest = period_digest(p.side, p.name, p.tz, p.from_at, p.to_at, p.not_before, p.closed_at, p.lines, p.lines_digest, p.previous_digest)
			WHERE side = p.side AND name = p.name;
		END LOOP;
	END $$`)
	run(t, pool, `ALTER TABLE period ENABLE TRIGGER period_stays`)
}

// TestReportBytes compares reports with the files of testdata/reports, and again
// after everything around the lines has changed.
func TestReportBytes(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	wantReports(t, pool)
	for _, setting := range []string{"TimeZone = 'Asia/Kolkata'", "DateStyle = 'German'", "bytea_output = 'escape'", "extra_float_digits = 0",
		"enable_indexscan = off", "default_transaction_isolation = 'serializable'", "default_transaction_read_only = on"} {
		run(t, pool, fmt.Sprintf("ALTER DATABASE %s SET %s", one(t, pool, "SELECT current_database()"), setting))
	}
	erased, err := store.New(pool, slog.New(slog.DiscardHandler)).Erase(t.Context(), "+442079460123", false, func(int) {})
	if err != nil {
		t.Fatal(err, erased)
	}
	run(t, pool, "TRUNCATE call")
	run(t, pool, "DROP VIEW bill_call, rated_cdr, cdr CASCADE")
	later := connect(t, pool.Config().ConnString())
	defer later.Close()
	wantReports(t, later)
}

func wantReports(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, name := range []string{"2024-01", "2024-02"} {
		for _, format := range []string{period.Table, period.CSV, period.JSON} {
			compare(t, filepath.Join("testdata", "reports", name+"."+format), report(t, pool, period.Cost, name, false, format))
			compare(t, filepath.Join("testdata", "reports", name+".lines."+format), report(t, pool, period.Cost, name, true, format))
		}
	}
	periods, err := period.List(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{period.Table, period.CSV, period.JSON} {
		var b bytes.Buffer
		if err := period.WriteList(periods, format, &b); err != nil {
			t.Error(err)
		}
		compare(t, filepath.Join("testdata", "reports", "list."+format), b.String())
	}
}

// TestReportOrder has tables in a language of people, who sort a before B.
func TestReportOrder(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	if one(t, pool, `SELECT count(*) FROM pg_collation WHERE collname = 'en-x-icu'`) == "0" {
		t.Skip("this Postgres knows no language")
	}
	view := one(t, pool, `SELECT pg_get_viewdef('bill_total'::regclass)`)
	run(t, pool, `DROP VIEW bill_total`)
	run(t, pool, `ALTER TABLE bill_line ALTER source TYPE text COLLATE "en-x-icu", ALTER call_id TYPE text COLLATE "en-x-icu",
		ALTER account TYPE text COLLATE "en-x-icu", ALTER trunk TYPE text COLLATE "en-x-icu"`)
	run(t, pool, `CREATE VIEW bill_total AS `+view)
	later := connect(t, pool.Config().ConnString())
	defer later.Close()
	compare(t, filepath.Join("testdata", "reports", "2024-01.csv"), report(t, later, period.Cost, "2024-01", false, period.CSV))
	compare(t, filepath.Join("testdata", "reports", "2024-01.lines.csv"), report(t, later, period.Cost, "2024-01", true, period.CSV))
}

// TestReportOfManyLines needs several pages, whose lines begin at one moment.
func TestReportOfManyLines(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	const n = 2500
	put(t, pool, call{source: "s", id: "c0", currency: "USD", cost: "1", at: day(t, "2024-01-10T12:00")})
	many(t, pool, n-1)
	closed := mustClose(t, pool, period.Cost, "2024-01", "UTC")
	if closed.Period.Lines != n {
		t.Fatalf("%d lines", closed.Period.Lines)
	}
	rows, err := csv.NewReader(strings.NewReader(report(t, pool, period.Cost, "2024-01", true, period.CSV))).ReadAll()
	if err != nil || len(rows) != n+1 {
		t.Fatalf("%d rows of CSV, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		seen[r[4]] = true
	}
	var all struct{ Lines []map[string]any }
	if err := json.Unmarshal([]byte(report(t, pool, period.Cost, "2024-01", true, period.JSON)), &all); err != nil || len(all.Lines) != n || len(seen) != n {
		t.Errorf("%d lines of JSON, %d calls in CSV, %v", len(all.Lines), len(seen), err)
	}
	table := report(t, pool, period.Cost, "2024-01", true, period.Table)
	if got := strings.Count(table, "\n"); got != n+5 {
		t.Errorf("%d lines of table", got)
	}
	// Now pages end between the two lines of a call.
	run(t, pool, `UPDATE call SET account = 'other'`)
	put(t, pool, call{source: "s", id: "a", currency: "USD", cost: "1", at: day(t, "2024-01-10T12:00")})
	mustClose(t, pool, period.Cost, "2024-02", "UTC")
	rows, err = csv.NewReader(strings.NewReader(report(t, pool, period.Cost, "2024-02", true, period.CSV))).ReadAll()
	if err != nil || len(rows) != 1+1+2*n {
		t.Errorf("%d rows of CSV, %v, want a late call and two for each of the others", len(rows)-1, err)
	}
}

// many copies the call c0 so many times.
func many(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	run(t, pool, `INSERT INTO call SELECT (jsonb_populate_record(c, jsonb_build_object('call_id', 'c' || i))).* FROM call c, generate_series(1, $1) i`, n)
}

func TestReportRefuses(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	var b bytes.Buffer
	wantError(t, period.Report(t.Context(), pool, "cost", "2024-03", false, "csv", &b), "cost 2024-03 is not closed")
	wantError(t, period.Report(t.Context(), pool, "price", "2024-01", false, "csv", &b), "price 2024-01 is not closed")
	wantError(t, period.Report(t.Context(), pool, "both", "2024-01", false, "csv", &b), `side "both"`)
	wantError(t, period.Report(t.Context(), pool, "cost", "2024-01", false, "xml", &b), `format "xml": there are table, csv and json`)
	if b.Len() > 0 {
		t.Errorf("it printed %q", b.String())
	}
	for _, format := range []string{period.Table, period.CSV, period.JSON} {
		err := period.Report(t.Context(), pool, "cost", "2024-01", true, format, full{})
		wantError(t, err, "no space left")
	}
}

// full is a disk that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
