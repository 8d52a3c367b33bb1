package simulate

import "time"

// wavixSMS sends an SMS that came in, or the delivery reports of one that was
// sent, in any order.
func (s *story) wavixSMS(w *wavixCall) {
	s.messages++
	body := object{"message_id": s.uuid(1, w.n), "message_type": "sms", "from": w.theirs, "to": w.ours}
	if w.inbound {
		s.send(w.started, s.times(), post("SMS", body.with(object{
			"message_body": object{"text": "Where are you?", "media": []string{}}, "received_at": millis(w.started),
		}).json()))
		return
	}
	for i, status := range []string{"sent", "delivered"} {
		report := body.with(object{
			"status": status, "segments_count": 1, "sent": millis(w.started), "delivered": nil, "charge": "0.0070",
			"carrier_fees": "0.0000", "tag": "", "error": nil,
		})
		if status == "delivered" {
			report["delivered"] = millis(w.started.Add(3 * time.Second))
		}
		s.send(w.started.Add(time.Duration(i)*3*time.Second), s.times(), post("SMS report", report.json()))
	}
}

func (s *story) wavixGarbage(w *wavixCall) {
	switch of100 := s.oddity(w.n); {
	case of100 < 3:
		unnamed := w.wavixEvent(w.started, "call_setup").with(object{"tag": w.id})
		delete(unnamed, "uuid")
		s.garbage(w.started, post("", unnamed.json()))
	case of100 < 6:
		s.garbage(w.started, post("", w.wavixEvent(w.started, "call_setup").broken()))
	case of100 < 9:
		w.events++
		s.send(w.started, s.times(), post("unknown kind", w.wavixEvent(w.started, "call_parked").json()))
	}
}
