package simulate

import (
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
	if p.alive {
		return nil
	}
	attempt, lines := 1, []line(nil)
	if !refused && s.percent(20) {
		lines, attempt = s.didwwFirstAttempt(r, p), 2
	}
	a := s.didwwAttempt(p, id, attempt)
	if refused {
		a = a.with(object{"internal_disconnect_code": 480, "internal_disconnect_reason": "DID number overloaded", "disconnect_initiator": 1})
	}
	if attempt == 1 {
		c.Dst = a["dst_number"].(string)
		c.DstE164 = "+" + c.Dst
	} else {
		a["time_start"] = s.bare(p.started.Add(didwwReroute))
	}
	c.Billsec, c.SIPCode = whole(p.talk), a["internal_disconnect_code"].(int)
	c.Legs, c.CDRs = attempt, attempt
	group := s.didwwCharge(p, a, c)
	record := object{"type": "inbound-cdr", "id": s.uuid(1, p.n), "attributes": a}
	if s.percent(20) {
		delete(record, "id") // the newest page shows none
	}
	return append(lines, s.didwwVersions(r, p, record, group)...)
}

// didwwReroute is how long the first of two attempts rings.
const didwwReroute = 2500 * time.Millisecond

// didwwFirstAttempt returns the CDR of an attempt that another one follows. It
// names the called of the call.
func (s *story) didwwFirstAttempt(r *row, p plot) []line {
	p.outcome, p.answered, p.talk = cdr.Busy, time.Time{}, 0
	p.ended = p.started.Add(didwwReroute)
	attributes := s.didwwAttempt(p, r.id, 1)
	attributes["is_last_cdr"] = false
	r.call.Dst = attributes["dst_number"].(string)
	r.call.DstE164 = "+" + r.call.Dst
	return s.didwwVersions(r, p, object{"type": "inbound-cdr", "id": s.uuid(2, p.n), "attributes": attributes}, "")
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

// didwwCharge lets one or two services charge an answered call, and the reseller
// its customer, which is nobody's cost here. It returns the field of the price.
func (s *story) didwwCharge(p plot, a object, c *cdr.Call) string {
	if p.outcome != cdr.Answered {
		return ""
	}
	services := []string{"trm_"}
	if s.percent(40) {
		services = []string{"tf_"}
	}
	if s.percent(20) {
		services = append(services, "metered_channels_")
	}
	cost, charged := decimal.Zero, 0
	for _, service := range services {
		f := newFee(s.between(20, 900), p.talk, 60, 60)
		a[service+"rate"], a[service+"duration"], a[service+"amount"] = number(f.rate), f.charged, number(f.price)
		a[service+"initial_interval"], a[service+"next_interval"] = 60, 60
		cost, charged = cost.Add(f.price), charged+f.charged
		c.Rate = amount(f.rate)
	}
	a["sub_customer_"+services[0]+"amount"], a["sub_customer_"+services[0]+"duration"] = 9.99, charged
	if len(services) > 1 {
		c.Rate = cdr.Amount{}
	}
	vat := cost.Div(decimal.NewFromInt(5)).Round(5)
	a["customer_vat"] = number(vat)
	c.Cost, c.ChargedSec, c.Tax = amount(cost), whole(charged), amount(vat)
	return services[0] + "amount"
}
