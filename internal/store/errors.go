package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrQuarantineFull says that a source has as many unread pieces as are kept.
var ErrQuarantineFull = errors.New("the quarantine of this source is full")

// Fault says whose an error of the database is, and so what to do about it.
type Fault int

// The faults.
const (
	FaultOurs  Fault = iota // a statement or privilege is wrong: keep the delivery, raise the alarm
	FaultAgain              // another writer was faster: read, fold and write again
	FaultData               // Postgres refuses a value: find the record and set it aside
	FaultAway               // the database is away, full, read-only or late: keep the delivery
)

// errFacts says that stored facts cannot be read.
var errFacts = errors.New("stored facts are unreadable")

// noDatabase says that the server does not have the database (yet).
const noDatabase = "3D000"

// guardCode is what ingest_guard raises.
const guardCode = "CDR01"

// FaultOf tells an error of the store.
func FaultOf(err error) Fault {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, errFacts):
		return FaultOurs
	case !errors.As(err, &pg):
		return FaultAway // the connection, or a deadline
	}
	class := pg.Code[:min(2, len(pg.Code))]
	switch {
	case pg.Code == guardCode || class == "40":
		return FaultAgain
	case class == "22" || class == "23" || class == "54":
		return FaultData
	case class == "08" || class == "53" || class == "57" || pg.Code == "25006" || pg.Code == noDatabase:
		return FaultAway
	}
	return FaultOurs
}

// reasonOf says why Postgres refused a record, without the values that its
// message may quote.
func reasonOf(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return "refused by the database"
	}
	parts := []string{"refused by the database: SQLSTATE " + pg.Code}
	for _, part := range []string{pg.TableName, pg.ColumnName, pg.ConstraintName} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// late reports whether the caller's own deadline ended a statement.
func late(ctx context.Context) bool { return ctx.Err() != nil }
