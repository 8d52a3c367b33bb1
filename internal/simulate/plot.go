package simulate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// gap is the time from one call of a provider to the next.
const gap = 10 * time.Second

// plot is what happens in a call, whoever reports it. Its moments are whole
// seconds.
type plot struct {
	n        int // of the provider's calls
	inbound  bool
	outcome  cdr.Disposition
	alive    bool // when the simulation ends
	started  time.Time
	answered time.Time // zero: not
	ended    time.Time
	talk     int    // seconds
	theirs   string // the number of the customer's peer, and the customer's own, as digits
	ours     string
}

// day is when the first calls of a seed begin: a morning of 2025.
func day(seed uint64) time.Time {
	return time.Date(2025, time.January, 1+int(seed%365), 8, 0, 0, 0, time.UTC)
}

// earliest is before everything that call n sends.
func earliest(seed uint64, n int) time.Time { return day(seed).Add(time.Duration(n) * gap) }

func (s *story) plot(n int) plot {
	s.Rand = chance(s.seed, s.provider, "call", n)
	p := plot{n: n, inbound: s.percent(55), alive: s.percent(10)}
	p.started = earliest(s.seed, n).Add(time.Duration(s.IntN(10)) * time.Second)
	p.ended = p.started.Add(time.Duration(s.between(4, 30)) * time.Second)
	switch of100 := s.IntN(100); {
	case of100 < 60:
		p.outcome = cdr.Answered
		p.talk = s.between(5, 400)
		p.answered = p.ended
		p.ended = p.answered.Add(time.Duration(p.talk) * time.Second)
	case of100 < 75:
		p.outcome = cdr.NoAnswer
	case of100 < 85:
		p.outcome = cdr.Busy
	case of100 < 95:
		p.outcome = cdr.Cancelled
	default:
		p.outcome = cdr.Failed
	}
	p.theirs, p.ours = s.fiction(), s.british()
	return p
}

// british returns a number that is reserved for drama: 020 7946 0xxx.
func (s *story) british() string { return fmt.Sprintf("44207946%04d", s.IntN(1000)) }

// fiction returns a number that nobody has, British or American (555-01xx).
func (s *story) fiction() string {
	if s.percent(40) {
		return s.british()
	}
	areas := []string{"202", "212", "312", "415"}
	return fmt.Sprintf("1%s555%04d", areas[s.IntN(len(areas))], s.between(100, 199))
}

// call is the row of the plot as far as it is the same whoever reports it.
func (p *plot) call() *cdr.Call {
	c := &cdr.Call{
		Direction: cdr.Outbound, Src: p.ours, Dst: p.theirs,
		State: cdr.StateEnded, Disposition: p.outcome,
		StartedAt: p.started, AnsweredAt: p.answered, EndedAt: p.ended,
	}
	if p.inbound {
		c.Direction, c.Src, c.Dst = cdr.Inbound, p.theirs, p.ours
	}
	c.SrcE164, c.DstE164 = "+"+c.Src, "+"+c.Dst
	if p.alive {
		c.EndedAt, c.Disposition, c.State = time.Time{}, "", cdr.StateStarted
		if p.outcome == cdr.Answered {
			c.State = cdr.StateAnswered
		}
		return c
	}
	c.Duration = span(p.started, p.ended)
	return c
}

// span is the time between two moments in seconds.
func span(from, to time.Time) cdr.Amount {
	return decimal.NewNullDecimal(decimal.New(to.Sub(from).Microseconds(), -6))
}

func amount(d decimal.Decimal) cdr.Amount { return decimal.NewNullDecimal(d) }

func whole(n int) cdr.Amount { return decimal.NewNullDecimal(decimal.NewFromInt(int64(n))) }

// fee is what a call of some seconds costs: charged by a first and further
// increments, at a rate per minute in units of 0.0001.
type fee struct {
	rate    decimal.Decimal
	charged int // seconds
	price   decimal.Decimal
}

func newFee(rate, seconds, first, next int) fee {
	f := fee{rate: decimal.New(int64(rate), -4), charged: first}
	for f.charged < seconds {
		f.charged += next
	}
	f.price = f.rate.Mul(decimal.NewFromInt(int64(f.charged))).DivRound(decimal.NewFromInt(60), 6)
	return f
}

// number is a decimal as a JSON number, as sent.
func number(d decimal.Decimal) json.Number { return json.Number(d.String()) }
