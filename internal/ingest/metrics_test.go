package ingest

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/internal/postgres"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/spool"
	"github.com/cdrstore/cdrstore/internal/store"
)

// figures are all values of a writer's metrics, by name and label values; of a
// histogram _count and _sum.
func figures(t *testing.T, w *Writer) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(w)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := []string{f.GetName()}
			for _, l := range m.GetLabel() {
				name = append(name, l.GetValue())
			}
			key := strings.Join(name, " ")
			if h := m.GetHistogram(); h != nil {
				all[key+"_count"], all[key+"_sum"] = float64(h.GetSampleCount()), h.GetSampleSum()
				continue
			}
			all[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

func wantFigures(t *testing.T, w *Writer, want map[string]float64) {
	t.Helper()
	got := figures(t, w)
	for name, value := range want {
		if v, ok := got[name]; !ok || v != value {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, value)
		}
	}
}

func TestMetricsOfBatches(t *testing.T) {
	t.Parallel()
	w, _ := newWriter(t, pgtest.Pool(t))
	wantFigures(t, w, map[string]float64{
		"cdrstore_batch_records_count": 0, "cdrstore_commit_failures_total unavailable": 0, "cdrstore_commit_failures_total contended": 0,
		"cdrstore_commit_failures_total refused": 0, "cdrstore_decode_errors_total didww": 0, "cdrstore_database_away": 0,
	})
	d := delivery("c1")
	d.Body = append(d.Body, "\n{broken\n"...)
	if r, err := w.Write(t.Context(), d); err != nil || r.Stored != 1 || r.Quarantined != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	got := figures(t, w)
	if n := got["cdrstore_commit_duration_seconds_count"]; n < 1 || n > 2 || got["cdrstore_commit_duration_seconds_sum"] <= 0 {
		t.Errorf("%v commits, %v s", n, got["cdrstore_commit_duration_seconds_sum"])
	}
	if got["cdrstore_batch_records_sum"] != 2 || got["cdrstore_batch_deliveries_sum"] != got["cdrstore_batch_deliveries_count"] {
		t.Errorf("%v", got)
	}
	wantFigures(t, w, map[string]float64{"cdrstore_decode_errors_total didlogic": 1, "cdrstore_decode_errors_total wavix": 0})
}

// A batch of several deliveries counts as one commit of as many deliveries.
func TestMetricsOfOneBatch(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{}, spool.Options{})
	var parts []*part
	for _, id := range []string{"c1", "c2", "c3"} {
		parts = append(parts, &part{records: s.read(t, delivery(id)), places: []int{0}, done: make(chan struct{})})
	}
	s.flush(parts)
	wantFigures(t, s.Writer, map[string]float64{
		"cdrstore_batch_deliveries_count": 1, "cdrstore_batch_deliveries_sum": 3,
		"cdrstore_batch_records_count": 1, "cdrstore_batch_records_sum": 3, "cdrstore_commit_duration_seconds_count": 1,
	})
}

func TestMetricsOfProblems(t *testing.T) {
	t.Parallel()
	w, _ := newWriter(t, pgtest.Pool(t))
	d := delivery("c1")
	d.Body = append(d.Body[:len(d.Body)-1], `,"user_id":{"a":1}}`...)
	d.Body = []byte(strings.Replace(string(d.Body), `"billsec":`, `"billsec":"x","x":`, 1))
	if r, err := w.Write(t.Context(), d); err != nil || r.Stored != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := figures(t, w)["cdrstore_field_problems_total didlogic"]; n < 1 {
		t.Errorf("%v problems", n)
	}
}

// While the database is away commits fail, and afterwards the spool is drained.
func TestMetricsOfAnOutage(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := pgxpool.New(t.Context(), server.URL(postgres.Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := newSpooling(t, pool, Options{}, spool.Options{})
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantSpooled(t, delivery("c1"))
	s.wantSpooled(t, delivery("c2"))
	wantFigures(t, s.Writer, map[string]float64{
		"cdrstore_commit_failures_total unavailable": 1, "cdrstore_database_away": 1, "cdrstore_spool_drained_total": 0,
		"cdrstore_batch_records_count": 0,
	})
	pgtest.Restart(t, server)
	s.drained(t)
	s.eventually(t, func() bool { return figures(t, s.Writer)["cdrstore_spool_drained_total"] == 2 })
	wantFigures(t, s.Writer, map[string]float64{"cdrstore_database_away": 0})
}

// What the database refuses as our fault counts, and so does a panic.
func TestMetricsOfOurFault(t *testing.T) {
	t.Parallel()
	s := newSpooling(t, pgtest.Pool(t), Options{}, spool.Options{})
	poison(t, s, "bad")
	s.flush([]*part{{records: s.read(t, another("bad")), places: []int{0}, done: make(chan struct{})}})
	wantFigures(t, s.Writer, map[string]float64{"cdrstore_commit_failures_total refused": 1, "cdrstore_commit_failures_total unavailable": 0})
	w := NewWriter(store.New(nil, quiet()), quiet(), Options{})
	t.Cleanup(w.Close)
	w.flush([]*part{{records: w.read(t, delivery("c1")), places: []int{0}, done: make(chan struct{})}})
	wantFigures(t, w, map[string]float64{"cdrstore_commit_failures_total refused": 1, "cdrstore_batch_records_count": 0})
}
