package period_test

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/period"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

// TestCloseByGuest closes by a role that may write to all tables and owns none: Postgres
// then leaves out the statistics.
func TestCloseByGuest(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	put(t, pool, call{source: "s", id: "c", currency: "USD", cost: "0.01", at: day(t, "2024-03-10T00:00")})
	run(t, pool, "GRANT ALL ON ALL TABLES IN SCHEMA public TO pg_monitor")
	config := pool.Config()
	config.ConnConfig.RuntimeParams["role"] = "pg_monitor"
	guest, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	if closed := mustClose(t, guest, period.Cost, "2024-03", "UTC"); closed.Period.Lines != 1 {
		t.Errorf("%+v", closed)
	}
	wantSound(t, guest, period.Cost)
}

// TestCloseFromManyPlaces closes one period from many connections at once: one
// does it, the others see it closed with the same totals.
func TestCloseFromManyPlaces(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	run(t, pool, fmt.Sprintf("ALTER DATABASE %s SET default_transaction_isolation = 'serializable'", one(t, pool, "SELECT current_database()")))
	pool.Reset()
	for i := range 200 {
		put(t, pool, call{source: "s", id: fmt.Sprint("c", i), currency: "USD", cost: "0.01", at: day(t, "2024-03-10T00:00")})
	}
	// Nobody can close before all of them have begun.
	hold, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Exec(t.Context(), "LOCK TABLE period IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	const places = 6
	url := pool.Config().ConnString()
	var did atomic.Int32
	var all sync.WaitGroup
	for range places {
		all.Go(func() {
			own := connect(t, url)
			defer own.Close()
			closed, err := period.Close(t.Context(), own, period.Closing{Side: period.Cost, Name: "2024-03", Zone: "UTC"})
			if err != nil {
				t.Error(err)
				return
			}
			if !closed.Already {
				did.Add(1)
			}
			if len(closed.Totals) != 1 || closed.Totals[0].Calls != 200 || *closed.Totals[0].Amount != "2.00" {
				t.Errorf("%+v", closed)
			}
		})
	}
	for one(t, pool, "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") != fmt.Sprint(places) {
		if t.Context().Err() != nil {
			t.Fatal("they never came")
		}
	}
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if did.Load() != 1 {
		t.Errorf("%d of %d have closed it, want one", did.Load(), places)
	}
	if n := one(t, pool, "SELECT count(*) FROM bill_line"); n != "200" {
		t.Errorf("%s lines", n)
	}
}

// TestCloseWhileCDRsArrive closes day after day while CDRs and their corrections
// come. At the end one more close makes the lines exact.
func TestCloseWhileCDRsArrive(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	const writers, perWriter = 3, 150
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			own := connect(t, pool.Config().ConnString())
			defer own.Close()
			s := store.New(own, slog.New(slog.DiscardHandler))
			for i := range perWriter {
				at := time.Date(2024, 3, 1+i%10, 0, 0, i, 0, time.UTC)
				id := fmt.Sprintf("c-%d-%d", w, i%60)
				if _, err := s.Save(t.Context(), []cdr.Record{record(w*perWriter+i, id, at)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	days := 0
	for running := true; running && days < 300; days++ {
		select {
		case <-done:
			running = false
		default:
		}
		mustClose(t, pool, period.Cost, time.Date(2024, 3, 1+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), "UTC")
	}
	<-done
	mustClose(t, pool, period.Cost, "2025-06", "UTC")
	if days < 2 {
		t.Errorf("only %d closes beside the writers prove nothing", days)
	}
	if pending := wantSound(t, pool, period.Cost); pending > 0 {
		t.Errorf("%d lines pending", pending)
	}
	lines, calls := one(t, pool, "SELECT sum(delta) FROM bill_line"), one(t, pool, "SELECT sum(cost) FROM cdr")
	if lines != calls || calls == "null" {
		t.Errorf("lines say %s, calls %s", lines, calls)
	}
	if n := one(t, pool, "SELECT count(*) FROM (SELECT FROM bill_line WHERE before IS NULL AND stands GROUP BY call_id HAVING count(*) > 1) x"); n != "0" {
		t.Errorf("%s calls are billed twice", n)
	}
}

// record is a CDR of a call, or a newer one of the same.
func record(n int, id string, at time.Time) cdr.Record {
	facts := &cdr.Facts{
		Provider: "wavix", State: cdr.StateEnded, Ends: cdr.EndsCall, StartedAt: at, EndedAt: at.Add(time.Minute), Currency: "USD",
		Cost: decimal.NewNullDecimal(decimal.New(int64(n+1), -3)),
	}
	received := time.Date(2024, 12, 1, 0, 0, 0, n*1000, time.UTC)
	r := cdr.Record{
		Events: []cdr.Event{{
			Source: "s", CallID: id, ID: [16]byte{byte(n >> 8), byte(n)}, Kind: cdr.KindCDR, ProviderKind: "cdr", RecordKey: "k",
			OccurredAt: at, Clock: cdr.ClockProvider, Facts: facts, Payload: []byte(`{}`),
		}},
		Raw: []byte(`{}`), Origin: &cdr.Delivery{Source: "s", Method: "POST", ReceivedAt: received},
	}
	r.SetReceipt(received)
	return r
}
