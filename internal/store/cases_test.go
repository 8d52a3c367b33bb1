package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/store/storetest"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// TestCases saves the deliveries of every case in several orders and expects the
// same rows each time, equal to what verify and rebuild make of them.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range testcase.Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			s := store.New(pool, slog.New(slog.DiscardHandler))
			for seed := range uint64(4) {
				source := fmt.Sprintf("%s-%d", c.Provider, seed)
				for _, i := range order(len(c.Deliveries), seed) {
					if _, err := s.Save(t.Context(), records(t, c, i, source)); err != nil {
						t.Fatal(err)
					}
				}
				c.Compare(t, "rows", storetest.Rows(t, pool, source, c.Provider), false)
			}
			wantConsistent(t, s)
			wantRebuilt(t, s, pool)
		})
	}
}

func records(t testing.TB, c testcase.Case, i int, source string) []cdr.Record {
	t.Helper()
	adapter, ok := provider.ByName(c.Provider)
	if !ok {
		t.Fatalf("no adapter %q", c.Provider)
	}
	d := c.Delivery(i)
	d.Source = source
	return adapter.Read(d)
}

// order returns the numbers below n, shuffled by a seed; seed 0 keeps them.
func order(n int, seed uint64) []int {
	if seed > 0 {
		return rand.New(rand.NewPCG(seed, seed)).Perm(n)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func wantConsistent(t testing.TB, s *store.Store) {
	t.Helper()
	v, err := s.Verify(context.WithoutCancel(t.Context()), func(d store.Difference) {
		t.Errorf("call %s %s differs from the fold of its events in %v", d.Source, d.CallID, d.Columns)
	}, func(int) {})
	if err != nil || v.Differences > 0 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

// wantRebuilt spoils every call and expects rebuild to make the same rows again.
func wantRebuilt(t testing.TB, s *store.Store, pool *pgxpool.Pool) {
	t.Helper()
	before := callTexts(t, pool)
	if _, err := pool.Exec(t.Context(), `UPDATE call SET src = 'spoilt', cost = 12345, state = 'ended', disposition = 'failed', ended_at = NULL, version = version + 1`); err != nil {
		t.Fatal(err)
	}
	done, err := s.Rebuild(t.Context(), nil, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if done.Changed != len(before) {
		t.Errorf("rebuild changed %d calls of %d", done.Changed, len(before))
	}
	after := callTexts(t, pool)
	for key, text := range before {
		if after[key] != text {
			t.Errorf("rebuilt call differs\n got: %s\nwant: %s", after[key], text)
		}
	}
}

// callTexts returns the rows to the letter, but for version and changed_at.
func callTexts(t testing.TB, pool *pgxpool.Pool) map[string]string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT source || ' ' || call_id, (to_jsonb(call) - 'version' - 'changed_at')::text FROM call`)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for rows.Next() {
		var key, text string
		if err := rows.Scan(&key, &text); err != nil {
			t.Fatal(err)
		}
		texts[key] = text
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return texts
}
