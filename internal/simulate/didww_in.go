package simulate

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// didwwIn tells a Voice IN call and returns the CDRs of its routing attempts.
func (s *story) didwwIn(p plot) []line {
	id := "10-" + mark("didww", s.seed) + fmt.Sprintf("%08X", p.n)
	refused := p.outcome == cdr.Failed && s.percent(50) // by DIDWW itself: no event, no time passes
	if refused {
		p.alive, p.ended = false, p.started
	}
	c := p.call()
	r := s.expect(id, c)
	r.loose = []string{"currency"}
	if !refused {
		s.didwwEvents(r, p, "incoming-call", id, object{
			"time_start": zoned(p.started), "did_number": p.ours, "src_number": p.theirs,
			"call_id": fmt.Sprintf("26-26-51D51D51-%08X", p.n),
		})
	}
	var lines []line
	if !refused && s.percent(25) {
		lines = s.didwwFirstAttempt(r, p)
	}
	if p.alive {
		return lines
	}
	c.Legs++
	c.CDRs++
	a := s.didwwAttempt(p, id, c.Legs)
	switch {
	case refused:
		a["internal_disconnect_code"], a["internal_disconnect_reason"], a["disconnect_initiator"] = 480, "DID number overloaded", 1
	case c.Legs == 2:
		a["time_start"] = s.bare(p.started.Add(didwwReroute))
	}
	if c.Legs == 1 {
		c.Dst = a["dst_number"].(string)
		c.DstE164 = "+" + c.Dst
	}
	c.Billsec, c.SIPCode = whole(p.talk), a["internal_disconnect_code"].(int)
	price := ""
	if p.outcome == cdr.Answered {
		services := [][]string{{"trm_"}, {"tf_"}, {"tf_", "metered_channels_"}}[s.IntN(3)]
		price = services[0] + "amount"
		s.didwwCharge(c, a, p.talk, services...)
	}
	record := object{"type": "inbound-cdr", "id": s.uuid(1, p.n), "attributes": a}
	if s.percent(20) {
		delete(record, "id") // the newest page shows none
	}
	return append(lines, s.didwwVersions(r, p, record, price)...)
}

// didwwReroute is how long the first of two attempts rings.
const didwwReroute = 2500 * time.Millisecond

// didwwFirstAttempt returns the CDR of an attempt that another one follows. It
// names the called of the call, and may have been charged for.
func (s *story) didwwFirstAttempt(r *row, p plot) []line {
	p.outcome, p.answered, p.talk = cdr.Busy, time.Time{}, 0
	p.ended = p.started.Add(didwwReroute)
	a := s.didwwAttempt(p, r.id, 1)
	a["is_last_cdr"] = false
	c := r.call
	c.Legs, c.CDRs, c.Dst = 1, 1, a["dst_number"].(string)
	c.DstE164 = "+" + c.Dst
	if s.percent(30) {
		s.didwwCharge(c, a, 1, "metered_channels_")
	}
	return s.didwwVersions(r, p, object{"type": "inbound-cdr", "id": s.uuid(2, p.n), "attributes": a}, "")
}

// bare prints a time as inbound CDRs do, without a zone: with a blank as of old
// or a T.
func (s *story) bare(at time.Time) string {
	text := at.Format("2006-01-02 15:04:05.000000")
	if s.percent(50) {
		text = strings.Replace(text, " ", "T", 1)
	}
	return text
}

// didwwAttempt returns the attributes of an inbound CDR that cost nothing.
func (s *story) didwwAttempt(p plot, id string, attempt int) object {
	code, reason, by := didwwEnd(p.outcome)
	dst := s.british()
	a := object{
		"local_tag": id, "term_call_id": "", "routing_attempt": attempt, "is_last_cdr": true, "is_redirected": attempt > 1,
		"did_number": p.ours, "dst_number": dst, "src_number": p.theirs, "src_name": "", "trunk_destination": "sip:" + dst + "@pbx.example.com",
		"out_pop_id": 1, "transport_protocol_id": nil, "user_agent": nil,
		"time_start": s.bare(p.started), "time_connect": nil, "time_end": s.bare(p.ended), "duration": p.talk,
		"success": p.outcome == cdr.Answered, "early_media_present": false, "disconnect_initiator": by,
		"internal_disconnect_code": code, "internal_disconnect_reason": reason,
		"legb_disconnect_code": code, "legb_disconnect_reason": reason, "customer_vat": nil,
	}
	if !p.answered.IsZero() {
		a["time_connect"] = s.bare(p.answered)
	}
	for _, service := range []string{"tf_", "trm_", "metered_channels_", "sub_customer_tf_", "sub_customer_trm_"} {
		for _, field := range []string{"initial_interval", "next_interval", "duration", "amount"} {
			a[service+field] = nil
		}
		a[service+"rate"], a[service+"connection_fee"] = 0, 0
	}
	for _, service := range []string{"tf_", "trm_", "metered_channels_"} {
		a[service+"amount_no_vat"] = nil
	}
	a["metered_channels_rate"], a["metered_channels_connection_fee"] = nil, nil
	return a
}

// didwwCharge lets services charge in an attempt, which adds to what the call
// cost. The reseller charges its customer too; that is nobody's cost here. The
// call has a rate where all that charged agree.
func (s *story) didwwCharge(c *cdr.Call, a object, talk int, services ...string) {
	before, first := c.Rate, !c.Cost.Valid
	cost, charged := decimal.Zero, 0
	for _, service := range services {
		f := newFee(s.between(20, 900), talk, 60, 60)
		a[service+"rate"], a[service+"duration"], a[service+"amount"] = number(f.rate), f.charged, number(f.price)
		a[service+"initial_interval"], a[service+"next_interval"] = 60, 60
		cost, charged = cost.Add(f.price), charged+f.charged
		c.Rate = amount(f.rate)
	}
	if len(services) > 1 || !first && !before.Decimal.Equal(c.Rate.Decimal) {
		c.Rate = cdr.Amount{}
	}
	a["sub_customer_tf_amount"], a["sub_customer_tf_duration"] = json.Number("9.99"), charged
	vat := cost.Div(decimal.NewFromInt(5)).Round(5)
	a["customer_vat"] = number(vat)
	c.Cost = amount(c.Cost.Decimal.Add(cost))
	c.Tax = amount(c.Tax.Decimal.Add(vat))
	c.ChargedSec = amount(c.ChargedSec.Decimal.Add(decimal.NewFromInt(int64(charged))))
}
