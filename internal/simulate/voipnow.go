package simulate

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// extension is a telephone of the PBX and the rules that it has.
type extension struct {
	name    string
	flow    string // IN or OUT, as it sees the call
	answers bool   // it picks up, or is picked up
	quits   bool   // it stops ringing before the others
}

// voipnow tells a call of a PBX whose extensions each report their view of it.
// There are no times in it, so that those of the row are those of receipt.
func (s *story) voipnow(n int) {
	p := s.plot(n)
	c := p.call()
	r := s.expect(fmt.Sprintf("%s%08x", mark("voipnow", s.seed), n), c)
	call, extensions := s.voipnowParties(p, c)
	call["CallID"] = r.id
	answered := p.outcome == cdr.Answered
	if !answered && !p.alive {
		c.Disposition = cdr.Unknown // no reason is given
	}
	w := voipnowWay{
		hints: answered || s.percent(85), // without, ANSWER is ambiguous
		rules: s.percent(75),
		get:   s.percent(50), plain: s.percent(40), byQuery: s.percent(30),
	}
	r.loose = []string{"currency", "started_at"}
	if !p.alive {
		r.loose = append(r.loose, "ended_at", "duration")
	}
	switch {
	case answered && w.rules:
		r.loose = append(r.loose, "answered_at", "billsec")
	case answered: // when, nobody says
		c.AnsweredAt = time.Time{}
		if p.alive {
			c.State = cdr.StateStarted
		}
	}
	for _, e := range extensions {
		s.voipnowExtension(r, p, call, e, w)
	}
	c.Legs = len(extensions)
	s.voipnowGarbage(r, p, call, w)
}

// voipnowParties says who calls whom: a call between two extensions, a call that
// comes in to one extension or a group of three, or one that goes out.
func (s *story) voipnowParties(p plot, c *cdr.Call) (object, []extension) {
	answered := p.outcome == cdr.Answered
	name := []string{"", "Alice", "Zoë Example"}[s.IntN(3)]
	switch of100 := s.IntN(100); {
	case of100 < 20:
		c.Direction, c.Src, c.Dst, c.SrcE164, c.DstE164 = cdr.Internal, "0003*210", "0003*211", "", ""
		return object{
			"CallerIDNum": c.Src, "CallerIDName": name, "CallerExtension": c.Src, "CalledExtension": c.Dst, "CalledNumber": c.Dst,
		}, []extension{{c.Src, "OUT", answered, false}, {c.Dst, "IN", answered, false}}
	case p.inbound:
		c.Src, c.Dst = c.SrcE164, c.DstE164
		call := object{"CallerIDNum": c.Src, "CallerIDName": name, "CalledDID": c.Dst, "CalledNumber": c.Dst}
		if s.percent(50) {
			return call, []extension{{"0003*210", "IN", answered, false}}
		}
		return call, []extension{{"0003*210", "IN", false, true}, {"0003*211", "IN", answered, false}, {"0003*212", "IN", false, false}}
	}
	c.Src, c.Dst = c.SrcE164, c.DstE164
	return object{"CallerIDNum": c.Src, "CallerExtension": "0003*215", "CalledNumber": c.Dst}, []extension{{"0003*215", "OUT", answered, false}}
}

// voipnowWay is how the rules of a PBX were set up.
type voipnowWay struct {
	hints   bool // the URLs tell the kinds apart
	byQuery bool // by ?event= instead of the path
	rules   bool // there are rules for the answer
	get     bool
	plain   bool // + and * are not encoded
}

func (s *story) voipnowExtension(r *row, p plot, call object, e extension, w voipnowWay) {
	own := "CallerExtension"
	if e.flow == "IN" {
		own = "CalledExtension"
	}
	event := func(at time.Time, hint, status string) {
		r.events++
		r.call.Events++
		parameters := call.with(object{own: e.name, "CallStatus": status, "CallFlow": e.flow})
		s.send(at, s.times(), voipnowRequest("event", hint, parameters, w))
	}
	in := strings.ToLower(e.flow)
	answered := !p.answered.IsZero()
	event(p.started, "dial-"+in, "CALLING")
	if e.answers && w.rules {
		event(p.answered, "answer-"+in, "ANSWER")
	}
	switch {
	case e.answers && !p.alive:
		event(p.ended, "hangup", "ANSWER")
	case !e.answers && answered:
		event(p.answered, "hangup", "UNKNOWN") // another one picked up
	case e.quits && p.alive:
		event(p.started, "hangup", "UNKNOWN") // the others go on ringing
	case !p.alive:
		event(p.ended, "hangup", "UNKNOWN")
	}
}

// voipnowRequest is a GET, or a POST of a form. The parameters may come encoded
// or not; a plain + becomes a blank on the way.
func voipnowRequest(kind, hint string, parameters object, w voipnowWay) delivery {
	values := url.Values{}
	for name, v := range parameters {
		if text := v.(string); text != "" {
			values.Set(name, text)
		}
	}
	text := values.Encode()
	if w.plain {
		text = strings.NewReplacer("%2A", "*", "%2B", "+").Replace(text)
	}
	d := delivery{kind: kind, method: "GET", query: text}
	event := ""
	if w.hints && w.byQuery {
		event = "event=" + hint
	} else if w.hints {
		d.hint = hint
	}
	if w.get {
		d.query = strings.TrimPrefix(event+"&"+text, "&")
		return d
	}
	d.method, d.query, d.body = "POST", event, []byte(text)
	d.header = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	return d
}

func (s *story) voipnowGarbage(r *row, p plot, call object, w voipnowWay) {
	switch of100 := s.oddity(p.n); {
	case of100 < 5:
		unnamed := call.with(object{"CallID": "", "CallStatus": "CALLING", "CallFlow": "IN", "CallerIDName": r.id})
		s.garbage(p.started, voipnowRequest("", "dial-in", unnamed, w))
	case of100 < 9:
		w.hints = false
		r.events++
		s.send(p.started, s.times(), voipnowRequest("unknown kind", "", call.with(object{"CallStatus": "PARKED", "CallFlow": "IN"}), w))
	}
}
