package report

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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
