package cdr

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// CheckTimes holds the times and the talk of one record against each other. What
// cannot be true is named by the provider's names of the fields, talk and end:
//
//   - talk of a record that says that nobody answered, which is dropped; where it
//     does not say, the talk stays and Fold drops it unless another record of the
//     call says that somebody answered
//   - talk that is longer than the whole call, which stays
//   - a CDR of an answered call of which neither talk nor times tell how long it
//     was talked
//   - an end before the start, which is dropped; the call has ended all the same
func (e *Event) CheckTimes(problem func(field, reason string), talk, end string) {
	f := e.Facts
	if !f.StartedAt.IsZero() && f.EndedAt.Before(f.StartedAt) && !f.EndedAt.IsZero() {
		problem(end, "before the start of the call")
		f.EndedAt = time.Time{}
	}
	answered := f.Disposition == Answered || f.State == StateAnswered
	switch whole := f.wholeCall(); {
	case f.Billsec.Decimal.IsPositive() && deniesAnswer(f.Disposition):
		problem(talk, fmt.Sprintf("%s s of talk, but nobody answered", f.Billsec.Decimal))
		f.Billsec = Amount{}
	case f.Billsec.Decimal.IsPositive() && !answered:
		problem(talk, fmt.Sprintf("%s s of talk, but the record does not say that somebody answered", f.Billsec.Decimal))
	case f.Billsec.Valid && whole.Valid && f.Billsec.Decimal.Sub(whole.Decimal).GreaterThan(decimal.NewFromInt(1)): // both may be rounded
		problem(talk, fmt.Sprintf("%s s of talk in a call of %s s", f.Billsec.Decimal, whole.Decimal))
	case e.Kind == KindCDR && f.Disposition == Answered && !f.Billsec.Valid && (f.AnsweredAt.IsZero() || f.EndedAt.IsZero()):
		problem(talk, "the call was answered, and its talk time is not known")
	}
}

// wholeCall returns the seconds from start to end, as delivered or by the times.
func (f *Facts) wholeCall() Amount {
	if f.Duration.Valid || f.StartedAt.IsZero() || f.EndedAt.IsZero() {
		return f.Duration
	}
	return microseconds(f.EndedAt.Sub(f.StartedAt))
}
