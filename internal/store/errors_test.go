package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestFaultOf is the table of design: whose an error is decides whether a
// delivery is folded again, set aside, or spooled.
func TestFaultOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]Fault{
		"22P02": FaultData, "23505": FaultAgain, "23514": FaultData, "54000": FaultData,
		"40001": FaultAgain, "40P01": FaultAgain, "CDR01": FaultAgain,
		"08006": FaultAway, "53100": FaultAway, "53300": FaultAway, "57014": FaultAway, "57P01": FaultAway, "57P03": FaultAway,
		"25006": FaultAway, "3D000": FaultAway,
		"42P01": FaultOurs, "42501": FaultOurs, "28P01": FaultOurs, "XX000": FaultOurs, "25P02": FaultOurs,
	} {
		if got := FaultOf(fmt.Errorf("save: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: fault %d, want %d", code, got, want)
		}
	}
	if got := FaultOf(context.DeadlineExceeded); got != FaultAway {
		t.Errorf("late: fault %d", got)
	}
	if got := FaultOf(fmt.Errorf("receive: %w", io.ErrUnexpectedEOF)); got != FaultAway {
		t.Errorf("connection: fault %d", got)
	}
	if got := FaultOf(errors.New("cannot encode")); got != FaultOurs {
		t.Errorf("neither connection nor Postgres: fault %d", got)
	}
	if got := FaultOf(fmt.Errorf("read: %w", errFacts)); got != FaultOurs {
		t.Errorf("unreadable facts: fault %d", got)
	}
}

// TestReasonQuotesNoValues expects the code and the names, not the row that
// Postgres prints.
func TestReasonQuotesNoValues(t *testing.T) {
	t.Parallel()
	got := reasonOf(&pgconn.PgError{Code: "23514", Message: "row (secret) violates", Detail: "Failing row contains (442079460123)", TableName: "event", ConstraintName: "event_kind_check"})
	if want := "refused by the database: SQLSTATE 23514 event event_kind_check"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
