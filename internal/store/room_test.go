package store

import (
	"fmt"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestQuarantineFull(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	known := rejected("known")
	mustSave(t, New(pool, quiet()), known)
	s := New(pool, quiet())
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
		SELECT 's', gen_random_uuid(), '', 'POST', '', '', '', '', '', now(), 1 FROM generate_series(2, $1)`, MaxQuarantinePieces); err != nil {
		t.Fatal(err)
	}
	outcomes := mustSave(t, s, rejected("new"), known, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	want := []Status{Refused, Quarantine, Stored}
	for i, o := range outcomes {
		if o.Status != want[i] {
			t.Errorf("record %d: status %d, want %d", i, o.Status, want[i])
		}
	}
	if n := count(t, pool, `SELECT count(*) FROM quarantine`); n != MaxQuarantinePieces {
		t.Errorf("%d pieces, want %d", n, MaxQuarantinePieces)
	}
}

// TestQuarantineFills lets two stores fill a quarantine to its bound, which they
// count only now and then.
func TestQuarantineFills(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	const free = 100
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
		SELECT 's', gen_random_uuid(), '', 'POST', '', '', '', '', '', now(), 1 FROM generate_series(1, $1)`, MaxQuarantinePieces-free); err != nil {
		t.Fatal(err)
	}
	stores := []*Store{New(pool, quiet()), New(pool, quiet())}
	for i := range free + 20 {
		want := Quarantine
		if i >= free {
			want = Refused
		}
		if o := mustSave(t, stores[i%2], rejected(fmt.Sprint("piece ", i))); o[0].Status != want {
			t.Fatalf("piece %d of %d: status %d, want %d", i, free, o[0].Status, want)
		}
	}
}

// TestRoomIsRemembered counts a quarantine once for many pieces.
func TestRoomIsRemembered(t *testing.T) {
	t.Parallel()
	s := New(pgtest.Pool(t), quiet())
	mustSave(t, s, rejected("first"))
	if left := s.rooms.left["s"]; left.pieces != (MaxQuarantinePieces-1)/8 || left.bytes != (MaxQuarantineBytes-int64(len("first")))/8 {
		t.Errorf("room for %+v is left uncounted", left)
	}
	mustSave(t, s, rejected("second"), rejected("third"))
	if left := s.rooms.left["s"]; left.pieces != (MaxQuarantinePieces-1)/8-2 {
		t.Errorf("room for %+v is left after two more", left)
	}
}
