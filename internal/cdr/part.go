package cdr

import "time"

// part is one CDR that counts, or the live events of one leg taken together.
type part struct {
	live     bool
	leg, key string
	attempt  int
	legRank  int
	earliest time.Time
	facts    Facts // taken together; times are in stamps
	ends     Scope
	state    State // the furthest before the end
	answered bool
	stamps   stamps
}

// newPart takes the events of one part together; they are in the order of the
// call's life. Who and what come from the first that says it, the outcome from
// the last.
func newPart(events []*Event) part {
	first := events[0]
	p := part{
		live: first.Kind != KindCDR, leg: first.Leg, key: first.RecordKey,
		earliest: first.moment(), state: StateStarted, facts: *first.Facts,
	}
	for _, e := range events {
		if m := e.moment(); m.Before(p.earliest) {
			p.earliest = m
		}
		if e != first {
			mergeIdentity(&p.facts, e.Facts)
			mergeOutcome(&p.facts, e.Facts)
			mergeTariff(&p.facts, e.Facts)
		}
		p.attempt = max(p.attempt, e.Facts.Attempt)
		p.legRank = max(p.legRank, e.Facts.LegRank)
		if p.ends != EndsCall && e.Facts.Ends != "" {
			p.ends = e.Facts.Ends
		}
		if s := e.Facts.State; s != StateEnded && s.rank() > p.state.rank() {
			p.state = s
		}
		p.stamps.add(e)
		p.answered = p.answered || provesAnswer(e)
	}
	if p.answered {
		p.facts.Disposition = Answered
		p.state = StateAnswered
	}
	if p.unanswered() {
		p.removeAnswer()
	}
	if p.stamps.answered.quality > receipt { // receipts come in any order
		p.stamps.dropStrayAnswer()
	}
	return p
}

// provesAnswer reports whether an event says that the call was answered. The
// word of a CDR decides over its times: PIOPIY prints missed legs with an
// answer time left over from another call.
func provesAnswer(e *Event) bool {
	f := e.Facts
	switch {
	case f.Disposition == Answered:
		return true
	case e.Kind == KindCDR && deniesAnswer(f.Disposition):
		return false
	}
	return f.State == StateAnswered || !f.AnsweredAt.IsZero()
}

// deniesAnswer reports whether a word says that nobody answered. No word, and
// one that nobody knows, say nothing.
func deniesAnswer(d Disposition) bool {
	return d != "" && d != Unknown && d != Answered
}

// unanswered reports whether this is a CDR that says that nobody answered.
func (p *part) unanswered() bool {
	return !p.live && deniesAnswer(p.facts.Disposition)
}

// removeAnswer makes the part one that was not answered.
func (p *part) removeAnswer() {
	p.answered = false
	p.stamps.answered = stamp{}
	if p.facts.Disposition == Answered {
		p.facts.Disposition = ""
	}
	if p.live {
		p.facts.Billsec = Amount{}
	}
	if p.state == StateAnswered {
		p.state = StateRinging
	}
}

// class orders the parts by who speaks for the call: a CDR of the whole call,
// the legs, live events of the whole call.
func (p *part) class() int {
	switch {
	case p.leg != "":
		return 1
	case p.live:
		return 2
	}
	return 0
}

func (p *part) liveRank() int {
	if p.live {
		return 1
	}
	return 0
}

// mergeIdentity fills what the earlier events left open.
func mergeIdentity(to, from *Facts) {
	if to.Src == "" {
		to.Src, to.SrcE164, to.SrcCountry = from.Src, from.SrcE164, from.SrcCountry
	}
	if to.Dst == "" {
		to.Dst, to.DstE164, to.DstCountry = from.Dst, from.DstE164, from.DstCountry
	}
	fill(&to.Provider, from.Provider)
	fill(&to.ParentCallID, from.ParentCallID)
	fill(&to.Account, from.Account)
	fill(&to.Direction, from.Direction)
	fill(&to.DID, from.DID)
	fill(&to.SrcName, from.SrcName)
	fill(&to.Trunk, from.Trunk)
	fill(&to.Tag, from.Tag)
	fill(&to.SIPCallID, from.SIPCallID)
}

// mergeOutcome lets a later event speak over an earlier one, unless it does not
// know how the call came out and the earlier one does (VoipNow: UNKNOWN of an
// extension that did not pick up, after ANSWER of another).
func mergeOutcome(to, from *Facts) {
	if from.Duration.Valid {
		to.Duration = from.Duration
	}
	if from.Billsec.Valid {
		to.Billsec = from.Billsec
	}
	to.MachineDetected = either(to.MachineDetected, from.MachineDetected)
	if from.Disposition == Unknown && to.Disposition.decides() {
		return
	}
	replace(&to.Disposition, from.Disposition)
	replace(&to.SIPCode, from.SIPCode)
	replace(&to.Q850Cause, from.Q850Cause)
	replace(&to.HangupCause, from.HangupCause)
	replace(&to.HangupBy, from.HangupBy)
}

func mergeTariff(to, from *Facts) {
	if !to.Rate.Valid {
		to.Rate = from.Rate
	}
	if to.FirstIncrement == nil {
		to.FirstIncrement = from.FirstIncrement
	}
	if to.NextIncrement == nil {
		to.NextIncrement = from.NextIncrement
	}
	fill(&to.Currency, from.Currency)
}

// either is true when one of both is, nil when neither says.
func either(a, b *bool) *bool {
	if a == nil || b != nil && *b {
		return b
	}
	return a
}

func fill[T comparable](to *T, from T) {
	var none T
	if *to == none {
		*to = from
	}
}

func replace[T comparable](to *T, from T) {
	var none T
	if from != none {
		*to = from
	}
}
