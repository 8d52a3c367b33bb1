package monitoring

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// rows are some calls of two sources within the last days, with their events, and
// what could not be read.
const rows = `
INSERT INTO source (name, provider) VALUES ('didww', 'didww'), ('wavix', 'wavix');
INSERT INTO call (source, call_id, provider, state, disposition, call_time, started_at, ringing_at, answered_at, ended_at, clock, duration, billsec, charged_sec,
                  cost, currency, dst_country, sip_code, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
SELECT s, 'c' || i, s, 'ended', CASE WHEN i % 3 = 0 THEN 'busy' ELSE 'answered' END, at, at, at + interval '2 s',
       CASE WHEN i % 3 <> 0 THEN at + interval '5 s' END, at + interval '65 s', 'provider', 65, CASE WHEN i % 3 <> 0 THEN 60 ELSE 0 END, 60,
       0.25, CASE WHEN s = 'wavix' THEN 'USD' END, 'GB', CASE WHEN i % 3 = 0 THEN 486 ELSE 200 END, 0, 1, 1, 1, at, at, at
FROM (SELECT s, i, now() - i * interval '3 hours' AS at FROM unnest(ARRAY['didww', 'wavix']) s, generate_series(1, 40) i) x;
INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at, last_received_at, deliveries, problems)
SELECT source, call_id, gen_random_uuid(), 'cdr', 'cdr', '', '', call_time, 'provider', call_time, call_time, 2, '{}' FROM call;
INSERT INTO quarantine SELECT 'didww', gen_random_uuid(), '', 'POST', '', '', '', ''::bytea, 'a field is missing', now(), 1, NULL;`

// TestSQL runs every statement of the dashboards as the role that Grafana reads
// by, with Grafana's macros and variables replaced, and wants rows.
func TestSQL(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	many(t, conn, rows)
	for range 2 { // the profile may be started again
		many(t, conn, role(t))
	}
	many(t, conn, "SET ROLE cdrstore_reader; SET default_transaction_read_only = on")
	if _, err := conn.Exec(t.Context(), "DELETE FROM quarantine"); err == nil {
		t.Error("the role can delete")
	}
	var covered bool
	if err := conn.QueryRow(t.Context(), "SELECT feed_cluster() IS NOT NULL").Scan(&covered); err != nil || !covered {
		t.Errorf("the role cannot use the sums by quarters of an hour: %v", err)
	}
	n := 0
	for path, d := range dashboards(t) {
		for _, bucket := range []string{"hour", "day", "month"} {
			for _, zone := range []string{"UTC", "Asia/Kolkata"} {
				for _, p := range d.Panels {
					for _, q := range p.Targets {
						if q.RawSQL != "" {
							n++
							runs(t, conn, fmt.Sprintf("%s: %s by %s in %s", path, p.Title, bucket, zone), q, bucket, zone)
						}
					}
				}
				for _, v := range d.Templating.List {
					if strings.HasPrefix(v.Datasource.Type, "grafana-postgresql") {
						n++
						runs(t, conn, path+": variable "+v.Name, target{RawSQL: v.Definition, Format: "table"}, bucket, zone)
					}
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d statements", n)
	}
}

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// many runs several statements.
func many(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// role is reader.sql without what only psql understands.
func role(t *testing.T) string {
	t.Helper()
	sql := regexp.MustCompile(`(?m)^\\.*$`).ReplaceAllString(read(t, "reader.sql"), "")
	return strings.ReplaceAll(sql, ":'password'", "'test'")
}

// grafana replaces macros and variables as Grafana does.
func grafana(sql, bucket, zone string) string {
	now := time.Now().UTC()
	quoted := func(at time.Time) string { return "'" + at.Format(time.RFC3339) + "'" }
	sql = regexp.MustCompile(`\$__timeGroupAlias\((\w+), \$__interval\)`).ReplaceAllString(sql, `floor(extract(epoch from $1)/300)*300 AS "time"`)
	return strings.NewReplacer(
		"$__timeFrom()", quoted(now.AddDate(0, 0, -6)), "$__timeTo()", quoted(now.Add(time.Hour)),
		"${bucket:sqlstring}", "'"+bucket+"'", "${tz:sqlstring}", "'"+zone+"'", "${source:sqlstring}", "'didww','wavix'",
	).Replace(sql)
}

func runs(t *testing.T, conn *pgx.Conn, where string, q target, bucket, zone string) {
	t.Helper()
	sql := grafana(q.RawSQL, bucket, zone)
	if strings.Contains(sql, "$") {
		t.Errorf("%s: a macro is left: %s", where, sql)
		return
	}
	result, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, sql)
		return
	}
	found, err := pgx.CollectRows(result, pgx.RowToMap)
	if err != nil || len(found) == 0 {
		t.Errorf("%s: %d rows, %v\n%s", where, len(found), err, sql)
		return
	}
	var columns []string
	for name, value := range found[0] {
		columns = append(columns, name)
		if value == nil && q.Format == "time_series" {
			t.Errorf("%s: %s is null", where, name)
		}
	}
	if (q.Format == "time_series") != slices.Contains(columns, "time") || q.Format != "time_series" && q.Format != "table" {
		t.Errorf("%s: format %q and columns %v", where, q.Format, columns)
	}
}
