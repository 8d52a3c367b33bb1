package cdr

import (
	"time"
)

// Diff returns the columns in which two calls differ, by the names of table
// call, in the table's order.
func (c *Call) Diff(o *Call) []string {
	var d differ
	d.add("source", c.Source == o.Source)
	d.add("call_id", c.CallID == o.CallID)
	d.add("provider", c.Provider == o.Provider)
	d.add("parent_call_id", c.ParentCallID == o.ParentCallID)
	d.add("account", c.Account == o.Account)
	d.add("direction", c.Direction == o.Direction)
	d.add("src", c.Src == o.Src)
	d.add("dst", c.Dst == o.Dst)
	d.add("did", c.DID == o.DID)
	d.add("src_name", c.SrcName == o.SrcName)
	d.add("src_e164", c.SrcE164 == o.SrcE164)
	d.add("dst_e164", c.DstE164 == o.DstE164)
	d.add("src_country", c.SrcCountry == o.SrcCountry)
	d.add("dst_country", c.DstCountry == o.DstCountry)
	d.add("trunk", c.Trunk == o.Trunk)
	d.add("tag", c.Tag == o.Tag)
	d.add("sip_call_id", c.SIPCallID == o.SIPCallID)
	d.add("state", c.State == o.State)
	d.add("disposition", c.Disposition == o.Disposition)
	d.time("call_time", c.CallTime, o.CallTime)
	d.time("started_at", c.StartedAt, o.StartedAt)
	d.time("ringing_at", c.RingingAt, o.RingingAt)
	d.time("answered_at", c.AnsweredAt, o.AnsweredAt)
	d.time("ended_at", c.EndedAt, o.EndedAt)
	d.add("clock", c.Clock == o.Clock)
	d.amount("duration", c.Duration, o.Duration)
	d.amount("billsec", c.Billsec, o.Billsec)
	d.amount("charged_sec", c.ChargedSec, o.ChargedSec)
	d.add("first_increment", same(c.FirstIncrement, o.FirstIncrement))
	d.add("next_increment", same(c.NextIncrement, o.NextIncrement))
	d.amount("rate", c.Rate, o.Rate)
	d.amount("cost", c.Cost, o.Cost)
	d.amount("tax", c.Tax, o.Tax)
	d.add("cost_includes_tax", same(c.CostIncludesTax, o.CostIncludesTax))
	d.add("currency", c.Currency == o.Currency)
	d.add("sip_code", c.SIPCode == o.SIPCode)
	d.add("q850_cause", c.Q850Cause == o.Q850Cause)
	d.add("hangup_cause", c.HangupCause == o.HangupCause)
	d.add("hangup_by", c.HangupBy == o.HangupBy)
	d.add("machine_detected", same(c.MachineDetected, o.MachineDetected))
	d.add("legs", c.Legs == o.Legs)
	d.add("events", c.Events == o.Events)
	d.add("cdrs", c.CDRs == o.CDRs)
	d.time("first_received_at", c.FirstReceivedAt, o.FirstReceivedAt)
	d.time("last_received_at", c.LastReceivedAt, o.LastReceivedAt)
	return d.columns
}

type differ struct{ columns []string }

func (d *differ) add(column string, same bool) {
	if !same {
		d.columns = append(d.columns, column)
	}
}

func (d *differ) time(column string, a, b time.Time) { d.add(column, a.Equal(b)) }

func (d *differ) amount(column string, a, b Amount) { d.add(column, sameAmount(a, b)) }

// sameAmount compares by value: 0.45 equals 0.450000, unknown equals unknown.
func sameAmount(a, b Amount) bool {
	if a.Valid != b.Valid {
		return false
	}
	return !a.Valid || a.Decimal.Equal(b.Decimal)
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
