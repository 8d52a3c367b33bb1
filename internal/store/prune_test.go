package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func silent(int) {}

// saveCases saves every delivery of every case, each case as a source of its own,
// and returns how many events were new.
func saveCases(t testing.TB, s *store.Store, later time.Duration) (stored int) {
	t.Helper()
	for n, c := range testcase.Load(t) {
		for i := range c.Deliveries {
			rs := records(t, c, i, fmt.Sprintf("%s-%03d", c.Provider, n))
			for j := range rs {
				rs[j].SetReceipt(testcase.Start().Add(later + time.Duration(i)*time.Minute))
			}
			outcomes, err := s.Save(t.Context(), rs)
			if err != nil {
				t.Fatal(err)
			}
			for j, o := range outcomes {
				if o.Status == store.Stored && len(rs[j].Events) > 0 {
					stored++
				}
			}
		}
	}
	return stored
}

func number(t testing.TB, pool *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func cases(t testing.TB) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	saveCases(t, s, 0)
	return s, pool
}

func mustPrune(t testing.TB, s *store.Store, what store.Pruning) store.Pruned {
	t.Helper()
	p, err := s.Prune(context.WithoutCancel(t.Context()), what, silent)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPruneKeepsCallsAndKeys empties everything and expects each call as it was,
// and each retry to be a duplicate that changes nothing.
func TestPruneKeepsCallsAndKeys(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	calls, events := callTexts(t, pool), number(t, pool, `SELECT count(*) FROM event`)
	unread := number(t, pool, `SELECT count(*) FROM quarantine`)
	all := store.Pruning{Before: testcase.Start().AddDate(1, 0, 0)}
	dry := all
	dry.DryRun = true
	would, did := mustPrune(t, s, dry), mustPrune(t, s, all)
	if would != did {
		t.Errorf("dry run: %+v\nbut then: %+v", would, did)
	}
	if did.Calls != len(calls) || did.Events != events || did.UnreadKept != unread || did.Recordings == 0 || did.Messages == 0 || did.Bytes == 0 {
		t.Errorf("%+v, want %d calls, %d events, %d unread", did, len(calls), events, unread)
	}
	for what, sql := range map[string]string{
		"events":     `SELECT count(*) FROM event WHERE facts IS NOT NULL OR payload IS NOT NULL`,
		"recordings": `SELECT count(*) FROM recording WHERE payload IS NOT NULL`,
		"messages":   `SELECT count(*) FROM message WHERE payload IS NOT NULL OR body IS NOT NULL`,
		"calls":      `SELECT count(*) FROM call WHERE pruned_at IS NULL OR version < 2`,
	} {
		if n := number(t, pool, sql); n > 0 {
			t.Errorf("%d %s are not pruned", n, what)
		}
	}
	if n := saveCases(t, s, 24*time.Hour); n > 0 {
		t.Errorf("%d retries were new", n)
	}
	if n := number(t, pool, `SELECT count(*) FROM event`); n != events {
		t.Errorf("%d events, want %d", n, events)
	}
	wantSameCallRows(t, pool, calls)
	wantConsistent(t, s)
	if p := mustPrune(t, s, store.Pruning{Before: all.Before}); p.Calls+p.Events > 0 {
		t.Errorf("pruned twice: %+v", p)
	}
}

// wantSameCallRows compares all columns but those of the store.
func wantSameCallRows(t testing.TB, pool *pgxpool.Pool, before map[string]string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS was_pruned AS SELECT source, call_id FROM call WHERE pruned_at IS NOT NULL;
		UPDATE call SET pruned_at = NULL`); err != nil {
		t.Fatal(err)
	}
	after := callTexts(t, pool)
	if len(after) != len(before) {
		t.Errorf("%d calls, want %d", len(after), len(before))
	}
	for key, text := range before {
		if after[key] != text {
			t.Errorf("call changed\n got: %s\nwant: %s", after[key], text)
		}
	}
	if _, err := pool.Exec(t.Context(), `UPDATE call SET pruned_at = now() FROM was_pruned w WHERE w.source = call.source AND w.call_id = call.call_id`); err != nil {
		t.Fatal(err)
	}
}

// TestForgottenKeyIsStoredAgainButNotFolded deletes the keys, has everything sent
// again, and expects it to be stored, reported as late and in no call.
func TestForgottenKeyIsStoredAgainButNotFolded(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	calls, events := callTexts(t, pool), number(t, pool, `SELECT count(*) FROM event`)
	loose := number(t, pool, `SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT FROM call c WHERE c.source = e.source AND c.call_id = e.call_id)`)
	before := testcase.Start().AddDate(1, 0, 0)
	mustPrune(t, s, store.Pruning{Before: before})
	p := mustPrune(t, s, store.Pruning{Before: before, Forget: before})
	if p.Forgotten != events || p.Late != 0 {
		t.Errorf("%+v, want %d keys forgotten", p, events)
	}
	if n := saveCases(t, s, 24*time.Hour); n == 0 {
		t.Error("no record was new, though no key is known")
	}
	late := mustPrune(t, s, store.Pruning{Before: testcase.Start()})
	if late.Late != events-loose || late.Events != 0 {
		t.Errorf("%+v, want %d late", late, events-loose)
	}
	wantConsistent(t, s)
	wantSameCallRows(t, pool, calls)
	if p := mustPrune(t, s, store.Pruning{Before: before}); p.Events != events || p.Calls != 0 {
		t.Errorf("%+v: what came late is emptied by its own age, %d events", p, events)
	}
}

// TestPruneByAgeAndSource leaves alone what is younger, what has no news but is
// another source's, and a call whose provider's clock is ahead.
func TestPruneByAgeAndSource(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	before := testcase.Start().Add(90 * time.Second)
	due := `SELECT count(*) FROM call WHERE source = 'wavix-%03d' AND last_received_at < '2026-11-02 09:01:30Z'`
	var source string
	if err := pool.QueryRow(t.Context(), `SELECT min(source) FROM call WHERE provider = 'wavix' AND last_received_at < $1`, before).Scan(&source); err != nil {
		t.Fatal(err, due)
	}
	p := mustPrune(t, s, store.Pruning{Before: before, Source: source})
	if p.Calls == 0 || p.Messages+p.Recordings > 0 || p.Calls != number(t, pool, `SELECT count(*) FROM call WHERE pruned_at IS NOT NULL`) {
		t.Errorf("%s: %+v", source, p)
	}
	if n := number(t, pool, `SELECT count(DISTINCT source) FROM call WHERE pruned_at IS NOT NULL`); n != 1 {
		t.Errorf("%d sources pruned", n)
	}
	mustPrune(t, s, store.Pruning{Before: before})
	wrong := `SELECT count(*) FROM call WHERE (pruned_at IS NOT NULL) <> (last_received_at < '2026-11-02 09:01:30Z') AND NOT (call_time >= '2026-11-02 09:01:30Z' AND pruned_at IS NULL)`
	if n := number(t, pool, wrong); n > 0 {
		t.Errorf("%d calls are pruned that should not be, or the other way", n)
	}
	if n := number(t, pool, `SELECT count(*) FROM call WHERE pruned_at IS NULL`); n == 0 {
		t.Error("all calls are pruned")
	}
	wantConsistent(t, s)
}

// TestPruneWrongClock prunes a call that its provider dates far ahead.
func TestPruneWrongClock(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	if _, err := pool.Exec(t.Context(), `UPDATE call SET call_time = '2150-01-01' WHERE ctid = (SELECT min(ctid) FROM call)`); err != nil {
		t.Fatal(err)
	}
	mustPrune(t, s, store.Pruning{Before: testcase.Start().AddDate(0, 0, 7)})
	if n := number(t, pool, `SELECT count(*) FROM call WHERE pruned_at IS NULL AND call_time > '2100-01-01'`); n > 0 {
		t.Error("a call of the year 2150 is kept for ever")
	}
}

func TestPruneQuarantine(t *testing.T) {
	t.Parallel()
	s, pool := cases(t)
	all := number(t, pool, `SELECT count(*) FROM quarantine`)
	if _, err := pool.Exec(t.Context(), `UPDATE quarantine SET replayed_at = now() WHERE ctid = (SELECT min(ctid) FROM quarantine)`); err != nil {
		t.Fatal(err)
	}
	before := testcase.Start().AddDate(1, 0, 0)
	if p := mustPrune(t, s, store.Pruning{Before: before}); p.Quarantine != 1 || p.UnreadKept != all-1 {
		t.Errorf("%+v, want the replayed piece alone to go", p)
	}
	if p := mustPrune(t, s, store.Pruning{Before: before, UnreadToo: true}); p.Quarantine != all-1 || number(t, pool, `SELECT count(*) FROM quarantine`) != 0 {
		t.Errorf("%+v, want all to go", p)
	}
}

// TestPruneBesideReceiversAndItself has two prunes, an erasure and two writers
// work on the same calls at once.
func TestPruneBesideReceiversAndItself(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	const calls = 3000
	before := testcase.Start().Add(time.Minute)
	saveAll := func(stage int, at time.Time) {
		for from := 0; from < calls; from += 250 {
			var batch []cdr.Record
			for i := from; i < from+250; i++ {
				batch = append(batch, stageOf(i, stage, at))
			}
			if _, err := s.Save(context.WithoutCancel(t.Context()), batch); err != nil {
				t.Error(err)
			}
		}
	}
	saveAll(1, testcase.Start())
	var all sync.WaitGroup
	all.Go(func() { saveAll(2, before.Add(time.Minute)) })
	all.Go(func() { saveAll(1, before.Add(time.Minute)) }) // repeats
	for range 2 {
		all.Go(func() {
			if _, err := s.Prune(t.Context(), store.Pruning{Before: before}, silent); err != nil {
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		if _, err := s.Erase(t.Context(), "+442079460123", false, silent); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	if n := number(t, pool, `SELECT count(*) FROM event`); n != 2*calls {
		t.Errorf("%d events, want %d", n, 2*calls)
	}
	if n := number(t, pool, `SELECT count(*) FROM call WHERE pruned_at IS NULL AND state <> 'ended'`); n > 0 {
		t.Errorf("%d calls lost their end", n)
	}
	if n := number(t, pool, `SELECT count(*) FROM call JOIN event USING (source, call_id) WHERE pruned_at IS NULL AND facts IS NULL`); n > 0 {
		t.Errorf("%d events of living calls are empty", n)
	}
	wantConsistent(t, s)
}

func stageOf(i, stage int, at time.Time) cdr.Record {
	facts := &cdr.Facts{Provider: "wavix", Src: "442079460123", SrcE164: "+442079460123", State: cdr.StateStarted, StartedAt: testcase.Start()}
	kind := cdr.KindStarted
	if stage == 2 {
		facts = &cdr.Facts{Provider: "wavix", Dst: "200", State: cdr.StateEnded, EndedAt: testcase.Start().Add(time.Second), Ends: cdr.EndsCall}
		kind = cdr.KindEnded
	}
	r := cdr.Record{Events: []cdr.Event{{
		Source: "s", CallID: fmt.Sprintf("call-%05d", i), ID: [16]byte{byte(stage)}, Kind: kind, ProviderKind: string(kind),
		OccurredAt: testcase.Start(), Clock: cdr.ClockProvider, Facts: facts, Payload: []byte(`{}`),
	}}}
	r.SetReceipt(at)
	return r
}

// TestPruneLooseEvents has events whose call is gone, which rebuild could make
// again, and events of a pruned call that came late, young and old. A dry run
// must count what a run does.
func TestPruneLooseEvents(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := store.New(pool, slog.New(slog.DiscardHandler))
	at := testcase.Start()
	save := func(r cdr.Record) {
		t.Helper()
		if _, err := s.Save(t.Context(), []cdr.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	save(stageOf(1, 1, at))
	save(stageOf(2, 1, at))
	if _, err := pool.Exec(t.Context(), `DELETE FROM call WHERE call_id = $1`, stageOf(2, 1, at).Events[0].CallID); err != nil {
		t.Fatal(err)
	}
	first := store.Pruning{Before: at.Add(time.Hour)}
	if p := mustPrune(t, s, first); p.Calls != 1 || p.Events != 1 || p.Late != 0 {
		t.Errorf("%+v: one call and its event, and nothing of the call that rebuild can make again", p)
	}
	ahead := time.Now().AddDate(1, 0, 0) // after the call was pruned
	save(stageOf(1, 2, ahead))
	for _, c := range []struct {
		before, forget     time.Time
		emptied, forgotten int
	}{
		{ahead, at, 0, 0}, {ahead.Add(time.Hour), ahead, 1, 1}, {ahead.Add(time.Hour), ahead.Add(time.Hour), 0, 1},
	} {
		what := store.Pruning{Before: c.before, Forget: c.forget, DryRun: true}
		would := mustPrune(t, s, what)
		what.DryRun = false
		did := mustPrune(t, s, what)
		if did.Events != c.emptied || did.Forgotten != c.forgotten || did.Late != 1 || would != did {
			t.Errorf("before %s, forget %s: would %+v, did %+v; want %d emptied, %d forgotten, 1 late", c.before, c.forget, would, did, c.emptied, c.forgotten)
		}
	}
	if n := number(t, pool, `SELECT count(*) FROM event WHERE facts IS NOT NULL`); n != 1 {
		t.Errorf("%d events have facts, want that of the call that rebuild can make again", n)
	}
}
