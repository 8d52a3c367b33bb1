package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestTax adds up costs that contain their tax, costs that do not, and costs of
// which nobody says it: nothing is guessed.
func TestTax(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO call (source, call_id, provider, state, disposition, call_time, clock, legs, events, cdrs, version, first_received_at, last_received_at, changed_at,
		                  cost, tax, currency, cost_includes_tax)
		SELECT 's', n::text, 'didww', 'ended', 'answered', '2026-10-05', 'provider', 0, 1, 1, 1, now(), now(), now(), cost, tax, currency, includes
		FROM (VALUES (1, 1.20, 0.20, 'EUR', true), (2, 1.00, 0.20, 'EUR', false), (3, 5.00, 0.50, 'EUR', NULL), (4, 3.00, NULL, 'EUR', true),
		             (5, 2.00, 0, 'EUR', NULL), (6, 0, NULL, 'EUR', NULL), (7, 7.00, NULL, 'USD', false), (8, NULL, 0.20, 'EUR', true)) v (n, cost, tax, currency, includes)`); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := Request{Kind: "tax", From: "2026-10", To: "2026-11", By: []string{"source", "month"}, Format: "csv"}
	if err := Run(t.Context(), pool, r, time.Now(), &out); err != nil {
		t.Fatal(err)
	}
	const want = "bucket_start,bucket_local,source,currency,calls,cost,net,tax,gross,tax_unknown,cost_of_unknown\r\n" +
		"2026-10-01T00:00:00Z,2026-10,s,EUR,6,12.20,4.00,0.40,4.40,2,8.00\r\n" +
		"2026-10-01T00:00:00Z,2026-10,s,USD,1,7.00,,,,1,7.00\r\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
