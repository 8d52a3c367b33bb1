package byhand

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// row is one row to insert into any table but call.
type row struct {
	record int       // which record of the request it is from
	key    [3]string // table and key
	sql    string
	args   []any
	event  *cdr.Event // nil in the other tables
	isNew  bool       // once it is inserted
}

// rowsOf returns the rows in the order of their keys, so that two requests with
// the same rows wait for each other and do not deadlock.
func rowsOf(records []cdr.Record) []row {
	rows := make([]row, 0, len(records))
	for i := range records {
		r := &records[i]
		for j := range r.Events {
			e := &r.Events[j]
			rows = append(rows, row{record: i, key: [3]string{"event", e.CallID, string(e.ID[:])}, sql: insertEvent, args: eventArgs(e), event: e})
		}
		for j := range r.Recordings {
			rec := &r.Recordings[j]
			rows = append(rows, row{record: i, key: [3]string{"recording", rec.CallID, rec.RecordingID}, sql: insertRecording, args: recordingArgs(rec)})
		}
		for j := range r.Messages {
			m := &r.Messages[j]
			rows = append(rows, row{record: i, key: [3]string{"message", m.MessageID}, sql: insertMessage, args: messageArgs(m)})
		}
		if r.Reject != nil {
			id := rejectID(r.Reject)
			rows = append(rows, row{record: i, key: [3]string{"quarantine", string(id[:])}, sql: insertReject, args: rejectArgs(r.Reject, id)})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return slices.Compare(a.key[:], b.key[:]) })
	return rows
}

func eventArgs(e *cdr.Event) []any {
	occurred := e.OccurredAt
	if e.Clock == cdr.ClockReceiver || occurred.IsZero() {
		occurred = e.ReceivedAt
	}
	problems := e.Problems
	if problems == nil {
		problems = []string{} // nil would be null
	}
	return []any{
		e.Source, e.CallID, e.ID, string(e.Kind), e.ProviderKind, e.Leg, orNil(e.RecordKey),
		occurred, string(e.Clock), e.ReceivedAt, e.Facts, problems, e.Payload,
	}
}

// callArgs makes of an event the call as far as that one knows it.
func callArgs(e *cdr.Event) []any {
	f := e.Facts
	state, disposition := stateOf(f)
	started, ringing := moment(f.StartedAt, e, cdr.KindStarted), moment(f.RingingAt, e, cdr.KindRinging)
	answered, ended := moment(f.AnsweredAt, e, cdr.KindAnswered), moment(f.EndedAt, e, cdr.KindEnded)
	legs, cdrs := 0, 0
	if e.Leg != "" {
		legs = 1
	}
	if e.Kind == cdr.KindCDR {
		cdrs = 1
	}
	return []any{
		e.Source, e.CallID, f.Provider, orNil(f.ParentCallID), orNil(f.Account), orNil(string(f.Direction)),
		orNil(f.Src), orNil(f.Dst), orNil(f.DID), orNil(f.SrcName), orNil(f.SrcE164), orNil(f.DstE164),
		orNil(f.SrcCountry), orNil(f.DstCountry), orNil(f.Trunk), orNil(f.Tag),
		state, disposition, cmp.Or(started, ringing, answered, ended, any(e.ReceivedAt)),
		started, ringing, answered, ended, string(e.Clock),
		f.Duration, f.Billsec, f.ChargedSec, f.FirstIncrement, f.NextIncrement, f.Rate, f.Cost, f.Tax, orNil(f.Currency),
		orNil(f.SIPCode), orNil(f.Q850Cause), orNil(f.HangupCause), orNil(string(f.HangupBy)), f.MachineDetected,
		legs, cdrs, e.ReceivedAt,
	}
}

// stateOf returns state and disposition of a call; only ended ones have one.
func stateOf(f *cdr.Facts) (state string, disposition any) {
	if f.Ends != "" || f.State == cdr.StateEnded {
		return string(cdr.StateEnded), string(cmp.Or(f.Disposition, cdr.Unknown))
	}
	return string(cmp.Or(f.State, cdr.StateStarted)), nil
}

// moment is null where it is not known. Receipt stands in for the moment of an
// event that came without a time.
func moment(at time.Time, e *cdr.Event, kind cdr.Kind) any {
	if at.IsZero() && e.Clock == cdr.ClockReceiver && e.Kind == kind {
		return e.ReceivedAt
	}
	return orNil(at)
}

func recordingArgs(r *cdr.Recording) []any {
	return []any{r.Source, r.CallID, r.RecordingID, r.URL, orNil(r.ExpiresAt), r.ReceivedAt, r.Payload}
}

func messageArgs(m *cdr.Message) []any {
	return []any{
		m.Source, m.MessageID, orNil(m.Src), orNil(m.Dst), orNil(m.Body), orNil(string(m.Direction)), orNil(m.Status),
		orNil(m.OccurredAt), m.Cost, orNil(m.Currency), orNil(m.Segments), m.ReceivedAt, m.Payload,
	}
}

func rejectArgs(r *cdr.Reject, id [16]byte) []any {
	body := r.Body
	if body == nil {
		body = []byte{} // nil would be null
	}
	return []any{r.Source, id, r.Hint, r.Method, r.Query, r.ContentType, r.ContentEncoding, body, r.Reason, r.ReceivedAt}
}

// rejectID makes the same bytes on the same route one row.
func rejectID(r *cdr.Reject) [16]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%d:%s%d:%s", len(r.Source), r.Source, len(r.Hint), r.Hint, len(r.Query), r.Query)
	h.Write(r.Body)
	return [16]byte(h.Sum(nil))
}

// orNil makes of a zero value, which says nothing, a null.
func orNil[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
