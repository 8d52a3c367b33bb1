package console

import (
	"context"
	"slices"

	"github.com/cdrstore/cdrstore/db"
)

// found is a call in a list.
type found db.ConsoleCallsOlderRow

func (f found) key() key { return key{f.CallTime.Time.UTC(), f.Source, f.CallID} }

// Outcome is how the call came out, or how far it has come.
func (f found) Outcome() string {
	if f.Disposition.Valid {
		return f.Disposition.String
	}
	return "in progress: " + f.State
}

// older returns the calls of a search that come before a key, newest first.
func (c *Console) older(ctx context.Context, s search, k key, atMost int32) ([]found, error) {
	switch {
	case s.CallID != "":
		return c.byID(ctx, s, k, atMost)
	case s.numbers != nil:
		rows, err := c.q.ConsoleNumberOlder(ctx, db.ConsoleNumberOlderParams{
			Numbers: s.numbers, Written: s.written, KeyTime: stamp(k.Time), KeySource: k.Source, KeyCallID: k.CallID,
			FromAt: stamp(s.from), ToAt: stamp(s.to), Source: s.Source, Disposition: s.Disposition, AtMost: atMost, AtMostRows: 4 * atMost,
		})
		return once(rows, func(r db.ConsoleNumberOlderRow) found { return found(r) }, atMost), err
	}
	rows, err := c.q.ConsoleCallsOlder(ctx, db.ConsoleCallsOlderParams{
		KeyTime: stamp(k.Time), KeySource: k.Source, KeyCallID: k.CallID,
		FromAt: stamp(s.from), ToAt: stamp(s.to), Source: s.Source, Disposition: s.Disposition, AtMost: atMost,
	})
	return once(rows, func(r db.ConsoleCallsOlderRow) found { return found(r) }, atMost), err
}

// newer returns the calls that come next after a key, newest first.
func (c *Console) newer(ctx context.Context, s search, k key, atMost int32) (calls []found, err error) {
	switch {
	case s.CallID != "":
		if calls, err = c.byID(ctx, s, lastKey(), maxOfOneID); err == nil {
			calls = slices.DeleteFunc(calls, func(f found) bool { return !k.before(f.key()) })
			calls = calls[max(0, len(calls)-int(atMost)):]
		}
		return calls, err
	case s.numbers != nil:
		var rows []db.ConsoleNumberNewerRow
		rows, err = c.q.ConsoleNumberNewer(ctx, db.ConsoleNumberNewerParams{
			Numbers: s.numbers, Written: s.written, KeyTime: stamp(k.Time), KeySource: k.Source, KeyCallID: k.CallID,
			FromAt: stamp(s.from), ToAt: stamp(s.to), Source: s.Source, Disposition: s.Disposition, AtMost: atMost, AtMostRows: 4 * atMost,
		})
		calls = once(rows, func(r db.ConsoleNumberNewerRow) found { return found(r) }, atMost)
	default:
		var rows []db.ConsoleCallsNewerRow
		rows, err = c.q.ConsoleCallsNewer(ctx, db.ConsoleCallsNewerParams{
			KeyTime: stamp(k.Time), KeySource: k.Source, KeyCallID: k.CallID,
			FromAt: stamp(s.from), ToAt: stamp(s.to), Source: s.Source, Disposition: s.Disposition, AtMost: atMost,
		})
		calls = once(rows, func(r db.ConsoleCallsNewerRow) found { return found(r) }, atMost)
	}
	slices.Reverse(calls)
	return calls, err
}

// maxOfOneID is how many calls of one SIP Call-ID are looked through for a newer
// page.
const maxOfOneID = 10_000

// byID finds the calls of an id, or of a SIP Call-ID. A number limits them
// further.
func (c *Console) byID(ctx context.Context, s search, k key, atMost int32) ([]found, error) {
	rows, err := c.q.ConsoleCallsByID(ctx, db.ConsoleCallsByIDParams{
		Sources: s.sources, CallID: s.CallID, KeyTime: stamp(k.Time), KeySource: k.Source, KeyCallID: k.CallID,
		FromAt: stamp(s.from), ToAt: stamp(s.to), Source: s.Source, Disposition: s.Disposition, AtMost: atMost,
	})
	calls := once(rows, func(r db.ConsoleCallsByIDRow) found { return found(r) }, atMost)
	return slices.DeleteFunc(calls, func(f found) bool {
		has := func(n string) bool {
			return n == f.Src.String || n == f.Dst.String || n == f.SrcE164.String || n == f.DstE164.String
		}
		return s.numbers != nil && !slices.ContainsFunc(s.numbers, has)
	}), err
}

// once leaves out calls that came more than once, which are next to each other.
func once[R any](rows []R, read func(R) found, atMost int32) []found {
	var calls []found
	for _, r := range rows {
		f := read(r)
		if n := len(calls); n > 0 && calls[n-1].Source == f.Source && calls[n-1].CallID == f.CallID {
			continue
		}
		if len(calls) == int(atMost) {
			break
		}
		calls = append(calls, f)
	}
	return calls
}
