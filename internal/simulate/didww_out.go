package simulate

import (
	"fmt"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// didwwOut tells a Voice OUT call and returns its CDR, and now and then another
// version of it with a lower price.
func (s *story) didwwOut(p plot) []line {
	id := fmt.Sprintf("%s%d@pbx.example.com", mark("didww", s.seed), p.n)
	f := newFee(s.between(20, 900), p.talk, 30, 6)
	c := p.call()
	c.Rate, c.SIPCallID = amount(f.rate), id
	r := s.expect(cdr.StartedKey(id, p.started), c)
	r.loose = []string{"currency"}

	common := object{
		"source_ip": "198.51.100.7", "source_port": 5060, "call_id": id, "pop": "FRA",
		"original_src_number": "0" + p.ours[2:], "src_number": p.ours, "dst_number": p.theirs, "trunk_name": "Trunk 1",
		"time_start": zoned(p.started), "initial_billing_interval": 30, "next_billing_interval": 6, "p_charge_info": nil,
	}
	s.didwwEvents(r, p, "outbound-call", fmt.Sprintf("10-51D51D51-%08X", p.n), common.with(object{"rate": f.rate.StringFixed(4)}))
	if p.alive {
		return nil
	}
	code, reason, _ := didwwEnd(p.outcome)
	attributes := common.with(object{
		"time_connect": zonedOrNull(p.answered), "time_end": zoned(p.ended), "duration": p.talk,
		"success": p.outcome == cdr.Answered, "disconnect_code": code, "disconnect_reason": reason, "call_type": "INTERNATIONAL",
		"source_protocol": "TLS", "rate": number(f.rate), "user_agent": "Asterisk PBX 18.9.0",
		"billing_duration": nil, "price": 0,
	})
	c.Billsec, c.SIPCode, c.CDRs = whole(p.talk), code, 1
	c.Cost = whole(0)
	if p.outcome == cdr.Answered {
		attributes["billing_duration"], attributes["price"] = f.charged, number(f.price)
		c.ChargedSec, c.Cost = whole(f.charged), amount(f.price)
	}
	record := object{"type": "outbound-cdr", "id": s.uuid(1, p.n), "attributes": attributes}
	return s.didwwVersions(r, p, record, "price")
}
