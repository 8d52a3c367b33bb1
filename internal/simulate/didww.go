package simulate

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// line is a CDR of DIDWW that waits for its batch.
type line struct {
	at     time.Time
	json   []byte
	broken bool
}

// didww tells some calls whose CDRs come in common batches.
func (s *story) didww(first, calls int) {
	var lines []line
	for n := first; n < first+calls; n++ {
		p := s.plot(n)
		// DIDWW gives its times to the microsecond.
		fraction := time.Duration(s.IntN(1e6)) * time.Microsecond
		p.started, p.ended = p.started.Add(fraction), p.ended.Add(fraction)
		if !p.answered.IsZero() {
			p.answered = p.answered.Add(fraction)
			p.ended = p.ended.Add(time.Duration(s.IntN(9e5)) * time.Microsecond) // of a second that is not counted
		}
		records := s.didwwOut
		if p.inbound {
			records = s.didwwIn
		}
		lines = append(lines, records(p)...)
		lines = append(lines, s.didwwGarbage(p)...)
	}
	s.Rand = chance(s.seed, s.provider, "batches", first)
	s.didwwBatches(lines)
}

// didwwBatches sends the CDRs of several calls in common requests. A batch that
// was not acknowledged in time comes again, whole or in parts.
func (s *story) didwwBatches(lines []line) {
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	for len(lines) > 0 {
		batch := lines[:oneBroken(lines[:min(s.between(1, 5), len(lines))])]
		lines = lines[len(batch):]
		at := batch[len(batch)-1].at.Add(3 * time.Second)
		s.sendAt(at, s.times(), didwwBatch(batch))
		if half := len(batch) / 2; half > 0 && s.percent(10) {
			s.sendAt(at.Add(time.Minute), 1, didwwBatch(batch[half:]))
			s.sendAt(at.Add(time.Minute), 1, didwwBatch(batch[:half]))
		}
	}
}

// oneBroken returns how many lines may go in one batch: two broken ones beside
// each other would be one piece.
func oneBroken(lines []line) int {
	broken := 0
	for i, l := range lines {
		if l.broken {
			broken++
		}
		if broken > 1 {
			return i
		}
	}
	return len(lines)
}

// didwwBatch is one request of the feed of CDRs, an object to a line.
func didwwBatch(batch []line) delivery {
	var body []byte
	for _, l := range batch {
		body = append(append(body, l.json...), '\n')
	}
	return delivery{
		kind: "CDR batch", method: "POST", body: body, records: len(batch),
		header: map[string]string{
			"Content-Type": "text/plain", "Content-Encoding": "gzip", "User-Agent": "CDR-streamer", "Expect": "100-continue",
		},
	}
}

// didwwEvent is one message of the two feeds of events.
func didwwEvent(kind, id string, attributes object) delivery {
	d := post("event", object{"type": kind, "id": id, "attributes": attributes}.json())
	d.header["Content-Type"] = "application/vnd.api+json"
	d.header["User-Agent"] = "CDR-streamer"
	return d
}

// didwwEvents sends what the feed of events says about a call.
func (s *story) didwwEvents(r *row, p plot, kind, id string, attributes object) {
	event := func(at time.Time, what string, more object) {
		r.events++
		r.call.Events++
		s.send(at, s.times(), didwwEvent(kind+what, id, attributes.with(more)))
	}
	event(p.started, "-start-event", nil)
	if p.outcome == cdr.Answered {
		event(p.answered, "-connect-event", object{"time_connect": zoned(p.answered)})
	}
	if !p.alive {
		event(p.ended, "-end-event", object{
			"time_connect": zonedOrNull(p.answered), "time_end": zoned(p.ended), "duration": p.talk,
		})
	}
}

// didwwVersions returns a CDR and, now and then, a later version of it with a
// lower price, which is the one that counts.
func (s *story) didwwVersions(r *row, p plot, record object, price string) []line {
	r.events++
	r.call.Events++
	first := line{at: p.ended.Add(time.Duration(s.IntN(20)) * time.Second), json: record.json()}
	if p.outcome != cdr.Answered || !s.percent(10) {
		return []line{first}
	}
	r.events++
	r.call.Events++
	attributes := record["attributes"].(object)
	before := decimal.RequireFromString(string(attributes[price].(json.Number)))
	after := before.Div(decimal.NewFromInt(2)).Round(5)
	r.call.Cost.Decimal = r.call.Cost.Decimal.Sub(before).Add(after)
	attributes = attributes.with(object{price: number(after)})
	second := line{at: first.at.Add(10 * time.Minute), json: record.with(object{"attributes": attributes}).json()}
	return []line{first, second, {at: second.at.Add(time.Minute), json: first.json}} // and a late repeat of the old one
}

// didwwGarbage is among the events what no page knows, or nobody could read. It
// returns what is unreadable among the CDRs.
func (s *story) didwwGarbage(p plot) []line {
	r := s.rows[len(s.rows)-1]
	attributes := object{"did_number": p.ours, "src_number": p.theirs, "time_start": zoned(p.started), "call_id": r.id}
	start := object{"type": "incoming-call-start-event", "attributes": attributes}
	switch of100 := s.oddity(p.n); {
	case of100 < 3:
		s.garbage(p.started, post("", start.json()))
	case of100 < 6:
		s.garbage(p.started, post("", start.with(object{"id": r.id}).broken()))
	case of100 < 10:
		s.rejects++
		return []line{{p.ended, object{"type": "inbound-cdr", "id": r.id, "attributes": attributes}.broken(), true}}
	case of100 < 13:
		r.events++
		d := didwwEvent("incoming-call-transfer-event", r.id, attributes)
		d.kind = "unknown kind"
		s.send(p.started, s.times(), d)
	}
	return nil
}

// didwwEnd is how DIDWW words an outcome: code, reason and who hung up (1 DIDWW,
// 2 the called, 3 the caller).
func didwwEnd(outcome cdr.Disposition) (code int, reason string, by int) {
	switch outcome {
	case cdr.Answered:
		return 200, "Bye", 3
	case cdr.NoAnswer:
		return 480, "Temporarily Unavailable", 2
	case cdr.Busy:
		return 486, "Busy Here", 2
	case cdr.Cancelled:
		return 487, "Request Terminated", 3
	}
	return 503, "Service Unavailable", 2
}

// zoned prints a time as in events and outbound CDRs.
func zoned(at time.Time) string { return at.Format("2006-01-02T15:04:05.000000+00:00") }

func zonedOrNull(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return zoned(at)
}
