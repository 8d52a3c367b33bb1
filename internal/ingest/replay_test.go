package ingest

import (
	"strconv"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/store/storetest"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func itoa(i int) string { return strconv.Itoa(i) }

func at() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) }

func delivery(callID string) cdr.Delivery {
	return cdr.Delivery{
		Source: "didlogic", Provider: "didlogic", Method: "POST", ContentType: "application/json", ReceivedAt: at(),
		Body: []byte(`{"event":"cdr","callid":"` + callID + `","calldate":"2026-11-02T08:59:00Z","disposition":"ANSWERED","duration":9,"billsec":5}`),
	}
}

func (w *Writer) read(t *testing.T, d cdr.Delivery) []cdr.Record {
	t.Helper()
	adapter, ok := provider.ByName(d.Provider)
	if !ok {
		t.Fatalf("no provider %s", d.Provider)
	}
	return adapter.Read(d)
}

// TestReplay puts bodies into quarantine that no adapter of their time could
// read, and reads them with the one of today.
func TestReplay(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, s := newWriter(t, pool)
	good, garbage := w.read(t, delivery("c1")), w.read(t, cdr.Delivery{
		Source: "didlogic", Provider: "didlogic", Method: "POST", Body: []byte("{broken"), ReceivedAt: at(),
	})
	good[0].SetAside("an old adapter could not read it")
	if _, err := s.Save(t.Context(), append(good, garbage...)); err != nil {
		t.Fatal(err)
	}
	want := []Replayed{
		{Pieces: 2, Read: 1, Records: 1, Unreadable: 1},
		{Pieces: 1, Unreadable: 1},
		{Pieces: 2, Read: 1, Duplicates: 1, Unreadable: 1},
	}
	for i, again := range []bool{false, false, true} {
		got, err := Replay(t.Context(), s, store.Choice{ReadToo: again}, func(int) {})
		if err != nil || got != want[i] {
			t.Errorf("replay %d: %+v, %v; want %+v", i, got, err, want[i])
		}
	}
	if n := count(t, pool, `SELECT count(*) FROM call WHERE call_id = 'c1' AND first_received_at = '2026-11-02 09:00:00Z'`); n != 1 {
		t.Errorf("%d calls with the time of the first receipt, want 1", n)
	}
	if n := count(t, pool, `SELECT count(*) FROM quarantine WHERE replayed_at IS NULL AND reason LIKE 'body: %'`); n != 1 {
		t.Errorf("%d pieces still unread with their reason, want 1", n)
	}
	if n := count(t, pool, `SELECT sum(deliveries) FROM quarantine`); n != 2 {
		t.Errorf("%d deliveries of the quarantine, want 2: a replay is none", n)
	}
}

// TestReplayCountsNoDeliveries replays a piece of which only a part can be read,
// again and again.
func TestReplayCountsNoDeliveries(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	_, s := newWriter(t, pool)
	d := delivery("c1")
	r := cdr.Record{Raw: append(d.Body, "\n{broken"...), Origin: &d}
	r.SetAside("an old adapter could not read it")
	for range 4 {
		if err := s.SaveAll(t.Context(), []cdr.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := Replay(t.Context(), s, store.Choice{ReadToo: true}, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, pool, `SELECT deliveries FROM event`); n != 4 {
		t.Errorf("%d deliveries of the event, want the 4 of its piece", n)
	}
}

// TestRedecode spoils what was decoded of every event, its call included, as a
// faulty adapter would have, and expects rebuild --redecode to repair all.
func TestRedecode(t *testing.T) {
	t.Parallel()
	for _, c := range testcase.Load(t) {
		if !c.Settings.IsZero() && c.Settings.Country == "" && c.Settings.Currency == "" {
			continue // answer_events is kept in the facts, which are spoilt here
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Pool(t)
			w, s := newWriter(t, pool)
			for i := range c.Deliveries {
				if _, err := w.Write(t.Context(), c.Delivery(i)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := pool.Exec(t.Context(), `
				UPDATE event SET facts = jsonb_build_object('provider', 'wrong', 'state', 'started', 'settings', facts -> 'settings'),
				                 problems = CASE WHEN problems::text LIKE '%taken out%' THEN problems ELSE '{"wrong"}' END, leg = 'wrong', clock = 'receiver', call_id = 'wrong'
				WHERE facts IS NOT NULL`); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Rebuild(t.Context(), nil, func(int) {}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Rebuild(t.Context(), Redecode, func(int) {}); err != nil {
				t.Fatal(err)
			}
			c.Compare(t, "rows", storetest.Rows(t, pool, c.Provider, c.Provider), false)
			wantVerified(t, s)
			done, err := s.Rebuild(t.Context(), Redecode, func(int) {})
			if err != nil || done.Changed+done.Events+done.Unreadable != 0 {
				t.Errorf("a second time: %+v, %v; want nothing to do", done, err)
			}
		})
	}
}

// TestReplayChoice replays only what is chosen: a source, a reason, one piece.
func TestReplayChoice(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, s := newWriter(t, pool)
	var records []cdr.Record
	for i, reason := range []string{"first", "first", "second"} {
		r := w.read(t, delivery("c"+itoa(i)))
		r[0].SetAside(reason)
		records = append(records, r...)
	}
	if err := s.SaveAll(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	var id string
	if err := pool.QueryRow(t.Context(), "SELECT quarantine_id::text FROM quarantine WHERE reason = 'first' LIMIT 1").Scan(&id); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		which store.Choice
		want  Replayed
	}{
		{store.Choice{Source: "wavix"}, Replayed{}},
		{store.Choice{Source: "didlogic", Reason: "third"}, Replayed{}},
		{store.Choice{Source: "wavix", ID: id}, Replayed{}},
		{store.Choice{Source: "didlogic", ID: id}, Replayed{Pieces: 1, Read: 1, Records: 1}},
		{store.Choice{ID: id}, Replayed{}},
		{store.Choice{Source: "didlogic", Reason: "first"}, Replayed{Pieces: 1, Read: 1, Records: 1}},
		{store.Choice{Reason: "first", ReadToo: true}, Replayed{Pieces: 2, Read: 2, Duplicates: 2}},
		{store.Choice{}, Replayed{Pieces: 1, Read: 1, Records: 1}},
	} {
		if got, err := Replay(t.Context(), s, c.which, func(int) {}); err != nil || got != c.want {
			t.Errorf("%+v: %+v, %v; want %+v", c.which, got, err, c.want)
		}
	}
}
