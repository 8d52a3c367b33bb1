package store

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// live returns a record with one live event of call c1.
func live(id byte, state cdr.State, kind cdr.Kind, minute int) cdr.Record {
	at := time.Date(2026, 11, 2, 9, minute, 0, 0, time.UTC)
	facts := &cdr.Facts{Provider: "wavix", Src: "100", Dst: "200", State: state}
	switch state {
	case cdr.StateStarted:
		facts.StartedAt = at
	case cdr.StateAnswered:
		facts.AnsweredAt = at
	case cdr.StateEnded:
		facts.EndedAt, facts.Ends = at, cdr.EndsCall
	}
	r := cdr.Record{
		Events: []cdr.Event{{
			Source: "s", CallID: "c1", ID: [16]byte{id}, Kind: kind, ProviderKind: string(kind),
			OccurredAt: at, Clock: cdr.ClockProvider, Facts: facts, Payload: []byte(`{}`),
		}},
		Raw: []byte(`{}`), Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: at},
	}
	r.SetReceipt(at)
	return r
}

// cdrOf returns a record with an edition of one CDR.
func cdrOf(id byte, cost string, minute int) cdr.Record {
	r := live(id, cdr.StateEnded, cdr.KindCDR, minute)
	r.Events[0].RecordKey = "k"
	r.Events[0].Facts.Cost = amount(cost)
	return r
}

func mustSave(t *testing.T, s *Store, records ...cdr.Record) []Outcome {
	t.Helper()
	outcomes, err := s.Save(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func wantCall(t *testing.T, s *Store, id string) cdr.Call {
	t.Helper()
	calls, err := s.Calls(t.Context(), "s", []string{id})
	if err != nil {
		t.Fatal(err)
	}
	c, ok := calls[id]
	if !ok {
		t.Fatalf("no call %s", id)
	}
	return c
}

func wantVerified(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Verify(t.Context(), func(d Difference) { t.Errorf("differs: %+v", d) }, func(int) {}); err != nil {
		t.Error(err)
	}
}

// TestWriterHeldBetweenReadAndWrite stops a writer when it has folded, lets
// another finish on the same call, new or known, and expects nothing to be lost.
func TestWriterHeldBetweenReadAndWrite(t *testing.T) {
	t.Parallel()
	for known := range 2 {
		pool := pgtest.Pool(t)
		slow, fast := New(pool, quiet()), New(pool, quiet())
		for i := range known {
			mustSave(t, fast, live(byte(10+i), cdr.StateRinging, cdr.KindRinging, 2))
		}
		var once sync.Once
		held := 0
		slow.betweenReadAndWrite = func() {
			held++
			once.Do(func() { mustSave(t, fast, live(2, cdr.StateEnded, cdr.KindEnded, 5)) })
		}
		mustSave(t, slow, live(1, cdr.StateStarted, cdr.KindStarted, 1))
		if held != 2 {
			t.Errorf("%d known: the held writer wrote %d times, want 2: once in vain", known, held)
		}
		c := wantCall(t, fast, "c1")
		if c.Events != 2+known || c.State != cdr.StateEnded || c.StartedAt.IsZero() || c.EndedAt.IsZero() {
			t.Errorf("%d known: an event is lost: %+v", known, c)
		}
		if v := count(t, pool, `SELECT version FROM call`); v != 2+known {
			t.Errorf("%d known: version %d, want %d", known, v, 2+known)
		}
		wantVerified(t, fast)
	}
}

// TestHeldWriterOfSameEvent has both writers bring the same new event.
func TestHeldWriterOfSameEvent(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	slow, fast := New(pool, quiet()), New(pool, quiet())
	var once sync.Once
	slow.betweenReadAndWrite = func() {
		once.Do(func() { mustSave(t, fast, live(1, cdr.StateStarted, cdr.KindStarted, 1)) })
	}
	outcomes := mustSave(t, slow, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	if outcomes[0].Status != Duplicate {
		t.Errorf("status %d, want a duplicate", outcomes[0].Status)
	}
	if n := count(t, pool, `SELECT sum(deliveries) FROM event`); n != 2 {
		t.Errorf("%d deliveries counted, want 2", n)
	}
}

// TestLateSpooledEdition saves the newer edition of a CDR, then the older one,
// then the newer again with an earlier first receipt, as a spool would bring it.
func TestLateSpooledEdition(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, quiet())
	mustSave(t, s, cdrOf(1, "2", 10))
	mustSave(t, s, cdrOf(2, "1", 12))
	if c := wantCall(t, s, "c1"); c.Cost.Decimal.String() != "1" {
		t.Errorf("cost %s, want that of the edition received last", c.Cost.Decimal)
	}
	mustSave(t, s, cdrOf(2, "1", 8))
	if c := wantCall(t, s, "c1"); c.Cost.Decimal.String() != "2" {
		t.Errorf("cost %s: the first receipt of edition 2 was before that of edition 1", c.Cost.Decimal)
	}
	mustSave(t, s, cdrOf(2, "1", 30)) // a late repeat decides nothing
	if c := wantCall(t, s, "c1"); c.Cost.Decimal.String() != "2" {
		t.Errorf("cost %s: a repeat must not make an old edition the last", c.Cost.Decimal)
	}
	wantVerified(t, s)
}

// TestRepeatsWriteNoCall expects that a repeat leaves the row of the call alone.
func TestRepeatsWriteNoCall(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, quiet())
	r := live(1, cdr.StateStarted, cdr.KindStarted, 1)
	for i := range 4 {
		want := Duplicate
		if i == 0 {
			want = Stored
		}
		if o := mustSave(t, s, r); o[0].Status != want {
			t.Errorf("time %d: status %d, want %d", i, o[0].Status, want)
		}
	}
	if v := count(t, pool, `SELECT version FROM call`); v != 1 {
		t.Errorf("version %d after repeats, want 1", v)
	}
	if n := count(t, pool, `SELECT deliveries FROM event`); n != 4 {
		t.Errorf("%d deliveries, want 4", n)
	}
}

// TestRefusedRecordAlone has Postgres refuse one record among good ones.
func TestRefusedRecordAlone(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, quiet())
	var batch []cdr.Record
	for i := range byte(9) {
		batch = append(batch, live(i+1, cdr.StateStarted, cdr.KindStarted, int(i)))
	}
	batch[4].Events[0].Kind = "no such kind"
	batch[4].Raw = []byte(`{"bad":1}`)
	outcomes := mustSave(t, s, batch...)
	for i, o := range outcomes {
		want := Stored
		if i == 4 {
			want = Quarantine
		}
		if o.Status != want {
			t.Errorf("record %d: status %d, want %d (%s)", i, o.Status, want, o.Reason)
		}
	}
	if n := count(t, pool, `SELECT count(*) FROM quarantine WHERE body = '{"bad":1}' AND reason LIKE '%event_kind_check%'`); n != 1 {
		t.Errorf("%d pieces in quarantine with the constraint's name, want 1", n)
	}
	if n := count(t, pool, `SELECT events FROM call`); n != 8 {
		t.Errorf("%d events folded, want the 8 neighbours", n)
	}
}

func rejected(body string) cdr.Record {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	r := cdr.Record{Raw: []byte(body), Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: at}}
	r.SetAside("unreadable")
	return r
}

// TestPrunedCallIsNotFolded stores what comes late for a pruned call and leaves
// the call as it is.
func TestPrunedCallIsNotFolded(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var said strings.Builder
	s := New(pool, slog.New(slog.NewTextHandler(&said, nil)))
	mustSave(t, s, live(1, cdr.StateStarted, cdr.KindStarted, 1))
	if _, err := pool.Exec(t.Context(), `UPDATE call SET pruned_at = now(), version = version + 1`); err != nil {
		t.Fatal(err)
	}
	o := mustSave(t, s, live(2, cdr.StateEnded, cdr.KindEnded, 2))
	if o[0].Status != Stored || count(t, pool, `SELECT count(*) FROM event`) != 2 {
		t.Errorf("what came late is not stored: %+v", o)
	}
	if c := wantCall(t, s, "c1"); c.State != cdr.StateStarted {
		t.Errorf("a pruned call was folded: state %s", c.State)
	}
	if !strings.Contains(said.String(), "events=1") {
		t.Errorf("what came late is not reported: %q", said.String())
	}
	wantVerified(t, s)
}

func count(t *testing.T, pool *pgxpool.Pool, sql string) int {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTogetherMergesRepeats(t *testing.T) {
	t.Parallel()
	e := live(1, cdr.StateStarted, cdr.KindStarted, 1).Events[0]
	other := live(2, cdr.StateEnded, cdr.KindEnded, 2).Events[0]
	got := together([]*cdr.Event{&other, &e, &other, &e, &e}, compareEvents, mergeEvents)
	counts := []int{got[0].Deliveries, got[1].Deliveries}
	if len(got) != 2 || !slices.Equal(counts, []int{3, 2}) {
		t.Errorf("%d events with deliveries %v, want 2 with 3 and 2", len(got), counts)
	}
	if e.Deliveries != 1 || other.Deliveries != 1 {
		t.Error("the records themselves are changed")
	}
}
