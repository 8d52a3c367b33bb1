package store

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestPlannedOnce saves the same kinds of batches again and again: no statement
// may be planned for its parameters, whatever Postgres thinks of the tables.
func TestPlannedOnce(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), pgtest.New(t)+"&pool_max_conns=1", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range byte(8) {
		r := live(i+1, cdr.StateAnswered, cdr.KindAnswered, int(i))
		mustSave(t, s, r)
		mustSave(t, s, r)
	}
	if n := count(t, s.pool, `SELECT sum(generic_plans)::int FROM pg_prepared_statements WHERE statement LIKE '%ChangeCalls%'`); n < 7 {
		t.Errorf("ChangeCalls ran %d times by the one plan, want 7", n)
	}
	if n := count(t, s.pool, `SELECT sum(custom_plans)::int FROM pg_prepared_statements WHERE statement LIKE '%event%'`); n != 0 {
		t.Errorf("statements were planned %d times for their parameters", n)
	}
}

// TestCompressFast has the store compress as fast as the server can, unless
// somebody has chosen otherwise.
func TestCompressFast(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	method := func() (is, fastest string) {
		s, err := Open(t.Context(), url, quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.pool.QueryRow(t.Context(), `
			SELECT setting, CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE boot_val END
			FROM pg_settings WHERE name = 'default_toast_compression'`).Scan(&is, &fastest); err != nil {
			t.Fatal(err)
		}
		return is, fastest
	}
	if is, fastest := method(); is != fastest {
		t.Errorf("long rows are compressed by %s, want %s", is, fastest)
	}
	admin, err := Open(t.Context(), url, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.pool.Exec(t.Context(), `
		DO $$ BEGIN
			EXECUTE format('ALTER DATABASE %I SET default_toast_compression = pglz', current_database());
		END $$`); err != nil {
		t.Fatal(err)
	}
	if is, _ := method(); is != "pglz" {
		t.Errorf("long rows are compressed by %s, although the database says pglz", is)
	}
}
