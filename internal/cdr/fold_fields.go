package cdr

import (
	"time"

	"github.com/shopspring/decimal"
)

// parties takes caller and called from the first leg that names one. What that
// leg leaves open may come from the same leg or from the whole call, never from
// another leg.
func (f *folding) parties(c *Call) {
	var first *part
	for i := range f.parts {
		p := &f.parts[i]
		fill(&c.Direction, p.facts.Direction)
		if first == nil && (p.facts.Src != "" || p.facts.Dst != "") {
			first = p
		}
		if first == nil || p.leg != first.leg && p.leg != "" {
			continue
		}
		if c.Src == "" {
			c.Src, c.SrcE164, c.SrcCountry = p.facts.Src, p.facts.SrcE164, p.facts.SrcCountry
		}
		if c.Dst == "" {
			c.Dst, c.DstE164, c.DstCountry = p.facts.Dst, p.facts.DstE164, p.facts.DstCountry
		}
	}
}

func (f *folding) labels(c *Call) {
	var live *bool
	for i := range f.parts {
		p := &f.parts[i].facts
		fill(&c.Provider, p.Provider)
		fill(&c.ParentCallID, p.ParentCallID)
		fill(&c.Account, p.Account)
		fill(&c.DID, p.DID)
		fill(&c.SrcName, p.SrcName)
		fill(&c.Trunk, p.Trunk)
		fill(&c.Tag, p.Tag)
		fill(&c.SIPCallID, p.SIPCallID)
		if f.parts[i].live {
			live = either(live, p.MachineDetected)
		} else {
			c.MachineDetected = either(c.MachineDetected, p.MachineDetected)
		}
	}
	fill(&c.MachineDetected, live)
}

// times takes the earliest start and answer and the latest end, CDRs over live
// events where both are equally good. Durations that nobody delivered follow
// from them.
func (f *folding) times(c *Call) {
	var s, live stamps
	recordEnds, liveEnds := false, false
	for i := range f.parts {
		p := &f.parts[i]
		if p.live {
			live.earliest(p.stamps)
			liveEnds = liveEnds || p.ends == EndsCall
		} else {
			s.earliest(p.stamps)
			recordEnds = recordEnds || p.ends == EndsCall
		}
	}
	s.over(live)
	if liveEnds && !recordEnds && live.ended.at.After(s.ended.at) {
		s.ended = live.ended // the records are of legs and do not know the call's end
	}
	if !f.ended {
		s.ended = stamp{}
	}
	s.dropEarlyEnd()
	s.dropStrayAnswer()
	c.StartedAt, c.RingingAt, c.AnsweredAt, c.EndedAt = s.started.at, s.ringing.at, s.answered.at, s.ended.at
	c.Duration = seconds(s.started, s.ended)
	c.Billsec = seconds(s.answered, s.ended)
	f.approximate = s.started.quality != delivered || s.ended.quality != delivered

	c.Clock = s.clock()
	c.CallTime = firstOf(c.StartedAt, c.RingingAt, c.AnsweredAt, c.EndedAt, c.FirstReceivedAt)
}

// outcome takes how the call came out from the part that decides it. An answer
// on any leg is an answer of the call. A call that lives has no outcome yet,
// even where a leg of it has.
func (f *folding) outcome(c *Call) {
	if !f.ended {
		return
	}
	record, live := f.decisive(false), f.decisive(true)
	for _, p := range []*part{record, live} {
		if p == nil {
			continue
		}
		fill(&c.SIPCode, p.facts.SIPCode)
		fill(&c.Q850Cause, p.facts.Q850Cause)
		fill(&c.HangupCause, p.facts.HangupCause)
		fill(&c.HangupBy, p.facts.HangupBy)
	}
	c.Billsec = firstAmount(record.billsec(), live.billsec(), c.Billsec)
	if f.approximate && c.Duration.Valid && c.Billsec.Valid && c.Duration.Decimal.LessThan(c.Billsec.Decimal) {
		c.Duration = Amount{} // PIOPIY India: every event of a call shows one time, only the CDR the talk
	}
	c.Duration = firstAmount(record.duration(), live.duration(), c.Duration)
	c.Disposition = f.disposition(record, live)
	if c.Disposition != Answered && notZero(c.Billsec) {
		c.Billsec = Amount{} // there is no talk without an answer
	}
}

// decisive returns the first answered part; where there is none the one that
// ended the call, else the last attempt, else the first leg. In a call that was
// answered that can only be a CDR that does not deny it (Wavix: "all"). Nil when
// there is none of that sort.
func (f *folding) decisive(live bool) *part {
	var best *part
	for i := range f.parts {
		p := &f.parts[i]
		if p.live != live {
			continue
		}
		if p.answered {
			return p
		}
		if f.answered && (live || p.unanswered()) {
			continue
		}
		if best == nil || p.decidesOver(best) {
			best = p
		}
	}
	return best
}

func (p *part) decidesOver(o *part) bool {
	if (p.ends == EndsCall) != (o.ends == EndsCall) {
		return p.ends == EndsCall
	}
	return p.attempt > o.attempt
}

func (f *folding) disposition(record, live *part) Disposition {
	if f.answered {
		return Answered
	}
	for _, p := range []*part{record, live} {
		if p != nil && p.facts.Disposition.decides() {
			return p.facts.Disposition
		}
	}
	for i := range f.parts {
		if d := f.parts[i].facts.Disposition; d.decides() {
			return d
		}
	}
	return Unknown
}

func (d Disposition) decides() bool { return d != "" && d != Unknown }

// billsec of a part that may be nil.
func (p *part) billsec() Amount {
	if p == nil {
		return Amount{}
	}
	return p.facts.Billsec
}

// duration of a part that may be nil.
func (p *part) duration() Amount {
	if p == nil {
		return Amount{}
	}
	return p.facts.Duration
}

func firstAmount(amounts ...Amount) Amount {
	for _, a := range amounts {
		if a.Valid {
			return a
		}
	}
	return Amount{}
}

func firstOf(moments ...time.Time) time.Time {
	for _, m := range moments {
		if !m.IsZero() {
			return m
		}
	}
	return time.Time{}
}

// microseconds returns a duration in seconds, exactly.
func microseconds(d time.Duration) Amount {
	return decimal.NewNullDecimal(decimal.New(d.Microseconds(), -6))
}
