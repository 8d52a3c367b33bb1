package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// command runs one as a person would and returns what it prints.
func command(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

const (
	postCall  = `{"uuid":"a","date":"2025-10-14T12:00:00Z","from":"1","to":"2","direction":"inbound","disposition":"answered","duration":30,"destination":"x","per_minute":"0.005","charge":"0.1"}` + "\n"
	postOther = `{"uuid":"b","date":"2025-10-14T13:00:00Z","from":"1","to":"2","direction":"inbound","disposition":"answered","duration":30,"destination":"x","per_minute":"0.005","charge":"0.2"}` + "\n"
)

// TestImportAndReconcile runs both commands on a database that no receiver has
// seen: what they print, and the exit code.
func TestImportAndReconcile(t *testing.T) {
	t.Setenv("DATABASE_URL", pgtest.New(t))
	t.Setenv("CDRSTORE_CONFIG", "")
	file := filepath.Join(t.TempDir(), "file.ndjson")
	if err := os.WriteFile(file, []byte(postCall), 0o600); err != nil {
		t.Fatal(err)
	}
	invoice := []string{"reconcile", "--source", "wavix", "--month", "2025-10", "--tz", "Europe/London", "--currency", "usd", "--calls"}
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		prints      string
	}{
		{"an unknown source", "", []string{"import", "--source", "nobody", file}, 1, ""},
		{"a dry run", "", []string{"import", "--source", "wavix", "--dry-run", file}, 0, "1 CDRs would be stored"},
		{"differs", "", []string{"reconcile", "--source", "wavix", file}, 2, "0 same, 0 differ, 1 only theirs"},
		{"import", "", []string{"import", "--source", "wavix", file}, 0, "1 records read: 1 CDRs stored"},
		{"again", "", []string{"import", "--source", "wavix", file}, 0, "0 CDRs stored"},
		{"a bad line", postOther + "{\n" + postCall, []string{"import", "--source", "wavix", "-"}, 1, "- line 2: unreadable: body"},
		{"same", postCall + postOther, []string{"reconcile", "--source", "wavix", "-"}, 0, "2 same, 0 differ"},
		{"a bad line compared", postOther + "{\n", []string{"reconcile", "--source", "wavix", "-"}, 1, "1 unreadable"},
		{"a difference", strings.Replace(postCall, "0.1\"", "0.11\"", 1), []string{"reconcile", "--source", "wavix", "--format", "csv", "-"}, 2, "differs,-,1,a,a,2025-10-14T12:00:00Z,30,0.1,USD,,cost,0.11,0.1,0.01\n"},
		{"within the tolerance", strings.Replace(postCall, "0.1\"", "0.11\"", 1), []string{"reconcile", "--source", "wavix", "--tolerance", "0.01,1s", "-"}, 0, "1 same"},
		{"json", postCall + postOther, []string{"reconcile", "--source", "wavix", "--format", "json", "-"}, 0, `"same":2`},
		{"a bad format", postCall, []string{"reconcile", "--source", "wavix", "--format", "xml", "-"}, 1, ""},
		{"a bad tolerance", postCall, []string{"reconcile", "--source", "wavix", "--tolerance", "lots", "-"}, 1, ""},
		{"an invoice", "", append(invoice, "2", "--cost", "0.30", "--billsec", "60", "--minutes", "1"), 0, "cost USD"},
		{"a wrong invoice", "", append(invoice, "2", "--cost", "0.31"), 2, "+0.01"},
		{"an invoice of outbound calls", "", append(invoice, "2", "--direction", "outbound"), 2, "calls"},
		{"a bad direction", "", append(invoice, "2", "--direction", "up"), 1, ""},
		{"a bad month", "", []string{"reconcile", "--source", "wavix", "--month", "2025-13", "--calls", "2"}, 1, ""},
		{"a cost of no currency", "", []string{"reconcile", "--source", "wavix", "--month", "2025-10", "--cost", "2"}, 1, ""},
		{"nothing to compare", "", []string{"reconcile", "--source", "wavix"}, 1, ""},
		{"no totals", "", []string{"reconcile", "--source", "wavix", "--month", "2025-10"}, 1, ""},
		{"file and invoice", postCall, append(invoice, "2", "-"), 1, ""},
		{"a missing file", "", []string{"reconcile", "--source", "wavix", file + ".missing"}, 1, ""},
	} {
		out, err := command(t, c.stdin, c.args...)
		code := 0
		if err != nil {
			code = exitCode(err)
		}
		if code != c.code || !strings.Contains(out, c.prints) {
			t.Errorf("%s: exit code %d (%v), want %d and %q: %s", c.name, code, err, c.code, c.prints, out)
		}
	}
}

// TestBulkWritersAnalyze: Postgres knows how many calls there are after each command
// that may write many.
func TestBulkWritersAnalyze(t *testing.T) {
	url := pgtest.New(t)
	t.Setenv("DATABASE_URL", url)
	t.Setenv("CDRSTORE_CONFIG", "")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, args := range []string{"import --source wavix -", "rebuild", "rebuild --redecode", "replay"} {
		if out, err := command(t, postCall, strings.Fields(args)...); err != nil {
			t.Fatal(err, out)
		}
		var known float64
		if err := conn.QueryRow(t.Context(), "SELECT reltuples FROM pg_class WHERE oid = 'call'::regclass").Scan(&known); err != nil || known != 1 {
			t.Errorf("%s: Postgres believes in %v calls, want 1; %v", args, known, err)
		}
		if _, err := conn.Exec(t.Context(), "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'call'::regclass"); err != nil {
			t.Fatal(err)
		}
	}
}
