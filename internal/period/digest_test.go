package period_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/migrations"
)

// exported is what an auditor has: `period report --lines --format json`.
type exported struct {
	Period struct {
		Side, Name, TZ, From, To string
		NotBefore                *string `json:"not_before"`
		ClosedAt                 string  `json:"closed_at"`
		Lines                    int64
		Content                  string  `json:"lines_digest"`
		Previous                 *string `json:"previous_digest"`
		Digest                   string
	}
	Lines []struct {
		CallTime                 string `json:"call_time"`
		Source                   string
		CallID                   string `json:"call_id"`
		Line                     int
		Kind                     string
		Account, Trunk, Currency *string
		Before, After, Delta     *string
		Stands                   bool
		Direction                *string
		Country                  *string `json:"dst_country"`
		Disposition              string
		Billsec                  *string
		BilledSec                *string `json:"billed_sec"`
		Rate                     *string
		Deck                     *string
	}
}

// TestDigestOfExport computes the digests of periods from their exported lines, by
// docs/billing.md and without the database.
func TestDigestOfExport(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	run(t, pool, `UPDATE bill_line SET after = after * 1.000, delta = delta * 1.00`)                         // 1.20 is 1.20000
	run(t, pool, `UPDATE bill_line SET trunk = E'"\\\u0001\b\f\n\r\t/<é>\u007f\u2028😀' WHERE call_id = 'a'`) // what JSON escapes, or not
	forge(t, pool)
	var previous *string
	for _, name := range []string{"2024-01", "2024-02"} {
		var e exported
		if err := json.Unmarshal([]byte(report(t, pool, period.Cost, name, true, period.JSON)), &e); err != nil {
			t.Fatal(err)
		}
		p := e.Period
		var hashes [][]byte
		for _, l := range e.Lines {
			hashes = append(hashes, hash(array(p.Side, p.Name, l.CallTime, l.Source, l.CallID, l.Line, l.Kind, l.Account, l.Trunk, l.Currency,
				trim(l.Before), trim(l.After), trim(l.Delta), l.Stands, l.Direction, l.Country, l.Disposition, trim(l.Billsec), trim(l.BilledSec), trim(l.Rate), l.Deck)))
		}
		slices.SortFunc(hashes, bytes.Compare)
		var groups []byte
		for first := range 256 {
			var group []byte
			for _, h := range hashes {
				if int(h[0]) == first {
					group = append(group, h...)
				}
			}
			if len(group) > 0 {
				groups = append(groups, hash(group)...)
			}
		}
		if got := hex.EncodeToString(hash(groups)); got != p.Content || len(hashes) == 0 {
			t.Errorf("%s: the exported lines give %s, and lines_digest is %s", name, got, p.Content)
		}
		got := hex.EncodeToString(hash(array(p.Side, p.Name, p.TZ, p.From, p.To, p.NotBefore, p.ClosedAt, p.Lines, p.Content, previous)))
		if got != p.Digest {
			t.Errorf("%s: the exported period gives %s, and digest is %s", name, got, p.Digest)
		}
		if head := report(t, pool, period.Cost, name, false, period.Table); !strings.Contains(head, "\ndigest "+got+"\n") {
			t.Errorf("the report does not print %s:\n%s", got, head)
		}
		previous = &p.Digest
	}
}

// TestDigestStays rewrites lines in another order, with other zeros at the end of
// their amounts: no value changes. TestReportBytes has other settings of sessions,
// TestReportOrder another language.
func TestDigestStays(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	run(t, pool, `CREATE TEMP TABLE copy AS SELECT * FROM bill_line ORDER BY call_id DESC; TRUNCATE bill_line; INSERT INTO bill_line SELECT * FROM copy`)
	run(t, pool, `UPDATE bill_line SET after = trim_scale(after) * 1.0000, before = before * 1.00, delta = trim_scale(delta)`)
	wantSound(t, pool, period.Cost)
}

// TestDigestsOfOldPeriods takes the digests away and brings them back by migrations,
// as in a database whose periods were closed before there were any. Lines that were
// changed until then are not proven by it.
func TestDigestsOfOldPeriods(t *testing.T) {
	t.Parallel()
	pool := billed(t)
	mustClose(t, pool, period.Price, "2024-01", "UTC")
	all := `SELECT string_agg(concat_ws(' ', side, name, lines, lines_digest, previous_digest, digest), E'\n' ORDER BY side, name) FROM period`
	before := one(t, pool, all)
	url, log := pool.Config().ConnString(), slog.New(slog.DiscardHandler)
	for one(t, pool, "SELECT to_regprocedure('bill_digest(text, text)')") != "null" {
		if err := migrations.Down(t.Context(), url, log); err != nil {
			t.Fatal(err)
		}
	}
	up := func() *pgxpool.Pool {
		if err := migrations.Up(t.Context(), url, log); err != nil {
			t.Fatal(err)
		}
		return connect(t, url)
	}
	again := up()
	defer again.Close()
	if now := one(t, again, all); now != before {
		t.Errorf("periods were\n%s\nand are\n%s", before, now)
	}
	for one(t, pool, "SELECT to_regprocedure('bill_digest(text, text)')") != "null" {
		if err := migrations.Down(t.Context(), url, log); err != nil {
			t.Fatal(err)
		}
	}
	run(t, pool, `UPDATE bill_line SET account = 'other' WHERE call_id = 'z'`)
	changed := up()
	defer changed.Close()
	v, err := period.Verify(t.Context(), changed, period.Cost, 0)
	if all := strings.Join(v.Faults, "\n"); err != nil || !strings.Contains(all, "cost 2024-01: its lines were changed") || strings.Contains(all, "2024-02") {
		t.Errorf("%v, %s", err, all)
	}
}

// TestPlans: right after a close Postgres knows how many lines there are, and even if
// it did not, the proof looks up each line by its key.
func TestPlans(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c0", currency: "USD", cost: "1", at: day(t, "2024-01-10T12:00")})
	many(t, pool, 2999)
	mustClose(t, pool, period.Cost, "2024-01", "UTC")
	if n := one(t, pool, `SELECT reltuples::bigint FROM pg_class WHERE oid = 'bill_line'::regclass`); n != "3000" {
		t.Errorf("Postgres believes in %s lines, want 3000", n)
	}
	run(t, pool, `DELETE FROM pg_statistic WHERE starelid = 'bill_line'::regclass`)
	run(t, pool, `UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'bill_line'::regclass`)
	for _, name := range []string{"BillSums", "BrokenLines", "PendingTotals"} {
		plan := explain(t, pool, name)
		if strings.Contains(plan, "Join Filter") {
			t.Errorf("%s compares all with all:\n%s", name, plan)
		}
		if name == "BillSums" && !strings.Contains(plan, "Index Scan Backward using bill_line_pkey on bill_line b") {
			t.Errorf("%s does not look up lines by their key:\n%s", name, plan)
		}
	}
}

// explain returns the plan of a query of queries/period.sql.
func explain(t *testing.T, pool *pgxpool.Pool, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../queries/period.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, sql, _ := strings.Cut(string(text), "-- name: "+name+" ")
	_, sql, _ = strings.Cut(sql, "\n")
	sql, _, _ = strings.Cut(sql, "-- name: ")
	sql = strings.NewReplacer("@side", "'cost'", "@period", "''", "@from_at", "now()", "@to_at", "now()", "@at_most", "10", "sqlc.narg(not_before)", "NULL").Replace(sql)
	rows, err := pool.Query(t.Context(), "EXPLAIN "+sql)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func hash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

// array writes JSON with a blank after each comma, and escapes only what must be.
func array(values ...any) []byte {
	var all []string
	for _, v := range values {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // texts, numbers and null
		all = append(all, strings.NewReplacer(`\u2028`, "\u2028").Replace(strings.TrimSuffix(b.String(), "\n")))
	}
	return fmt.Appendf(nil, "[%s]", strings.Join(all, ", "))
}

// trim takes the zeros off the end of a fraction.
func trim(amount *string) *string {
	if amount == nil || !strings.Contains(*amount, ".") {
		return amount
	}
	plain := strings.TrimRight(strings.TrimRight(*amount, "0"), ".")
	return &plain
}
