// Package period closes billing periods: it writes what calls cost, or what we
// charge for them, as lines that never change, prints them and proves them. It
// imports of cdrstore only db and span. What a line says is decided in SQL, by
// function bill_pending.
package period

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/span"
)

// The sides of a bill.
const (
	Cost  = "cost"  // what the providers charge
	Price = "price" // what we charge, by the rates
)

// Period is a closed billing period. Times are UTC.
type Period struct {
	Side, Name string
	Zone       string    // in which the name is meant
	From, To   time.Time // of the calls' call_time; To no longer belongs to it
	NotBefore  time.Time // calls before it are never billed; zero: all are
	ClosedAt   time.Time // by the database's clock; zero: not closed
	Lines      int64

	LinesDigest, PreviousDigest, Digest string // SHA-256 in hex: of the lines, that of the period before (empty: none), of all of this
}

// List returns all closed periods by side and time.
func List(ctx context.Context, conn db.DBTX) ([]Period, error) {
	rows, err := db.New(conn).Periods(ctx)
	if err != nil {
		return nil, fmt.Errorf("read periods: %w", err)
	}
	periods := make([]Period, len(rows))
	for i, r := range rows {
		periods[i] = stored(r)
	}
	return periods, nil
}

// find returns a closed period. It is an error when it has changed since.
func find(ctx context.Context, q *db.Queries, side, name string) (Period, error) {
	if err := checkSide(side); err != nil {
		return Period{}, err
	}
	row, err := q.Period(ctx, db.PeriodParams{Side: side, Name: name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Period{}, fmt.Errorf("%s %s is not closed", side, name)
	}
	if err != nil {
		return Period{}, fmt.Errorf("read period: %w", err)
	}
	p := stored(row)
	return p, p.check(ctx, q)
}

// check returns an error when a period or its lines are not what closing it wrote.
func (p Period) check(ctx context.Context, q *db.Queries) error {
	rows, err := q.CheckPeriods(ctx, db.CheckPeriodsParams{Side: p.Side, Name: p.Name})
	if err != nil {
		return fmt.Errorf("check %s %s: %w", p.Side, p.Name, err)
	}
	for _, r := range rows {
		if fault := fault(p.Side, r); fault != "" {
			return errors.New(fault)
		}
	}
	return nil
}

// fault says what was changed in a period since it was closed; empty: nothing.
func fault(side string, r db.CheckPeriodsRow) string {
	what := ""
	switch r.Fault {
	case "":
		return ""
	case "lines":
		what = fmt.Sprintf("its lines were changed since it was closed (%d were written, %d are there): bring table bill_line back from a backup", r.Lines, r.LinesNow)
	case "row":
		what = "its row was changed since it was closed: bring table period back from a backup"
	default:
		what = "the period that was closed before it was changed, removed or added since: bring table period back from a backup"
	}
	return fmt.Sprintf("%s %s: %s", side, r.Name, what)
}

// parse reads the name of a month or a day.
func parse(side, name, zone string) (Period, error) {
	if err := checkSide(side); err != nil {
		return Period{}, err
	}
	if zone == "" {
		return Period{}, errors.New("the time zone is missing: name one like Europe/London, or UTC")
	}
	read := span.Month
	if len(name) > len("2006-01") {
		read = span.Day
	}
	s, err := read(name, zone)
	if err != nil {
		return Period{}, err
	}
	if !s.From.Before(s.To) {
		return Period{}, fmt.Errorf("%s: there was no such day in %s", name, zone)
	}
	return Period{Side: side, Name: name, Zone: zone, From: s.From.UTC(), To: s.To.UTC()}, nil
}

func checkSide(side string) error {
	if side != Cost && side != Price {
		return fmt.Errorf("side %q: there are cost and price", side)
	}
	return nil
}

func stored(r db.Period) Period {
	return Period{
		Side: r.Side, Name: r.Name, Zone: r.Tz, From: utc(r.FromAt), To: utc(r.ToAt), NotBefore: utc(r.NotBefore),
		ClosedAt: utc(r.ClosedAt), Lines: r.Lines,
		LinesDigest: r.LinesDigest, PreviousDigest: r.PreviousDigest.String, Digest: r.Digest,
	}
}

// utc returns the zero time for null.
func utc(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// null returns null for the zero time.
func null(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}
