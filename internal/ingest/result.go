package ingest

import "errors"

// Errors of Write that a sender can do nothing about but try again. The
// delivery, or a part of it, is not safe.
var (
	// ErrUnavailable says that Postgres is away and the delivery could not be
	// spooled.
	ErrUnavailable = errors.New("the database is not available")
	// ErrBusy says that too much is in flight.
	ErrBusy = errors.New("too much in flight")
	// ErrQuarantineFull says that the source has as many unread pieces as are
	// kept.
	ErrQuarantineFull = errors.New("the quarantine of this source is full")
	// ErrClosed says that the receiver is stopping.
	ErrClosed = errors.New("stopping")
)

var errLate = errors.New("not written in time")

// Result says what became of the records of one delivery.
// Received = Stored + Duplicates + Quarantined + Spooled.
type Result struct {
	Received    int           `json:"received"`
	Stored      int           `json:"stored"`      // new rows
	Duplicates  int           `json:"duplicates"`  // seen before
	Quarantined int           `json:"quarantined"` // kept raw, could not be read
	Spooled     int           `json:"spooled"`     // kept on disk until Postgres is back
	Errors      []RecordError `json:"errors"`      // why records were quarantined; at most MaxErrors
}

// MaxErrors is how many reasons one answer lists.
const MaxErrors = 1000

// RecordError is why one record was quarantined.
type RecordError struct {
	Record int    `json:"record"` // from 0, in the order of the body
	Reason string `json:"reason"`
}
