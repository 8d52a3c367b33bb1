package report

import (
	"encoding/csv"
	"os"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestBilledSecondsCases(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/billed-seconds/cases.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read from
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	pool := pgtest.Pool(t)
	for _, r := range rows[1:] {
		got := lines(t, pool, "SELECT billed_seconds($1::text::numeric, $2::text::integer, $3::text::integer)::text", null(r[0]), null(r[1]), null(r[2]))[0]
		if want := orElse(r[3], "-"); got != want {
			t.Errorf("billed_seconds(%s) is %s, want %s", r[:3], got, want)
		}
	}
}

// TestBilledSecondsProperty compares the function with counting the increments.
func TestBilledSecondsProperty(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	rapid.Check(t, func(r *rapid.T) {
		talk := decimal.New(rapid.Int64Range(0, 4000_000).Draw(r, "billsec in ms"), -3)
		first, next := rapid.IntRange(0, 120).Draw(r, "first"), rapid.IntRange(0, 90).Draw(r, "next")
		want := "0"
		if talk.IsPositive() {
			billed := decimal.NewFromInt(int64(first))
			for billed.LessThan(talk) && next > 0 {
				billed = billed.Add(decimal.NewFromInt(int64(next)))
			}
			want = billed.String()
			if billed.LessThan(talk) {
				want = "-"
			}
		}
		got := lines(t, pool, "SELECT billed_seconds($1::text::numeric, $2, $3)::text", talk.String(), first, next)[0]
		if got != want {
			r.Fatalf("billed_seconds(%s, %d, %d) is %s, want %s", talk, first, next, got, want)
		}
	})
}
