package ingest

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// TestNoFlapping has a database that answers a probe and takes no events, as one
// with a full disk: it is left alone for a second each time.
func TestNoFlapping(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `
		CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
		CREATE TRIGGER full_disk BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION full_disk()`); err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(t.TempDir(), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	w := NewWriter(store.New(pool, quiet()), slog.New(slog.NewTextHandler(&said, nil)), Options{Spool: sp, Sources: sourcesByName()})
	begin := time.Now()
	for i := range 500 {
		if r, err := w.Write(t.Context(), delivery("c"+itoa(i))); err != nil || r.Spooled != 1 {
			t.Fatalf("delivery %d: %+v, %v", i, r, err)
		}
	}
	w.Close()
	most := int(time.Since(begin)/retryAfter) + 1
	if n := strings.Count(said.String(), "deliveries are spooled"); n < 1 || n > most {
		t.Errorf("it went away %d times, want at most %d", n, most)
	}
	if err := sp.Close(); err != nil {
		t.Fatal(err)
	}
}
