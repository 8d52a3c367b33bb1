package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// refreshOnce runs one step of the computation.
func refreshOnce(t testing.TB, pool *pgxpool.Pool, calls int) bool {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	done, err := refreshStep(t.Context(), conn, calls)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// refresh computes all, some calls at a time.
func refresh(t testing.TB, pool *pgxpool.Pool, calls int) {
	t.Helper()
	for !refreshOnce(t, pool, calls) {
	}
}

// TestRestBetweenSteps: the first computation rests after each step but the last;
// where it ends early what was done stays, and reports are right all the same.
func TestRestBetweenSteps(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for i := range 6 {
		insert(t, pool, aCall{Source: "a", CallID: fmt.Sprint(i), At: at(t, "2026-10-05T12:00:00Z").Add(time.Duration(i) * time.Hour)})
	}
	var rests []time.Duration
	enough := errors.New("enough")
	err = inSteps(t.Context(), url, 1, func(_ context.Context, took time.Duration) error {
		if rests = append(rests, took); len(rests) == 2 {
			return enough
		}
		return nil
	})
	summed := func() int {
		var n int
		if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM usage_quarter").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	early := summed()
	if !errors.Is(err, enough) || slices.Min(rests) <= 0 || early == 0 || early == 6 {
		t.Errorf("%v after rests %v, and %d of 6 quarters have sums", err, rests, early)
	}
	count := func() string {
		return lines(t, pool, "SELECT attempts::text FROM usage('2026-10-01', '2026-11-01', 'all', 'UTC')")[0]
	}
	if count() != "6" {
		t.Errorf("in between usage counts %s of 6 calls", count())
	}
	if err := inSteps(t.Context(), url, 1, rest); err != nil || summed() != 6 || count() != "6" {
		t.Errorf("%v, and %d of 6 quarters have sums; usage counts %s", err, summed(), count())
	}
}

// TestRestEnds: nobody waits for the rest of a receiver that stops.
func TestRestEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := rest(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	began := time.Now()
	if err := rest(t.Context(), 5*time.Millisecond); err != nil || time.Since(began) < restFor*5*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
