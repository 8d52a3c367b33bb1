package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/store"
)

// TestManyAtOnce writes all deliveries of all cases from many goroutines, twice,
// and counts what the answers said against what the tables hold.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, s := newWriter(t, pool)
	all := deliveries(t)
	all = append(all, all...)
	var sum [4]atomic.Int64
	var workers sync.WaitGroup
	for shift := range 16 {
		workers.Go(func() {
			for i := shift; i < len(all); i += 16 {
				r, err := w.Write(t.Context(), all[i])
				if err != nil {
					t.Errorf("%s: %v", all[i].Source, err)
					return
				}
				if r.Received != r.Stored+r.Duplicates+r.Quarantined {
					t.Errorf("the numbers of %+v do not add up", r)
				}
				for j, n := range []int{r.Received, r.Stored, r.Duplicates, r.Quarantined} {
					sum[j].Add(int64(n))
				}
			}
		})
	}
	workers.Wait()
	rows := count(t, pool, `SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM recording) + (SELECT count(*) FROM message)`)
	if stored := int(sum[1].Load()); stored < rows {
		t.Errorf("%d records were said to be new, and there are %d rows", stored, rows)
	}
	deliveries := count(t, pool, `SELECT (SELECT coalesce(sum(deliveries), 0) FROM event) + (SELECT coalesce(sum(deliveries), 0) FROM recording)
		+ (SELECT coalesce(sum(deliveries), 0) FROM message) + (SELECT coalesce(sum(deliveries), 0) FROM quarantine)`)
	if received := int(sum[0].Load()); received != deliveries {
		t.Errorf("%d records were received, %d are counted in the tables", received, deliveries)
	}
	wantVerified(t, s)
}

func TestLongDelivery(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, _ := newWriter(t, pool)
	const n = 2*maxRecords + 3
	var body []byte
	for i := range n {
		body = append(body, `{"event":"cdr","callid":"c`...)
		body = append(body, []byte(itoa(i))...)
		body = append(body, `","calldate":"2026-11-02T09:00:00Z","disposition":"ANSWERED","duration":9,"billsec":5}`+"\n"...)
		if i == 1234 {
			body = append(body, "{broken\n"...)
		}
	}
	r, err := w.Write(t.Context(), cdr.Delivery{Source: "didlogic", Provider: "didlogic", Method: "POST", Body: body, ReceivedAt: at()})
	if err != nil {
		t.Fatal(err)
	}
	if r.Received != n+1 || r.Stored != n || r.Quarantined != 1 || len(r.Errors) != 1 || r.Errors[0].Record != 1235 {
		t.Errorf("%d received, %d stored, %d quarantined, %v", r.Received, r.Stored, r.Quarantined, r.Errors)
	}
	if rows := count(t, pool, `SELECT count(*) FROM call WHERE state = 'ended'`); rows != n {
		t.Errorf("%d calls, want %d", rows, n)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	w, _ := newWriter(t, pgtest.Pool(t))
	w.Close()
	if _, err := w.Write(t.Context(), delivery("c1")); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// TestPanicHarmsOneOnly has one part of a batch panic: its record lacks what
// setting it aside needs.
func TestPanicHarmsOneOnly(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, _ := newWriter(t, pool)
	var parts []*part
	for i := range 3 {
		records := w.read(t, delivery("c"+itoa(i)))
		if i == 1 {
			records[0].Events[0].Kind = "no such kind"
			records[0].Origin = nil
		}
		parts = append(parts, &part{records: records, places: []int{0}, done: make(chan struct{})})
	}
	w.flush(slices.Clone(parts))
	for i, p := range parts {
		<-p.done
		if failed := p.err != nil; failed != (i == 1) {
			t.Errorf("part %d: error %v", i, p.err)
		}
	}
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 2 {
		t.Errorf("%d calls, want the two neighbours", n)
	}
}

// TestDatabaseAway stops the database under a writer and starts it again.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := pgxpool.New(t.Context(), server.URL(postgres.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w, s := newWriter(t, pool)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(t.Context(), delivery("c1")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	pgtest.Restart(t, server)
	if r, err := w.Write(t.Context(), delivery("c1")); err != nil || r.Stored != 1 {
		t.Errorf("after the restart: %+v, %v", r, err)
	}
	wantVerified(t, s)
}

func TestSenderGone(t *testing.T) {
	t.Parallel()
	w, _ := newWriter(t, pgtest.Pool(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Write(ctx, delivery("c1")); err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

func TestQuarantineFullIsSaid(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	w, _ := newWriter(t, pool)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
		SELECT 'didlogic', gen_random_uuid(), '', 'POST', '', '', '', '', '', now(), 1 FROM generate_series(1, $1)`, store.MaxQuarantinePieces); err != nil {
		t.Fatal(err)
	}
	d := delivery("c1")
	d.Body = append(d.Body, "\n{broken"...)
	if _, err := w.Write(t.Context(), d); !errors.Is(err, ErrQuarantineFull) {
		t.Errorf("error %v, want ErrQuarantineFull", err)
	}
	if n := count(t, pool, `SELECT count(*) FROM call`); n != 1 {
		t.Errorf("%d calls: the readable neighbour must be stored", n)
	}
}
