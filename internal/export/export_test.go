package export

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestRowsComeInOrderAndWithinBounds(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 5000)
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, o := range []Options{
		{},
		{Source: "wavix"},
		{From: at("2026-10-01T00:10:00.0042Z")}, // the moment of calls 1800 to 1802
		{To: at("2026-10-01T00:10:00.0042Z")},   // which are not before it
		{From: at("2026-10-01T01:00:00+01:00"), To: at("2026-10-01T00:20:00.001Z")}, // in another zone
		{From: at("2026-10-01T00:01:00Z"), To: at("2026-10-01T00:02:00Z"), Source: "didww"},
	} {
		rows, err := pool.Query(t.Context(), `SELECT source || ' ' || call_id FROM cdr
			WHERE ($1 OR call_time >= $2) AND ($3 OR call_time < $4) AND ($5 = '' OR source = $5) ORDER BY call_time, source, call_id`,
			o.From.IsZero(), o.From, o.To.IsZero(), o.To, o.Source)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				t.Fatal(err)
			}
			want = append(want, key)
		}
		o.What, o.Output, o.Columns = "cdr", "-", []string{"source", " call_id"}
		var got []string
		for _, r := range exported(t, pool, o, csv) {
			got = append(got, *r["source"]+" "+*r["call_id"])
		}
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%v: %d rows, not these %d", o, len(got), len(want))
		}
	}
}

// TestEveryRelationCanBeExported takes all columns as the database has them.
func TestEveryRelationCanBeExported(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 10)
	_, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, call_id, event_id, kind, record_key, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries,
		                   facts, problems, payload)
		SELECT source, call_id, gen_random_uuid(), 'cdr', 'k', 'cdr', '', call_time, 'provider', call_time, call_time, 1, '{"cost": "0.5"}', '{}', '{}' FROM call;
		INSERT INTO recording SELECT source, call_id, 'r', 'https://example.com', NULL, call_time, 1, '{}' FROM call;
		INSERT INTO message (source, message_id, received_at, deliveries) SELECT source, call_id, call_time, 1 FROM call`)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range Relations() {
		var columns int
		if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM information_schema.columns WHERE table_name = $1", what).Scan(&columns); err != nil {
			t.Fatal(err)
		}
		for _, format := range Formats() {
			rows := exported(t, pool, Options{What: what, Output: "-"}, format)
			if len(rows) != 10 || columns == 0 || len(rows[0]) != columns {
				t.Errorf("%s as %s: %d rows, not 10 of %d columns", what, format, len(rows), columns)
			}
		}
	}
}

func TestNoRowsAreAnEmptyTable(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for format, want := range map[string]string{csv: "call_id,cost\r\n", ndjson: ""} {
		var out bytes.Buffer
		n, err := Run(t.Context(), pool, Options{What: "cdr", Format: format, Columns: []string{"call_id", "cost"}, Output: "-"}, &out, silent)
		if n != 0 || err != nil || out.String() != want {
			t.Errorf("%s: %d rows, %v, %q", format, n, err, out.String())
		}
	}
	exported(t, pool, Options{What: "cdr", Output: "-"}, parquet)
}

func TestOneSnapshot(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 40000)
	var out bytes.Buffer
	n, err := Run(t.Context(), pool, Options{What: "call", Output: "-"}, &out, func(rows, about int64) {
		if rows != 1000 {
			return
		}
		if about < 30000 || about > 50000 {
			t.Errorf("about %d rows of 40000", about)
		}
		if _, err := pool.Exec(t.Context(), "DELETE FROM call WHERE sip_code = 200"); err != nil {
			t.Error(err)
		}
	})
	if err != nil || n != 40000 || strings.Count(out.String(), "\r\n") != 40001 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestCallsAreNotSorted looks at the plans: calls come in the order of an index.
func TestCallsAreNotSorted(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 20000)
	for _, what := range []string{"cdr", "call", "rated_cdr"} {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.New(tx).PrepareExport(t.Context()); err != nil {
			t.Fatal(err)
		}
		o := Options{What: what}
		r, err := o.relation()
		if err != nil {
			t.Fatal(err)
		}
		columns, err := describe(t.Context(), tx.Conn(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		declare := "EXPLAIN DECLARE export CURSOR FOR " + statement(r, columns, o).sql
		plan := tx.Conn().PgConn().ExecParams(t.Context(), declare, nil, nil, nil, nil).Read()
		var lines string
		for _, row := range plan.Rows {
			lines += string(row[0]) + "\n"
		}
		if plan.Err != nil || !strings.Contains(lines, "Incremental Sort") || !strings.Contains(lines, "Index Scan using call_by_time on call") {
			t.Errorf("%v\n%s", plan.Err, lines)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpreadsheetsRunNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 1)
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "-2+3": "'-2+3", "+1+1": "'+1+1", "\t=1": "'\t=1", "\r=1": "\"'\r=1\"", "\n=1": "\"'\n=1\"",
		"+442071838750": "+442071838750", "a=1": "a=1", "": `""`, `="x"`: `"'=""x"""`,
	} {
		if _, err := pool.Exec(t.Context(), "UPDATE call SET tag = $1, cost = -5", text); err != nil {
			t.Fatal(err)
		}
		var safe, plain bytes.Buffer
		o := Options{What: "cdr", Columns: []string{"tag", "cost"}, Output: "-"}
		if _, err := Run(t.Context(), pool, o, &plain, silent); err != nil {
			t.Fatal(err)
		}
		o.Spreadsheet = true
		if _, err := Run(t.Context(), pool, o, &safe, silent); err != nil {
			t.Fatal(err)
		}
		if got := safe.String(); got != "\ufefftag,cost\r\n"+want+",-5\r\n" {
			t.Errorf("%q: %q", text, got)
		}
		if rows := readCSV(t, plain.String()); *rows[0]["tag"] != text {
			t.Errorf("%q: %q", text, plain.String())
		}
	}
}

func TestFormatByEnding(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"-": csv, "a": csv, "a.csv": csv, "a.csv.gz": csv, "a.ndjson": ndjson, "a.jsonl.gz": ndjson, "a.parquet": parquet, "x.parquet/a.txt": csv,
	} {
		if got := (Options{Output: output}).withFormat().Format; got != want {
			t.Errorf("%s: %s", output, got)
		}
	}
	if got := (Options{Output: "a.csv", Format: parquet}).withFormat().Format; got != parquet {
		t.Error(got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fill(t, pool, 3)
	set := func(sql string) {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	set("INSERT INTO source (name, provider) VALUES ('acme', 'didww'), ('quiet', 'didww')")
	set("UPDATE call SET cost = 'NaN' WHERE call_id = md5('1')")
	set("UPDATE call SET cost = 1234567890123456 WHERE call_id = md5('2')")
	set("UPDATE call SET cost = 0.0000000000000000000000001 WHERE call_id = md5('3')")
	set("UPDATE call SET ended_at = 'infinity'")
	set("UPDATE call SET call_time = '2026-10-01 00:00Z'::timestamptz + sip_code * interval '1 s' + CASE call_id WHEN md5('1') THEN '1 h' WHEN md5('2') THEN '2 h' ELSE '3 h' END::interval")
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{What: "pg_authid"}, `--what: "pg_authid" cannot be exported, only cdr, call,`},
		{Options{What: "cdr; DROP TABLE call"}, `--what: "cdr; DROP TABLE call" cannot`},
		{Options{What: "cdr", Format: "xlsx"}, `--format: "xlsx" is none of csv, ndjson, parquet`},
		{Options{What: "cdr", Format: "ndjson", Spreadsheet: true}, "--excel-safe: only csv"},
		{Options{What: "cdr", Output: "x.parquet.gz"}, "--output: x.parquet.gz: parquet is compressed"},
		{Options{What: "cdr", Columns: []string{"call_id", `"; SELECT`}}, `--columns: cdr has no column "\"; SELECT", only call_time, source, `},
		{Options{What: "cdr", Columns: []string{"xmin"}}, `--columns: cdr has no column "xmin"`},
		{Options{What: "cdr", Columns: []string{"cost", "src", "cost"}}, "--columns: cost is there twice"},
		{Options{What: "cdr", Source: "acne"}, `no source has the name "acne", only: acme, quiet`},
		{Options{What: "cdr", Format: parquet, Columns: []string{"cost"}}, "row 1: column cost: NaN does not fit DECIMAL(38,24)"},
		{Options{What: "cdr", Format: ndjson, Columns: []string{"cost"}}, "row 1: column cost: JSON has no number NaN"},
		{Options{What: "cdr", Format: parquet, Columns: []string{"cost"}, From: hour(2)}, "row 1: column cost: 1234567890123456 does not fit"},
		{Options{What: "cdr", Format: parquet, Columns: []string{"cost"}, From: hour(3)}, "row 1: column cost: 0.0000000000000000000000001 does not fit"},
		{Options{What: "cdr", Format: parquet, Columns: []string{"ended_at"}}, "row 1: column ended_at: infinity is no moment"},
		{Options{What: "cdr", Columns: []string{"ended_at"}}, "row 1: column ended_at: infinity is no moment"},
	} {
		if c.o.Output == "" {
			c.o.Output = "-"
		}
		var out bytes.Buffer
		if _, err := Run(t.Context(), pool, c.o, &out, silent); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: %v, not %s", c.o, err, c.want)
		}
	}
	var out bytes.Buffer
	if _, err := Run(t.Context(), pool, Options{What: "cdr", Source: "quiet", Output: "-"}, &out, silent); err != nil {
		t.Errorf("a source without calls: %v", err)
	}
	if _, err := Run(t.Context(), pool, Options{What: "cdr"}, &out, silent); err == nil {
		t.Error("no output is no file")
	}
}

func hour(n int) time.Time { return time.Date(2026, 10, 1, n, 0, 0, 0, time.UTC) }
