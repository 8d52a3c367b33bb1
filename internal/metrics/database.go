package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cdrstore/cdrstore/db"
)

// Limits of reading the database for a scrape.
const (
	readAtMost = time.Second      // how long a reading may take
	freshFor   = 15 * time.Second // how long one is told again
)

// Database tells what only the database knows. Many may scrape: it is read once
// in freshFor. Where it does not answer in time the scrape has everything else, and
// cdrstore_database_metrics_ok is 0.
type Database struct {
	q       *db.Queries
	log     *slog.Logger
	sources []string
	now     func() time.Time

	ok, unread, calls, ended, answered *prometheus.Desc

	mu   sync.Mutex
	at   time.Time // of the last reading
	last []prometheus.Metric
	fine bool
}

// NewDatabase returns a collector that reads by pool, of which it needs one
// connection for a moment. The sources are the configured ones: they have figures
// from the start.
func NewDatabase(pool *pgxpool.Pool, sources []string, log *slog.Logger) *Database {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Database{
		q: db.New(pool), log: log, sources: sources, now: time.Now, fine: true,
		ok: desc("cdrstore_database_metrics_ok",
			"1 if the database told the figures that only it knows, within a second; else 0, and some of them are absent."),
		unread: desc("cdrstore_quarantine_unread",
			"Pieces in quarantine that are still unread.", "source"),
		calls: desc("cdrstore_calls_in_progress",
			"Calls of the last 24 hours that have not ended.", "source"),
		ended: desc("cdrstore_calls_ended_last_hour",
			"Calls that began in the last hour and have ended.", "source"),
		answered: desc("cdrstore_calls_answered_last_hour",
			"Those of them that were answered.", "source"),
	}
}

// Describe is of prometheus.Collector.
func (d *Database) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{d.ok, d.unread, d.calls, d.ended, d.answered} {
		to <- desc
	}
}

// Collect is of prometheus.Collector. Who comes while another reads waits for him.
func (d *Database) Collect(to chan<- prometheus.Metric) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil || d.now().Sub(d.at) >= freshFor {
		d.read()
		d.at = d.now()
	}
	for _, m := range d.last {
		to <- m
	}
}

func (d *Database) read() {
	ctx, cancel := context.WithTimeout(context.Background(), readAtMost)
	defer cancel()
	d.last = nil
	err := errors.Join(d.readUnread(ctx), d.readLastHour(ctx), d.readCalls(ctx))
	d.last = append(d.last, prometheus.MustNewConstMetric(d.ok, prometheus.GaugeValue, one(err == nil)))
	if err != nil && d.fine {
		d.log.Warn("the database does not tell its figures for metrics", slog.Any("error", err))
	}
	d.fine = err == nil
}

func (d *Database) readUnread(ctx context.Context) error {
	rows, err := d.q.QuarantineUnread(ctx)
	if err != nil {
		return fmt.Errorf("read what is unread in quarantine: %w", err)
	}
	pieces := map[string]int64{}
	for _, r := range rows {
		pieces[r.Source] = r.Pieces
	}
	d.add(d.unread, pieces)
	return nil
}

func (d *Database) readCalls(ctx context.Context) error {
	rows, err := d.q.CallsInProgress(ctx)
	if err != nil {
		return fmt.Errorf("read calls in progress: %w", err)
	}
	calls := map[string]int64{}
	for _, r := range rows {
		calls[r.Source] = r.Calls
	}
	d.add(d.calls, calls)
	return nil
}

func (d *Database) readLastHour(ctx context.Context) error {
	rows, err := d.q.CallsOfTheLastHour(ctx)
	if err != nil {
		return fmt.Errorf("read calls of the last hour: %w", err)
	}
	ended, answered := map[string]int64{}, map[string]int64{}
	for _, r := range rows {
		ended[r.Source], answered[r.Source] = r.Ended, r.Answered
	}
	d.add(d.ended, ended)
	d.add(d.answered, answered)
	return nil
}

// add adds a figure of each source, also of those that are not configured any
// more but have rows.
func (d *Database) add(desc *prometheus.Desc, bySource map[string]int64) {
	for _, s := range d.sources {
		bySource[s] += 0
	}
	for source, n := range bySource {
		d.last = append(d.last, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), source))
	}
}

// LastReceipts reads when sources last sent something, UTC, as far as the rows of
// the last eight days tell; others are not in it.
func LastReceipts(ctx context.Context, pool *pgxpool.Pool) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*readAtMost)
	defer cancel()
	rows, err := db.New(pool).LastReceipts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read when sources last sent something: %w", err)
	}
	last := map[string]time.Time{}
	for _, r := range rows {
		last[r.Source] = r.LastReceipt.Time.UTC()
	}
	return last, nil
}
