package simulate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// The looks of PIOPIY's pages, which differ in words and fields.
const (
	older = iota
	current
	india // outbound only; no times but one
)

// conversation is a call of PIOPIY with its legs a and b.
type conversation struct {
	plot
	*row
	look        int
	legs        []leg
	stamp       time.Time // the one time that all live events of a leg carry
	answerTimes bool      // the CDRs say when the legs were answered
	asText      bool      // live events print numbers as texts
	onlyB       bool      // of a call that lives and came in, only leg b was reported so far
	common      object    // what all messages have
}

type leg struct {
	name           string
	cmiuuid        string
	src, dst       string
	answered       bool
	started, ended time.Time
	talk           int
	rate           string
}

// piopiy tells a conversation: live events of its legs, the CDR of each four
// times, perhaps a stream.
func (s *story) piopiy(n int) {
	v := &conversation{plot: s.plot(n), look: s.between(older, current), answerTimes: true}
	v.stamp = v.started.Add(time.Second)
	v.asText = s.percent(10)
	if v.inbound && v.outcome != cdr.Answered {
		v.alive = false // nothing is sent before the end
	}
	v.onlyB = v.inbound && v.alive && s.percent(50)
	if !v.inbound && !v.alive && s.percent(25) {
		v.look, v.stamp = india, v.started
	}
	if v.look == current {
		v.answerTimes = s.percent(50)
	}
	v.row = s.expect(s.uuid(0, n), v.plot.call())
	v.loose = []string{"currency"}
	s.piopiyCommon(v)
	s.piopiyLegs(v)
	s.piopiyEvents(v)
	if v.alive {
		v.piopiyAlive()
	} else {
		s.piopiyCDRs(v)
	}
	s.piopiyGarbage(v)
}

// piopiyCommon says what is the same in all messages of the conversation.
func (s *story) piopiyCommon(v *conversation) {
	v.common = object{"appid": 2222224, "conversation_uuid": v.id, "extra_params": `{ 'Name': 'Akil', 'ID':8915726 }`}
	if v.inbound {
		return
	}
	v.common["request_id"] = v.id
	if v.look == india {
		v.common["request_id"] = s.uuid(3, v.n)
	}
	v.common["callerid"] = "0" + v.ours[2:]
	v.common["vn"] = json.Number(v.ours)
}

// piopiyLegs decides what happens on the legs. Leg b of an answered call may be
// missed; of one that was not answered there is a leg b only where it came in.
func (s *story) piopiyLegs(v *conversation) {
	c := v.row.call
	a := leg{"a", v.id, c.Src, c.Dst, !v.answered.IsZero(), v.started, v.ended, v.talk, "0.450000"}
	if s.percent(50) {
		a.cmiuuid = s.uuid(1, v.n)
	}
	b := a
	b.name = "b"
	if a.answered {
		b.cmiuuid, b.dst = s.uuid(2, v.n), s.british()
		b.answered, b.talk, b.started = s.percent(80) || v.onlyB, v.talk-2, v.started.Add(time.Second)
	}
	if !b.answered {
		b.talk = 0
	}
	if s.percent(30) {
		b.rate = "0.120000"
	}
	v.legs = []leg{a}
	if a.answered || v.inbound {
		v.legs = append(v.legs, b)
	}
}

// piopiyAlive is what the row says while only live events came.
func (v *conversation) piopiyAlive() {
	c := v.row.call
	c.StartedAt = v.stamp
	if v.inbound {
		c.StartedAt = time.Time{} // the first event is the answer
	}
	if v.onlyB { // the direction of leg b is not the call's
		c.Direction = ""
		c.Dst = v.legs[1].dst
		c.DstE164 = "+" + c.Dst
	}
	if !v.answered.IsZero() {
		c.AnsweredAt = v.stamp
	} else if v.look != current {
		c.State = cdr.StateRinging
	}
	for _, l := range v.legs {
		if l.name == "a" || !v.inbound && l.answered {
			c.Legs++
		}
	}
}

// message is what a message of a leg has, live or CDR.
func (v *conversation) message(l leg, asText bool) object {
	direction := "outbound"
	if v.inbound && l.name == "a" {
		direction = "inbound"
	}
	m := v.common.with(object{
		"leg": l.name, "cmiuuid": l.cmiuuid, "direction": direction, "time": v.stamp.UnixMilli(),
		"from": json.Number(l.src), "to": json.Number(l.dst),
	})
	if asText {
		m["from"], m["to"] = l.src, l.dst
	}
	return m
}

// piopiyCDRs sends the CDRs of all legs and says what comes of them.
func (s *story) piopiyCDRs(v *conversation) {
	c := v.row.call
	if v.answered.IsZero() {
		c.Disposition = cdr.NoAnswer // there are two words only
	}
	c.CDRs, c.Legs = len(v.legs), len(v.legs)
	for i := range v.legs {
		s.piopiyCDR(v, &v.legs[i])
	}
	c.Billsec = whole(v.talk)
	if v.look == india {
		c.StartedAt, c.AnsweredAt, c.EndedAt, c.Duration = v.stamp, time.Time{}, time.Time{}, cdr.Amount{}
		if !v.answered.IsZero() {
			c.AnsweredAt, c.EndedAt = v.stamp, v.stamp // of the live events
		}
		return
	}
	rates := map[string]bool{}
	for _, l := range v.legs {
		if l.answered {
			rates[l.rate] = true
		}
	}
	switch len(rates) {
	case 0:
		c.Rate = whole(0)
	case 1:
		for rate := range rates {
			c.Rate = amount(decimal.RequireFromString(rate))
		}
	}
}

// piopiyCDR sends the CDR of a leg at once and after 5, 15 and 30 minutes, each
// time with another balance; now and then a version with a lower rate replaces
// it.
func (s *story) piopiyCDR(v *conversation, l *leg) {
	m := v.message(*l, false).with(object{"status": "missed", "duration": l.talk})
	if l.answered {
		m["status"] = "answered"
	}
	if v.look != current {
		m["type"] = "cdr"
	}
	if v.look != india {
		v.piopiyTimes(m, *l)
	}
	v.events++
	v.row.call.Events++
	balance := 878.9
	at := v.ended
	for i, pause := range []int{0, 5, 10, 15} {
		if v.look != india {
			m["balance"] = fmt.Sprintf("%.6f", balance-float64(i))
		}
		at = s.send(at.Add(time.Duration(pause)*time.Minute), 1, post("CDR", m.json()))
	}
	if l.answered && v.look != india && s.percent(8) {
		l.rate = "0.300000"
		v.events++
		v.row.call.Events++
		s.send(at.Add(time.Minute), s.times(), post("CDR corrected", m.with(object{"call_rate": l.rate}).json()))
	}
}

func (v *conversation) piopiyTimes(m object, l leg) {
	m["start_time"], m["end_time"] = l.started.Unix(), l.ended.Unix()
	m["call_rate"] = 0
	switch {
	case l.answered:
		m["call_rate"] = l.rate
		if v.answerTimes {
			m["answer_time"] = l.ended.Add(-time.Duration(l.talk) * time.Second).Unix()
		}
	case v.look == current:
		m["answer_time"] = l.ended.Add(8 * time.Second).Unix() // left over from another call
	}
}
