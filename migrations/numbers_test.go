package migrations_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/migrations"
)

// TestNumbersGoBack: with rows that an older version cannot have, and to the same definitions and comments.
func TestNumbersGoBack(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	const defined = `SELECT pg_get_viewdef(v::regclass) FROM unnest(ARRAY['rated_cdr', 'bill_call']) v
		UNION ALL SELECT pg_get_functiondef('completeness'::regproc)
		UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('rate'::regclass, 'tariff'::regclass)
		UNION ALL SELECT c.relname || coalesce(col_description(c.oid, a.attnum), '') || coalesce(obj_description(c.oid), '')
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relname IN ('rated_cdr', 'bill_call', 'rate', 'tariff') AND NOT attisdropped AND attnum > 0
		ORDER BY 1`
	down := func() {
		for len(column(t, url, "SELECT 1::text WHERE to_regproc('number_reading') IS NOT NULL")) > 0 {
			if err := migrations.Down(t.Context(), url, discard()); err != nil {
				t.Fatal(err)
			}
		}
	}
	now := column(t, url, defined)
	down()
	before := column(t, url, defined)
	up(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), `INSERT INTO rate (deck, prefix, valid_from, price_per_minute, currency) VALUES ('d', 'exact:112', '2026-01-01Z', 1, 'USD'), ('d', '1', '2026-01-01Z', 1, 'USD');
		INSERT INTO tariff (deck, valid_to) VALUES ('first', '2026-07-01Z'); INSERT INTO tariff (deck, valid_from) VALUES ('last', '2026-07-01Z')`); err != nil {
		t.Fatal(err)
	}
	down()
	if after := column(t, url, defined); !slices.Equal(after, before) {
		t.Errorf("Down makes\n%q, and before\n%q", after, before)
	}
	if left := column(t, url, "SELECT prefix FROM rate UNION ALL SELECT deck FROM tariff ORDER BY 1"); !slices.Equal(left, []string{"1", "last"}) {
		t.Errorf("Down leaves %q", left)
	}
	up(t, url)
	if again := column(t, url, defined); !slices.Equal(again, now) {
		t.Errorf("Up after Down makes\n%q, and before\n%q", again, now)
	}
}
