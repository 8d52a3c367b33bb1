package cdr

import "time"

// quality orders moments by how far they can be trusted.
type quality int

const (
	missing   quality = iota
	receipt           // our own clock, because the provider sends none
	derived           // the provider's, but calculated or approximate
	delivered         // the provider's word for this very moment
)

// stamp is a moment and how far it can be trusted.
type stamp struct {
	at      time.Time
	quality quality
}

// earlier returns the better stamp, of equally good ones the earlier.
func (s stamp) earlier(o stamp) stamp {
	if o.quality > s.quality || o.quality == s.quality && o.at.Before(s.at) {
		return o
	}
	return s
}

// later returns the better stamp, of equally good ones the later.
func (s stamp) later(o stamp) stamp {
	if o.quality > s.quality || o.quality == s.quality && o.at.After(s.at) {
		return o
	}
	return s
}

// over returns the better stamp, of equally good ones s.
func (s stamp) over(o stamp) stamp {
	if o.quality > s.quality {
		return o
	}
	return s
}

// stamps are the four moments of a part or a call.
type stamps struct{ started, ringing, answered, ended stamp }

func (s *stamps) add(e *Event) {
	f := e.Facts
	take := func(m Moment, at time.Time, kind Kind) stamp {
		switch {
		case at.IsZero() && e.Clock == ClockReceiver && e.Kind == kind:
			return stamp{e.ReceivedAt, receipt}
		case at.IsZero():
			return stamp{}
		case f.IsDerived(m):
			return stamp{at, derived}
		}
		return stamp{at, delivered}
	}
	s.earliest(stamps{
		started:  take(MomentStarted, f.StartedAt, KindStarted),
		ringing:  take(MomentRinging, f.RingingAt, KindRinging),
		answered: take(MomentAnswered, f.AnsweredAt, KindAnswered),
		ended:    take(MomentEnded, f.EndedAt, KindEnded),
	})
}

// earliest widens s to hold o: the earliest start, ringing and answer, the
// latest end.
func (s *stamps) earliest(o stamps) {
	s.started = s.started.earlier(o.started)
	s.ringing = s.ringing.earlier(o.ringing)
	s.answered = s.answered.earlier(o.answered)
	s.ended = s.ended.later(o.ended)
}

// over fills the moments that o knows better.
func (s *stamps) over(o stamps) {
	s.started = s.started.over(o.started)
	s.ringing = s.ringing.over(o.ringing)
	s.answered = s.answered.over(o.answered)
	s.ended = s.ended.over(o.ended)
}

// dropEarlyEnd removes an end before the start, both of the provider's clock.
func (s *stamps) dropEarlyEnd() {
	if s.ended.quality > receipt && s.started.quality > receipt && s.ended.at.Before(s.started.at) {
		s.ended = stamp{}
	}
}

// dropStrayAnswer removes an answer outside of start and end.
func (s *stamps) dropStrayAnswer() {
	at := s.answered.at
	if at.IsZero() {
		return
	}
	beforeStart := !s.started.at.IsZero() && at.Before(s.started.at)
	afterEnd := !s.ended.at.IsZero() && at.After(s.ended.at)
	if beforeStart || afterEnd {
		s.answered = stamp{}
	}
}

// clock says whose time the moments are: the receiver's when one of them is, or
// when there are none.
func (s *stamps) clock() Clock {
	clock := ClockReceiver
	for _, m := range []stamp{s.started, s.ringing, s.answered, s.ended} {
		if m.quality == receipt {
			return ClockReceiver
		}
		if m.quality > receipt {
			clock = ClockProvider
		}
	}
	return clock
}

// seconds returns the time from one moment to another, and nothing where one is
// missing or they are out of order. Two approximate moments at one instant are
// one stamp printed twice (PIOPIY repeats the call's on each event): they
// measure nothing.
func seconds(from, to stamp) Amount {
	if from.at.IsZero() || to.at.IsZero() || to.at.Before(from.at) {
		return Amount{}
	}
	if (from.quality == receipt) != (to.quality == receipt) {
		return Amount{} // two clocks
	}
	exact := from.quality == delivered && to.quality == delivered
	if from.at.Equal(to.at) && !exact {
		return Amount{}
	}
	return microseconds(to.at.Sub(from.at))
}
