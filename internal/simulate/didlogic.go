package simulate

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// didlogic tells a call: a CDR of the first edition or of the newer one, perhaps
// recordings. An SMS may come by the way. Calls that live are not reported.
func (s *story) didlogic(n int) {
	p := s.plot(n)
	p.alive = false
	number := strconv.FormatInt(int64(n), 36)
	id := mark("didlogic", s.seed) + strings.Repeat("0", 4-len(number)) + number
	r := s.expect(id, p.call())
	r.loose = []string{"currency"}
	s.didlogicCDR(r, p)
	if p.outcome == cdr.Answered && s.percent(50) {
		s.didlogicRecordings(r, p)
	}
	if s.percent(25) {
		s.didlogicSMS(p)
	}
	s.didlogicGarbage(r, p)
}

// didlogicCDR sends the one CDR of a call. The first edition has no billsec, so
// that the answer and the talk time stay unknown. A correction has another
// length of the call, for there are no prices.
func (s *story) didlogicCDR(r *row, p plot) {
	c := r.call
	body := object{
		"event": "cdr", "callid": r.id, "calldate": p.started.Format(time.RFC3339), "direction": string(c.Direction),
		"disposition": didlogicWord(p.outcome), "src": c.Src, "dst": c.Dst,
		"duration": int(p.ended.Sub(p.started).Seconds()), "user_id": 104711,
	}
	c.AnsweredAt = time.Time{}
	newer := s.percent(70)
	if newer {
		body["billsec"] = p.talk
		c.Billsec, c.AnsweredAt = whole(p.talk), p.answered
	}
	c.CDRs, c.Events, r.events = 1, 1, 1
	at := p.ended
	if s.percent(25) {
		at = at.Add(3 * time.Minute) // what was sent before did not get through
	}
	at = s.send(at, s.times(), post("CDR", body.json()))
	if newer && p.outcome == cdr.Answered && s.percent(8) {
		body["duration"], body["billsec"] = body["duration"].(int)-2, p.talk-2
		c.Billsec, c.EndedAt = whole(p.talk-2), p.ended.Add(-2*time.Second)
		c.Duration = span(c.StartedAt, c.EndedAt)
		c.Events, r.events = 2, 2
		s.send(at.Add(10*time.Minute), s.times(), post("CDR corrected", body.json()))
	}
}

// didlogicRecordings sends notices of one or two recordings, some of them before
// the CDR. A repeated notice has another signature.
func (s *story) didlogicRecordings(r *row, p plot) {
	for part := range s.between(1, 2) {
		r.recordings++
		at := p.ended.Add(time.Duration(s.IntN(180)) * time.Second)
		for range s.times() {
			link := url.URL{Scheme: "https", Host: "recordings.didlogic.example", Path: fmt.Sprintf("/%s-%d.mp3", r.id, part)}
			link.RawQuery = fmt.Sprintf("X-Amz-Date=%s&X-Amz-Expires=604800&X-Amz-Signature=%016x", at.Format("20060102T150405Z"), s.Uint64())
			at = s.send(at, 1, post("recording", object{
				"event": "recording", "callid": r.id, "calldate": p.started.Format(time.RFC3339), "user_id": 104711, "recording_url": link.String(),
			}.json())).Add(30 * time.Second)
		}
	}
}

// didlogicSMS sends an inbound SMS, as a form or in the query. Its text ends
// with a blank, as in DIDLogic's own example.
func (s *story) didlogicSMS(p plot) {
	s.messages++
	values := url.Values{
		"src": {p.theirs}, "dst": {p.ours}, "received_at": {p.started.Format("2006-01-02 15:04:05 UTC")},
		"message": {fmt.Sprintf("Where are you? – %s%d ", mark("didlogic", s.seed), p.n)},
	}
	d := delivery{kind: "SMS", method: "POST", body: []byte(values.Encode()), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	if s.percent(40) {
		d = delivery{kind: "SMS", method: "GET", query: values.Encode()}
	}
	s.send(p.started, s.times(), d)
}

func (s *story) didlogicGarbage(r *row, p plot) {
	body := object{"event": "transfer", "callid": r.id, "calldate": p.started.Format(time.RFC3339)}
	switch of100 := s.oddity(p.n); {
	case of100 < 3:
		s.garbage(p.ended, post("", object{"event": "recording", "recording_url": "https://recordings.didlogic.example/" + r.id}.json()))
	case of100 < 6:
		s.garbage(p.ended, post("", body.broken()))
	case of100 < 9:
		r.events++
		s.send(p.ended, s.times(), post("unknown kind", body.json()))
	}
}

// didlogicWord is the word of an outcome: the page shows ANSWERED, the others are
// Asterisk's.
func didlogicWord(outcome cdr.Disposition) string {
	switch outcome {
	case cdr.Answered:
		return "ANSWERED"
	case cdr.NoAnswer:
		return "NO ANSWER"
	case cdr.Busy:
		return "BUSY"
	case cdr.Cancelled:
		return "CANCEL"
	}
	return "CONGESTION"
}
