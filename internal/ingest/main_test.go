package ingest

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func sourcesByName() map[string]store.Source {
	sources := map[string]store.Source{}
	for _, a := range provider.All() {
		sources[a.Name] = store.Source{Name: a.Name, Provider: a.Name}
	}
	return sources
}

func newWriter(t *testing.T, pool *pgxpool.Pool) (*Writer, *store.Store) {
	t.Helper()
	s := store.New(pool, quiet())
	var sources []store.Source
	for _, src := range sourcesByName() {
		sources = append(sources, src)
	}
	if err := s.Register(t.Context(), sources); err != nil {
		t.Fatal(err)
	}
	w := NewWriter(s, quiet(), Options{Timeout: time.Minute}) // the machine may be busy
	t.Cleanup(w.Close)
	return w, s
}

// deliveries returns everything that the cases of testdata without settings of
// their own send.
func deliveries(t *testing.T) []cdr.Delivery {
	t.Helper()
	var all []cdr.Delivery
	for _, c := range testcase.Load(t) {
		for i := range c.Deliveries {
			if c.Settings.IsZero() {
				all = append(all, c.Delivery(i))
			}
		}
	}
	return all
}

func count(t *testing.T, pool *pgxpool.Pool, sql string) int {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantVerified(t *testing.T, s *store.Store) {
	t.Helper()
	if _, err := s.Verify(t.Context(), func(d store.Difference) { t.Errorf("differs: %+v", d) }, func(int) {}); err != nil {
		t.Error(err)
	}
}
