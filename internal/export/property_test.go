package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

var texts = rapid.Custom(func(t *rapid.T) string {
	odd := []string{"", `\.`, `\N`, "null", "NULL", "=1+1", "+442071838750", "-5", `"`, "'", "\r\n", "a\nb", "\t", ",", " ", "é", "😀", "\u2028", "</script>", "\x01\x1f\x7f"}
	if rapid.Bool().Draw(t, "odd") {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(odd), 0, 4).Draw(t, "parts"), "")
	}
	return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
})

// numbers are what DECIMAL(38,24) holds, as Postgres writes them.
var numbers = rapid.Custom(func(t *rapid.T) string {
	whole := rapid.StringMatching(`0|[1-9][0-9]{0,13}`).Draw(t, "whole")
	if rapid.Bool().Draw(t, "fraction") {
		whole += "." + rapid.StringMatching(`[0-9]{1,24}`).Draw(t, "decimals")
	}
	return whole
})

var moments = rapid.Custom(func(t *rapid.T) string {
	last := time.Date(2200, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro()
	micros := rapid.Int64Range(0, last).Draw(t, "micros")
	if rapid.Bool().Draw(t, "whole seconds") {
		micros -= micros % 1e6
	}
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z")
})

// TestEveryValueComesBack writes rows with the oddest values to the tables, and
// reads the same from every format.
func TestEveryValueComesBack(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	columns := []struct {
		name   string
		kind   kind
		values *rapid.Generator[string]
	}{
		{"tag", text, texts},
		{"trunk", text, texts},
		{"billsec", number, numbers},
		{"cost", number, rapid.Map(numbers, func(n string) string {
			if strings.Trim(n, "0.") == "" {
				return n // there is no -0
			}
			return "-" + n
		})},
		{"answered_at", moment, moments},
		{"machine_detected", boolean, rapid.SampledFrom([]string{"true", "false"})},
		{"sip_code", integer, rapid.Map(rapid.Int32(), func(n int32) string { return strconv.Itoa(int(n)) })},
	}
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		o := Options{What: "call", Source: "s" + strconv.Itoa(run), Columns: []string{"call_id"}, Output: "-"}
		var batch pgx.Batch
		var want []map[string]*string
		for i := range rapid.IntRange(1, 5).Draw(rt, "rows") {
			id := fmt.Sprintf("%04d", i)
			row := map[string]*string{"call_id": &id}
			arguments := []any{o.Source, id}
			for _, c := range columns {
				v := rapid.Ptr(c.values, true).Draw(rt, c.name)
				row[c.name] = v
				arguments = append(arguments, v)
			}
			want = append(want, row)
			batch.Queue(`INSERT INTO call (source, call_id, tag, trunk, billsec, cost, answered_at, machine_detected, sip_code,
					provider, state, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at)
				VALUES ($1, $2, $3, $4, $5::text::numeric, $6::text::numeric, $7::text::timestamptz, $8::text::boolean, $9::text::integer,
					'didww', 'started', '2026-10-01 00:00Z', 'provider', 0, 0, 0, 1, now(), now(), now())`, arguments...)
		}
		if err := pool.SendBatch(t.Context(), &batch).Close(); err != nil {
			rt.Fatal(err)
		}
		for _, c := range columns {
			o.Columns = append(o.Columns, c.name)
		}
		rapidCompare(rt, exported(t, pool, o, csv), want, nil)
		rapidCompare(rt, exported(t, pool, o, ndjson), want, nil)
		rapidCompare(rt, exported(t, pool, o, parquet), want, func(name, value string) string {
			if name == "billsec" || name == "cost" {
				return plain(value)
			}
			return value
		})
	})
}

// TestDocumentsComeBack is about JSON as sent, JSON that Postgres has rewritten,
// and lists.
func TestDocumentsComeBack(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	sent := "{ \"a\" : 1.50,\r\n \"a\": 1e400, \"n\":null,\t\"t\":\"x\\u00e9\\ud800 \u2028é\" }"
	_, err := pool.Exec(t.Context(), `
		INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, occurred_at, clock, received_at, last_received_at, deliveries,
		                   facts, problems, payload, xid)
		VALUES ('s', 'c', '00000000-0000-0000-0000-000000000001', 'other', 'x', '', now(), 'provider', '2026-10-01Z', now(), 1, '{"b": 12345678901234567890.10}',
		        ARRAY['it said "no"', '', 'a,b'], $1, '18446744073709551615'),
		       ('s', 'c', '00000000-0000-0000-0000-000000000002', 'other', 'x', '', now(), 'provider', '2026-10-02Z', now(), 1, NULL, '{}', NULL, '1')`, sent)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{What: "event", Columns: []string{"event_id", "facts", "problems", "payload", "xid"}, Output: "-"}
	row := func(values ...string) map[string]*string {
		m := map[string]*string{}
		for i, v := range values {
			if m[o.Columns[i]] = &v; v == "null" {
				m[o.Columns[i]] = nil
			}
		}
		return m
	}
	want := []map[string]*string{
		row("00000000-0000-0000-0000-000000000001", `{"b": 12345678901234567890.10}`, `["it said \"no\"","","a,b"]`, sent, "18446744073709551615"),
		row("00000000-0000-0000-0000-000000000002", "null", "[]", "null", "1"),
	}
	rapidCompare(t, exported(t, pool, o, csv), want, nil)
	rapidCompare(t, exported(t, pool, o, parquet), want, nil)
	rapidCompare(t, exported(t, pool, o, ndjson), want, func(name, value string) string {
		if name == "facts" || name == "payload" {
			var b bytes.Buffer
			if err := json.Compact(&b, []byte(value)); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		return value
	})
}

// exported are the rows of an export in a format, read back.
func exported(t testing.TB, pool *pgxpool.Pool, o Options, format string) []map[string]*string {
	t.Helper()
	var out bytes.Buffer
	o.Format = format
	n, err := Run(t.Context(), pool, o, &out, silent)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	read := map[string]func(testing.TB, string) []map[string]*string{csv: readCSV, ndjson: readNDJSON, parquet: readParquet}
	rows := read[format](t, out.String())
	if int64(len(rows)) != n {
		t.Fatalf("%s: %d rows written, %d read", format, n, len(rows))
	}
	return rows
}

// rapidCompare fails where rows are not those that are wanted, in their order. As
// says in which form the format has a value.
func rapidCompare(t interface{ Fatalf(string, ...any) }, got, want []map[string]*string, as func(name, value string) string) {
	if len(got) != len(want) {
		t.Fatalf("%d rows, not %d", len(got), len(want))
	}
	for i, row := range want {
		var names []string
		for name := range got[i] {
			names = append(names, name)
		}
		if len(names) != len(row) {
			t.Fatalf("row %d has %s", i, slices.Sorted(slices.Values(names)))
		}
		for name, value := range row {
			have := got[i][name]
			if value != nil && as != nil {
				text := as(name, *value)
				value = &text
			}
			if (value == nil) != (have == nil) || value != nil && *have != *value {
				t.Fatalf("row %d, %s: %s and not %s", i, name, show(have), show(value))
			}
		}
	}
}

func show(value *string) string {
	if value == nil {
		return "null"
	}
	return strconv.Quote(*value)
}
