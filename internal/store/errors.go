package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

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

// errOvertaken says what ingest_guard says, where Go finds it out.
var errOvertaken = errors.New("another writer changed these calls")

// guardCode is what ingest_guard raises.
const guardCode = "CDR01"

// uniqueViolation says that another writer was faster with a row that was taken
// for new; nothing else raises it here.
const uniqueViolation = "23505"

// FaultOf tells an error of the store.
func FaultOf(err error) Fault {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, errFacts):
		return FaultOurs
	case errors.Is(err, errOvertaken):
		return FaultAgain
	case !errors.As(err, &pg) && isAway(err):
		return FaultAway
	case pg == nil:
		return FaultOurs
	}
	class := pg.Code[:min(2, len(pg.Code))]
	switch {
	case pg.Code == guardCode || class == "40" || pg.Code == uniqueViolation:
		return FaultAgain
	case class == "22" || class == "23" || class == "54":
		return FaultData
	case class == "08" || class == "53" || class == "57" || pg.Code == "25006" || pg.Code == noDatabase:
		return FaultAway
	}
	return FaultOurs
}

// isAway reports whether an error that Postgres did not send is about the
// connection to it, or a deadline.
func isAway(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) {
		return true
	}
	for _, known := range []error{ErrReadOnly, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return true
		}
	}
	return strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool") // pgx names neither
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
