package store

import (
	"context"
	"time"

	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

// callRows are calls to write, new ones and changed ones, and what those who
// read changes would not find otherwise.
type callRows struct {
	added, changed db.AddCallsParams
	notes          db.NoteChangesParams
}

// quarter is how finely old call times are kept apart: zones begin their hours
// and days at quarters of an hour.
const quarter = 15 * time.Minute

// note notes a change of a call that had another call_time before, zero where
// there was no such call. It need not be noted where the batch has a new event of
// the call and the call stays within its quarter.
func (r *callRows) note(k callKey, before, now time.Time, newEvent bool) {
	moved := !before.IsZero() && !before.Truncate(quarter).Equal(now.Truncate(quarter))
	if newEvent && !moved {
		return
	}
	r.notes.Source.Append(k.source)
	r.notes.CallID.Append(k.callID)
	if moved {
		r.notes.OldCallTime.Append(before)
	} else {
		r.notes.OldCallTime.Append(time.Time{})
	}
}

// append adds a call with its new version; the first is 1.
func (r *callRows) append(c *cdr.Call, version int64) {
	if version == 1 {
		appendCall(&r.added, c, version)
	} else {
		appendCall(&r.changed, c, version)
	}
}

func (r *callRows) len() int { return r.added.Version.Len() + r.changed.Version.Len() }

// write writes all or, where another writer was faster, fails.
func (r *callRows) write(ctx context.Context, q *db.Queries) error {
	if r.added.Version.Len() > 0 {
		if err := q.AddCalls(ctx, r.added); err != nil {
			return err
		}
	}
	if r.changed.Version.Len() > 0 {
		if err := q.ChangeCalls(ctx, db.ChangeCallsParams(r.changed)); err != nil {
			return err
		}
	}
	if r.notes.Source.Len() > 0 {
		return q.NoteChanges(ctx, r.notes)
	}
	return nil
}

func appendCall(p *db.AddCallsParams, c *cdr.Call, version int64) {
	p.Source.Append(c.Source)
	p.CallID.Append(c.CallID)
	p.Provider.Append(c.Provider)
	p.ParentCallID.AppendOrNull(c.ParentCallID)
	p.Account.AppendOrNull(c.Account)
	p.Direction.AppendOrNull(string(c.Direction))
	p.Src.AppendOrNull(c.Src)
	p.Dst.AppendOrNull(c.Dst)
	p.Did.AppendOrNull(c.DID)
	p.SrcName.AppendOrNull(c.SrcName)
	p.SrcE164.AppendOrNull(c.SrcE164)
	p.DstE164.AppendOrNull(c.DstE164)
	p.SrcCountry.AppendOrNull(c.SrcCountry)
	p.DstCountry.AppendOrNull(c.DstCountry)
	p.Trunk.AppendOrNull(c.Trunk)
	p.Tag.AppendOrNull(c.Tag)
	p.SipCallID.AppendOrNull(c.SIPCallID)
	p.State.Append(string(c.State))
	p.Disposition.AppendOrNull(string(c.Disposition))
	p.CallTime.Append(c.CallTime)
	p.StartedAt.Append(c.StartedAt)
	p.RingingAt.Append(c.RingingAt)
	p.AnsweredAt.Append(c.AnsweredAt)
	p.EndedAt.Append(c.EndedAt)
	p.Clock.Append(string(c.Clock))
	p.Duration.AppendOrNull(c.Duration)
	p.Billsec.AppendOrNull(c.Billsec)
	p.ChargedSec.AppendOrNull(c.ChargedSec)
	p.FirstIncrement.AppendOrNull(c.FirstIncrement)
	p.NextIncrement.AppendOrNull(c.NextIncrement)
	p.Rate.AppendOrNull(c.Rate)
	p.Cost.AppendOrNull(c.Cost)
	p.Tax.AppendOrNull(c.Tax)
	p.CostIncludesTax.AppendOrNull(c.CostIncludesTax)
	p.Currency.AppendOrNull(c.Currency)
	p.SipCode.AppendCode(c.SIPCode)
	p.Q850Cause.AppendCode(c.Q850Cause)
	p.HangupCause.AppendOrNull(c.HangupCause)
	p.HangupBy.AppendOrNull(string(c.HangupBy))
	p.MachineDetected.AppendOrNull(c.MachineDetected)
	p.Legs.Append(c.Legs)
	p.Events.Append(c.Events)
	p.Cdrs.Append(c.CDRs)
	p.Version.Append(version)
	p.FirstReceivedAt.Append(c.FirstReceivedAt)
	p.LastReceivedAt.Append(c.LastReceivedAt)
}

// callOf returns a row as the fold that it should be.
func callOf(r *db.Call) cdr.Call {
	c := cdr.Call{
		Source: r.Source, CallID: r.CallID, Provider: r.Provider,
		ParentCallID: r.ParentCallID.String, Account: r.Account.String, Direction: cdr.Direction(r.Direction.String),
		Src: r.Src.String, Dst: r.Dst.String, DID: r.Did.String, SrcName: r.SrcName.String,
		SrcE164: r.SrcE164.String, DstE164: r.DstE164.String,
		SrcCountry: r.SrcCountry.String, DstCountry: r.DstCountry.String,
		Trunk: r.Trunk.String, Tag: r.Tag.String, SIPCallID: r.SipCallID.String,
		State: cdr.State(r.State), Disposition: cdr.Disposition(r.Disposition.String),
		CallTime: momentOf(r.CallTime), StartedAt: momentOf(r.StartedAt), RingingAt: momentOf(r.RingingAt),
		AnsweredAt: momentOf(r.AnsweredAt), EndedAt: momentOf(r.EndedAt), Clock: cdr.Clock(r.Clock),
		Duration: amountOf(r.Duration), Billsec: amountOf(r.Billsec), ChargedSec: amountOf(r.ChargedSec),
		FirstIncrement: intOf(r.FirstIncrement), NextIncrement: intOf(r.NextIncrement),
		Rate: amountOf(r.Rate), Cost: amountOf(r.Cost), Tax: amountOf(r.Tax), Currency: r.Currency.String,
		SIPCode: int(r.SipCode.Int32), Q850Cause: int(r.Q850Cause.Int32),
		HangupCause: r.HangupCause.String, HangupBy: cdr.Party(r.HangupBy.String),
		Legs: int(r.Legs), Events: int(r.Events), CDRs: int(r.Cdrs),
		FirstReceivedAt: momentOf(r.FirstReceivedAt), LastReceivedAt: momentOf(r.LastReceivedAt),
	}
	if r.CostIncludesTax.Valid {
		c.CostIncludesTax = &r.CostIncludesTax.Bool
	}
	if r.MachineDetected.Valid {
		c.MachineDetected = &r.MachineDetected.Bool
	}
	return c
}
