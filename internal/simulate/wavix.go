package simulate

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// wavixCall is a call of Wavix: events of the webhook on-call, a CDR of the
// webhook post-call.
type wavixCall struct {
	plot
	*row
	old bool // the older edition: other names, no direction
}

// wavix tells a call. A transcription, an SMS or the reports of one may come by
// the way.
func (s *story) wavix(n int) {
	w := &wavixCall{plot: s.plot(n), old: s.percent(25)}
	w.row = s.expect(s.uuid(0, n), w.plot.call())
	s.wavixEvents(w)
	switch {
	case w.alive:
		w.wavixLive()
	case w.old || s.percent(90):
		s.wavixCDR(w)
	default:
		w.wavixLive()
	}
	if !w.alive && w.outcome == cdr.Answered && s.percent(20) {
		w.events++
		s.send(w.ended, s.times(), post("transcription", object{"uuid": w.id, "status": "completed"}.json()))
	}
	if s.percent(30) {
		s.wavixSMS(w)
	}
	s.wavixGarbage(w)
}

// wavixLive is what the row says as long as there is no CDR: the caller with
// its +, no price; nobody says why a call was not answered but by busy,
// cancelled and rejected.
func (w *wavixCall) wavixLive() {
	c := w.row.call
	c.Src = "+" + c.Src
	if w.alive && w.outcome != cdr.Answered {
		c.State = cdr.StateRinging
	}
	if w.old {
		c.Direction = "" // only old calls that live
	}
	if w.alive {
		return
	}
	switch w.outcome {
	case cdr.Answered:
		c.Billsec = whole(w.talk)
	case cdr.NoAnswer:
		c.Disposition = cdr.Unknown
	case cdr.Failed:
		c.Disposition = cdr.Rejected
	}
}

// wavixEvents sends the live events. Each repeats the times known so far.
func (s *story) wavixEvents(w *wavixCall) {
	event := func(at time.Time, what string, more object) {
		w.events++
		w.row.call.Events++
		body := w.wavixEvent(at, what).with(more)
		if w.old {
			body["call_finished"] = body["call_completed"]
			delete(body, "call_completed")
		}
		s.send(at, s.times(), post("on-call", body.json()))
	}
	var placeholders object
	if s.percent(10) { // as in the page's own example
		placeholders = object{
			"call_answered": "2023-08-25T10:00:10.000Z", "call_completed": "2023-08-25T10:01:10.000Z",
			"event_payload": object{"type": "audio", "payload": object{"status": "completed", "playback_id": "p-1"}},
		}
	}
	event(w.started, "call_setup", placeholders)
	event(w.started.Add(time.Second), "ringing", nil)
	if w.outcome == cdr.Answered {
		event(w.answered, "answered", nil)
		if s.percent(20) {
			event(w.answered.Add(2*time.Second), "on_call_event", object{
				"event_payload": object{"type": "audio", "payload": object{"status": "completed", "playback_id": fmt.Sprint(w.n)}},
			})
		}
	}
	if !w.alive {
		event(w.ended, wavixEnd(w.outcome), nil)
	}
}

func (w *wavixCall) wavixEvent(at time.Time, what string) object {
	c := w.row.call
	body := object{
		"uuid": w.id, "event_type": what, "event_time": millis(at.Add(wavixLag)), "event_payload": object{},
		"from": "+" + c.Src, "to": c.Dst, "call_started": millis(w.started), "call_answered": nil, "call_completed": nil,
		"machine_detected": false, "tag": "", "direction": string(c.Direction),
	}
	if !w.answered.IsZero() && !at.Before(w.answered) {
		body["call_answered"] = millis(w.answered)
	}
	if !at.Before(w.ended) {
		body["call_completed"] = millis(w.ended)
	}
	if w.old {
		delete(body, "direction")
	}
	return body
}

// wavixLag is how long after what it reports an event is stamped.
const wavixLag = 150 * time.Millisecond

// wavixEnd is the type of the event that ends a call. There is none for a call
// that nobody answered.
func wavixEnd(outcome cdr.Disposition) string {
	switch outcome {
	case cdr.Busy:
		return "busy"
	case cdr.Cancelled:
		return "cancelled"
	case cdr.Failed:
		return "rejected"
	}
	return "completed"
}

// wavixCDR sends the CDR, which has no word for cancelled, and now and then a
// version of it with a lower price.
func (s *story) wavixCDR(w *wavixCall) {
	c := w.row.call
	word := string(w.outcome)
	if w.outcome == cdr.NoAnswer || w.outcome == cdr.Cancelled {
		word, c.Disposition = "noanswer", cdr.NoAnswer
	}
	f := newFee(s.between(20, 900), w.talk, 60, 60)
	if w.outcome != cdr.Answered {
		f.price = decimal.Zero
	}
	body := object{
		"uuid": w.id, "date": w.started.Format(time.RFC3339), "from": c.Src, "to": c.Dst, "disposition": word,
		"duration": w.talk, "destination": "United Kingdom", "per_minute": f.rate.String(), "charge": f.price.String(), "direction": string(c.Direction),
	}
	if w.old {
		w.wavixOld(body)
	}
	c.Billsec, c.Rate, c.Cost, c.Currency, c.CDRs = whole(w.talk), amount(f.rate), amount(f.price), "USD", 1
	c.Events++
	w.events++
	at := s.send(w.ended, s.times(), post("post-call", body.json()))
	if w.outcome == cdr.Answered && s.percent(10) {
		c.Cost.Decimal = f.price.Div(decimal.NewFromInt(2)).Round(5)
		c.Events++
		w.events++
		body["charge"] = c.Cost.Decimal.String()
		s.send(at.Add(10*time.Minute), s.times(), post("post-call corrected", body.json()))
	}
}

// wavixOld makes a CDR one of the first edition: no direction, but fields that
// tell it. A parent that is the call itself is none.
func (w *wavixCall) wavixOld(body object) {
	delete(body, "direction")
	body["parent_uuid"] = w.id
	body["answered_by"] = nil
	if w.inbound {
		body["forward_fee"] = "0.0100"
	} else {
		body["sip_trunk"] = "trunk-1"
	}
}

func millis(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }
