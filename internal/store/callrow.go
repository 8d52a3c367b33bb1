package store

import (
	"github.com/cdrstore/cdrstore/db"
	"github.com/cdrstore/cdrstore/internal/cdr"
)

func appendCall(p *db.SaveCallsParams, c *cdr.Call, version int64) {
	p.CallSource = append(p.CallSource, c.Source)
	p.CallCallID = append(p.CallCallID, c.CallID)
	p.CallProvider = append(p.CallProvider, c.Provider)
	p.CallParentCallID = append(p.CallParentCallID, textOrNil(c.ParentCallID))
	p.CallAccount = append(p.CallAccount, textOrNil(c.Account))
	p.CallDirection = append(p.CallDirection, textOrNil(c.Direction))
	p.CallSrc = append(p.CallSrc, textOrNil(c.Src))
	p.CallDst = append(p.CallDst, textOrNil(c.Dst))
	p.CallDid = append(p.CallDid, textOrNil(c.DID))
	p.CallSrcName = append(p.CallSrcName, textOrNil(c.SrcName))
	p.CallSrcE164 = append(p.CallSrcE164, textOrNil(c.SrcE164))
	p.CallDstE164 = append(p.CallDstE164, textOrNil(c.DstE164))
	p.CallSrcCountry = append(p.CallSrcCountry, textOrNil(c.SrcCountry))
	p.CallDstCountry = append(p.CallDstCountry, textOrNil(c.DstCountry))
	p.CallTrunk = append(p.CallTrunk, textOrNil(c.Trunk))
	p.CallTag = append(p.CallTag, textOrNil(c.Tag))
	p.CallState = append(p.CallState, string(c.State))
	p.CallDisposition = append(p.CallDisposition, textOrNil(c.Disposition))
	p.CallCallTime = append(p.CallCallTime, moment(c.CallTime))
	p.CallStartedAt = append(p.CallStartedAt, moment(c.StartedAt))
	p.CallRingingAt = append(p.CallRingingAt, moment(c.RingingAt))
	p.CallAnsweredAt = append(p.CallAnsweredAt, moment(c.AnsweredAt))
	p.CallEndedAt = append(p.CallEndedAt, moment(c.EndedAt))
	p.CallClock = append(p.CallClock, string(c.Clock))
	p.CallDuration = append(p.CallDuration, numeric(c.Duration))
	p.CallBillsec = append(p.CallBillsec, numeric(c.Billsec))
	p.CallChargedSec = append(p.CallChargedSec, numeric(c.ChargedSec))
	p.CallFirstIncrement = append(p.CallFirstIncrement, smallOrNil(c.FirstIncrement))
	p.CallNextIncrement = append(p.CallNextIncrement, smallOrNil(c.NextIncrement))
	p.CallRate = append(p.CallRate, numeric(c.Rate))
	p.CallCost = append(p.CallCost, numeric(c.Cost))
	p.CallTax = append(p.CallTax, numeric(c.Tax))
	p.CallCurrency = append(p.CallCurrency, textOrNil(c.Currency))
	p.CallSipCode = append(p.CallSipCode, codeOrNil(c.SIPCode))
	p.CallQ850Cause = append(p.CallQ850Cause, codeOrNil(c.Q850Cause))
	p.CallHangupCause = append(p.CallHangupCause, textOrNil(c.HangupCause))
	p.CallHangupBy = append(p.CallHangupBy, textOrNil(c.HangupBy))
	p.CallMachineDetected = append(p.CallMachineDetected, c.MachineDetected)
	p.CallLegs = append(p.CallLegs, int32(c.Legs))
	p.CallEvents = append(p.CallEvents, int32(c.Events))
	p.CallCdrs = append(p.CallCdrs, int32(c.CDRs))
	p.CallVersion = append(p.CallVersion, version)
	p.CallFirstReceivedAt = append(p.CallFirstReceivedAt, moment(c.FirstReceivedAt))
	p.CallLastReceivedAt = append(p.CallLastReceivedAt, moment(c.LastReceivedAt))
}

// callOf returns a row as the fold that it should be.
func callOf(r *db.Call) cdr.Call {
	c := cdr.Call{
		Source: r.Source, CallID: r.CallID, Provider: r.Provider,
		ParentCallID: r.ParentCallID.String, Account: r.Account.String, Direction: cdr.Direction(r.Direction.String),
		Src: r.Src.String, Dst: r.Dst.String, DID: r.Did.String, SrcName: r.SrcName.String,
		SrcE164: r.SrcE164.String, DstE164: r.DstE164.String,
		SrcCountry: r.SrcCountry.String, DstCountry: r.DstCountry.String,
		Trunk: r.Trunk.String, Tag: r.Tag.String,
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
	if r.MachineDetected.Valid {
		c.MachineDetected = &r.MachineDetected.Bool
	}
	return c
}
