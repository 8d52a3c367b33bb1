package chaos

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// record is one record of a delivery. Its mark is in it, as a field that no
// adapter knows, so that its row can be found in the tables by the payload.
type record struct {
	mark   string
	table  string
	source string
	call   string // the call that it is folded into; empty: none
	cost   string // what it charges, all of it there is in its call
}

// delivery is one request of a provider.
type delivery struct {
	path    string // below /hooks/, with the query
	kind    string // Content-Type; empty: a GET
	gzip    bool
	expect  bool // Expect: 100-continue
	body    []byte
	records []record
}

type object = map[string]any

// generator makes deliveries of all providers. About every fifth is one of the
// last ones again, as it was.
type generator struct {
	*rand.Rand
	marks, calls int
	queue        []delivery
	recent       []delivery
	batch        delivery // CDRs of DIDWW that wait
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 4))}
}

func (g *generator) next() delivery {
	if len(g.recent) > 0 && g.IntN(5) == 0 {
		return g.recent[g.IntN(len(g.recent))]
	}
	for len(g.queue) == 0 {
		g.call()
	}
	d := g.queue[0]
	g.queue = g.queue[1:]
	if len(g.recent) < 256 {
		g.recent = append(g.recent, d)
	} else {
		g.recent[g.IntN(256)] = d
	}
	return d
}

// call queues what is sent about one call.
func (g *generator) call() {
	g.calls++
	id := fmt.Sprintf("call-%d", g.calls)
	[]func(string){g.didww, g.didlogic, g.voipnow, g.piopiy, g.wavix}[g.calls%5](id)
}

func (g *generator) record(table, source, call, cost string) record {
	g.marks++
	return record{fmt.Sprintf("m%d", g.marks), table, source, call, cost}
}

// post queues a JSON object about a call.
func (g *generator) post(table, source, call, cost string, body object) {
	r := g.record(table, source, call, cost)
	body["mark"] = r.mark
	g.queue = append(g.queue, delivery{path: source, kind: "application/json", body: text(body), records: []record{r}})
}

// didww: three events, and the CDR in a zipped batch of some; now and then there
// is a line between that nobody can read.
func (g *generator) didww(id string) {
	key := id + "~20260303T120000.250000Z" // with the start
	attributes := object{
		"call_id": id, "src_number": "442089643990", "dst_number": "37052123456", "time_start": "2026-03-03T12:00:00.250000+00:00",
		"time_connect": "2026-03-03T12:00:08.250000+00:00", "time_end": "2026-03-03T12:01:13.950000+00:00", "duration": 66,
		"success": true, "disconnect_code": 200, "rate": 0.012, "billing_duration": 66, "price": 0.0132,
	}
	for _, kind := range []string{"start", "connect", "end"} {
		g.post("event", "didww", key, "", object{"type": "outbound-call-" + kind + "-event", "id": "10-" + id, "attributes": attributes})
	}
	line := g.record("event", "didww", key, "0.0132")
	g.add(line, text(object{"type": "outbound-cdr", "id": "cdr-" + id, "attributes": attributes, "mark": line.mark}))
	if g.IntN(20) == 0 {
		bad := g.record("quarantine", "didww", "", "")
		g.add(bad, fmt.Appendf(nil, `{"type":"outbound-cdr","mark":"%s","attributes":{"call_id`, bad.mark))
	}
	if len(g.batch.records) >= 5 {
		g.queue = append(g.queue, g.batch)
		g.batch = delivery{}
	}
}

func (g *generator) add(r record, line []byte) {
	g.batch.path, g.batch.kind, g.batch.gzip, g.batch.expect = "didww", "text/plain", true, true
	g.batch.body = append(append(bytes.Clone(g.batch.body), line...), '\n')
	g.batch.records = append(g.batch.records, r)
}

// didlogic: a recording before its CDR, and an SMS as a form.
func (g *generator) didlogic(id string) {
	g.post("recording", "didlogic", "", "", object{
		"event": "recording", "callid": id, "calldate": "2026-11-02T08:55:58Z", "recording_url": "https://recordings.example/" + id + ".mp3",
	})
	g.post("event", "didlogic", id, "", object{
		"event": "cdr", "callid": id, "calldate": "2026-11-02T08:55:58Z", "direction": "outbound", "disposition": "ANSWERED",
		"src": "441174960123", "dst": "442079460123", "duration": 9, "billsec": 5,
	})
	r := g.record("message", "didlogic", "", "")
	form := url.Values{"src": {"12025550123"}, "dst": {"442079460123"}, "message": {"of " + id}, "received_at": {"2026-11-02 08:45:40 UTC"}, "mark": {r.mark}}
	g.queue = append(g.queue, delivery{path: "didlogic", kind: "application/x-www-form-urlencoded", body: []byte(form.Encode()), records: []record{r}})
}

// voipnow: requests without a body.
func (g *generator) voipnow(id string) {
	for hint, status := range map[string]string{"dial-out": "CALLING", "hangup": "ANSWER"} {
		r := g.record("event", "voipnow", id, "")
		q := url.Values{"CallID": {id}, "CallerIDNum": {"0003*210"}, "CallerExtension": {"0003*210"}, "CalledNumber": {"0040213165000"},
			"CallStatus": {status}, "CallFlow": {"OUT"}, "mark": {r.mark}}
		g.queue = append(g.queue, delivery{path: "voipnow/" + hint + "?" + q.Encode(), records: []record{r}})
	}
}

// piopiy: live events and the CDR of leg a.
func (g *generator) piopiy(id string) {
	body := func(status string) object {
		return object{
			"appid": 2222224, "conversation_uuid": id, "request_id": id, "cmiuuid": "leg-" + id, "leg": "a", "direction": "outbound",
			"from": 442079460100, "to": 12025550123, "status": status, "time": 1793610003456,
		}
	}
	for _, status := range []string{"out_started", "out_answered", "out_hangup"} {
		g.post("event", "piopiy", id, "", body(status))
	}
	record := body("answered")
	record["duration"], record["start_time"], record["end_time"], record["call_rate"] = 20, 1793610003, 1793610033, "0.45"
	g.post("event", "piopiy", id, "", record)
}

// wavix: events, the CDR with its charge, and an SMS.
func (g *generator) wavix(id string) {
	for _, kind := range []string{"call_setup", "ringing", "answered", "completed"} {
		g.post("event", "wavix", id, "", object{
			"uuid": id, "event_type": kind, "event_time": "2026-10-14T12:00:09.345Z", "from": "+12025550143", "to": "442079460123",
			"call_started": "2026-10-14T12:00:00.120Z", "direction": "outbound",
		})
	}
	g.post("event", "wavix", id, "0.0162", object{
		"uuid": id, "date": "2026-10-14T12:00:00.120Z", "from": "12025550143", "to": "442079460123", "direction": "outbound",
		"disposition": "answered", "duration": 72, "per_minute": "0.0135", "charge": "0.0162",
	})
	g.post("message", "wavix", "", "", object{
		"message_id": "sms-" + id, "message_type": "sms", "from": "447700900123", "to": "442079460100",
		"message_body": object{"text": "hello"}, "received_at": "2026-03-21T08:09:02.512Z",
	})
}

func text(v object) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a map of texts and numbers
	}
	return b
}

// sent is the body as it goes over the line.
func (d delivery) sent() []byte {
	if !d.gzip {
		return d.body
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(d.body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func (d delivery) method() string {
	if d.kind == "" {
		return "GET"
	}
	return "POST"
}

// source is the first part of the path.
func (d delivery) source() string {
	name, _, _ := strings.Cut(strings.ReplaceAll(d.path, "?", "/"), "/")
	return name
}
