package simulate

// piopiyEvents sends the live events of the conversation. Of a call that came in
// leg a is reported, of one that went out both.
func (s *story) piopiyEvents(v *conversation) {
	a := v.legs[0]
	if v.onlyB {
		s.piopiyEvent(v, v.legs[1], "answered")
		return
	}
	if !v.inbound {
		s.piopiyEvent(v, a, "started")
		if v.look != current {
			s.piopiyEvent(v, a, "ringing")
		}
	}
	if a.answered {
		s.piopiyEvent(v, a, "answered")
		if !v.alive {
			s.piopiyEvent(v, a, "hangup")
		}
	}
	for _, b := range v.legs[1:] {
		if !b.answered {
			continue
		}
		if !v.inbound {
			s.piopiyEvent(v, b, "answered")
		}
		if s.percent(25) {
			s.piopiyStream(v, b)
		}
	}
}

func (s *story) piopiyEvent(v *conversation, l leg, what string) {
	v.events++
	v.row.call.Events++
	m := v.message(l, v.asText)
	at := v.started
	switch what {
	case "answered":
		at = v.answered
	case "hangup":
		at = v.ended
		if v.look != india { // whose hangup carries the time of the answer
			m["time"] = v.ended.UnixMilli()
		}
	}
	m["status"] = piopiyWord(v, l, what)
	if v.look != current {
		m["type"] = "event"
	}
	s.send(at, s.times(), post("event", m.json()))
}

// piopiyWord is the status of a live event: bare words of old, the direction in
// it now. The answer of leg b is called bridged.
func piopiyWord(v *conversation, l leg, what string) string {
	switch {
	case v.look != current:
		return what
	case v.inbound:
		return "in_" + what
	case what == "answered" && l.name == "b":
		return "out_bridged"
	}
	return "out_" + what
}

// piopiyStream sends the events of a media stream. They know the leg only, make
// no call and must not touch one.
func (s *story) piopiyStream(v *conversation, l leg) {
	m := v.message(l, v.asText)
	for _, name := range []string{"to", "conversation_uuid", "request_id", "callerid", "vn", "extra_params"} {
		delete(m, name)
	}
	r := s.expect(l.cmiuuid, nil)
	r.events = 2
	s.send(v.answered, s.times(), post("stream event", m.with(object{
		"status": "stream_connected", "ws_status": `{"status":"connected"}`,
	}).json()))
	s.send(v.ended, s.times(), post("stream event", m.with(object{
		"status": "STREAM_DISCONNECTED", "ws_status": `{"status":"disconnected","message":{"code":1006,"reason":"closed"}}`,
	}).json()))
}

func (s *story) piopiyGarbage(v *conversation) {
	m := v.message(v.legs[0], false)
	switch of100 := s.oddity(v.n); {
	case of100 < 3:
		s.garbage(v.started, post("", object{"type": "cdr", "status": "answered", "duration": 3, "extra_params": v.id}.json()))
	case of100 < 6:
		m["status"] = "answered"
		s.garbage(v.started, post("", m.broken()))
	case of100 < 9:
		v.events++
		m["status"] = "in_parked"
		s.send(v.started, s.times(), post("unknown kind", m.json()))
	}
}
