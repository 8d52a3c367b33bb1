package wavix

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

func decode(t *testing.T, body string) (cdr.Record, []string, error) {
	t.Helper()
	for piece := range record.Read(cdr.Delivery{Body: []byte(body)}) {
		if piece.Record == nil {
			t.Fatalf("%s: %s", body, piece.Reason)
		}
		f := piece.Record.Fields()
		r, err := Decode(piece.Record, f, "ignored", cdr.Settings{Currency: "EUR"})
		return r, f.Problems(), err
	}
	t.Fatal("no record")
	return cdr.Record{}, nil, nil
}

// oneEvent decodes a record that must give one event.
func oneEvent(t *testing.T, body string) (cdr.Event, []string) {
	t.Helper()
	r, problems, err := decode(t, body)
	if err != nil || len(r.Events) != 1 || len(r.Messages) != 0 {
		t.Fatalf("%s: %+v %v", body, r, err)
	}
	return r.Events[0], problems
}

func TestDispositions(t *testing.T) {
	t.Parallel()
	tests := map[string]cdr.Disposition{
		"answered": cdr.Answered, "ANSWERED": cdr.Answered, "noanswer": cdr.NoAnswer, "NO ANSWER": cdr.NoAnswer,
		"no_answer": cdr.NoAnswer, "busy": cdr.Busy, "failed": cdr.Failed, "cancelled": cdr.Cancelled,
		"rejected": cdr.Rejected, "all": cdr.Unknown, "blocked": cdr.Unknown, "": "",
	}
	for word, want := range tests {
		e, _ := oneEvent(t, fmt.Sprintf(`{"uuid":"1","date":"2025-10-14T12:00:00Z","disposition":%q,"charge":"1"}`, word))
		if e.Facts.Disposition != want || e.Facts.HangupCause != word || e.Facts.Ends != cdr.EndsCall {
			t.Errorf("%q: %+v", word, e.Facts)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	tests := []struct{ disposition, sent, billsec, duration string }{
		{"answered", "72", "72", ""}, {"answered", `"72"`, "72", ""}, {"answered", "0", "0", ""}, {"answered", "null", "", ""},
		{"noanswer", "0", "0", ""}, {"noanswer", "25", "", "25"}, {"busy", "1", "", "1"}, {"failed", "3", "", "3"},
		{"all", "12", "12", ""}, {"failed", "null", "", ""},
	}
	text := func(a cdr.Amount) string {
		if !a.Valid {
			return ""
		}
		return a.Decimal.String()
	}
	for _, test := range tests {
		e, _ := oneEvent(t, fmt.Sprintf(`{"uuid":"1","date":"2025-10-14T12:00:00Z","disposition":%q,"duration":%s}`, test.disposition, test.sent))
		if text(e.Facts.Billsec) != test.billsec || text(e.Facts.Duration) != test.duration {
			t.Errorf("%+v: billsec %q duration %q", test, text(e.Facts.Billsec), text(e.Facts.Duration))
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fields    string
		direction cdr.Direction
		trunk     string
	}{
		{`"direction":"inbound","destination":"sip:a@b"`, cdr.Inbound, "sip:a@b"},
		{`"direction":"inbound","destination":"sip:a@b","sip_trunk":"7"`, cdr.Inbound, "7"},
		{`"direction":"outbound","destination":"Peru"`, cdr.Outbound, ""},
		{`"direction":"outbound","forward_fee":"0.1"`, cdr.Outbound, ""},
		{`"destination":"Peru","sip_trunk":"7"`, cdr.Outbound, "7"},
		{`"destination":"Peru","sip_trunk":7,"forward_fee":"0.1"`, cdr.Outbound, "7"},
		{`"destination":"4021","forward_fee":"0.1","sip_trunk":""`, cdr.Inbound, "4021"},
		{`"destination":"4021","forward_fee":0.1,"direction":null`, cdr.Inbound, "4021"},
		{`"destination":"4021","forward_fee":"0.0","sip_trunk":null`, "", ""},
		{`"destination":null`, "", ""},
	}
	for _, test := range tests {
		e, problems := oneEvent(t, `{"uuid":"1","date":"2025-10-14T12:00:00Z","disposition":"answered","charge":"1",`+test.fields+`}`)
		if e.Facts.Direction != test.direction || e.Facts.Trunk != test.trunk || len(problems) > 0 {
			t.Errorf("%s: %q %q %v", test.fields, e.Facts.Direction, e.Facts.Trunk, problems)
		}
		if e.Facts.Cost.Decimal.String() != "1" || e.Facts.Currency != "USD" {
			t.Errorf("%s: cost %s %s", test.fields, e.Facts.Cost.Decimal, e.Facts.Currency)
		}
	}
}

// TestEventTypes sends every type with all times and machine_detected: the type
// decides which of them are read.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		word, payload string
		kind          cdr.Kind
		state         cdr.State
		disposition   cdr.Disposition
		moments       string // started, ringing, answered, ended; by their seconds
		machine       bool
	}{
		{"call_setup", "null", cdr.KindStarted, cdr.StateStarted, "", "10 - - -", false},
		{"ringing", "{}", cdr.KindRinging, cdr.StateRinging, "", "10 30 - -", false},
		{"early_media", "{}", cdr.KindEarlyMedia, cdr.StateRinging, "", "10 - - -", false},
		{"answered", "{}", cdr.KindAnswered, cdr.StateAnswered, "", "10 - 20 -", true},
		{"ANSWERED", "{}", cdr.KindAnswered, cdr.StateAnswered, "", "10 - 20 -", true},
		{"on_call_event", `{"type":"audio","payload":{"status":"completed"}}`, cdr.KindPlayback, cdr.StateAnswered, "", "10 - 20 -", true},
		{"on_call_event", `{"type":"collect"}`, cdr.KindDTMF, cdr.StateAnswered, "", "10 - 20 -", true},
		{"on_call_event", `{"type":"stream"}`, cdr.KindOther, cdr.StateAnswered, "", "10 - 20 -", true},
		{"on_call_event", `null`, cdr.KindOther, cdr.StateAnswered, "", "10 - 20 -", true},
		{"in_call_event", `{"in_call_event":"collect_completed","in_call_event_data":{"digits":"1"}}`, cdr.KindDTMF, cdr.StateAnswered, "", "10 - 20 -", true},
		{"in_call_event", `{"in_call_event":"done","in_call_event_data":{"playback_id":"1"}}`, cdr.KindPlayback, cdr.StateAnswered, "", "10 - 20 -", true},
		{"completed", "{}", cdr.KindEnded, cdr.StateEnded, cdr.Answered, "10 - 20 25", true},
		{"busy", "{}", cdr.KindEnded, cdr.StateEnded, cdr.Busy, "10 - - 25", false},
		{"cancelled", "{}", cdr.KindEnded, cdr.StateEnded, cdr.Cancelled, "10 - - 25", false},
		{"rejected", "{}", cdr.KindEnded, cdr.StateEnded, cdr.Rejected, "10 - - 25", false},
	}
	for _, test := range tests {
		e, problems := oneEvent(t, fmt.Sprintf(`{"uuid":"1","event_type":%q,"event_time":"2025-10-14T12:00:30Z","event_payload":%s,
			"call_started":"2025-10-14T12:00:10Z","call_answered":"2025-10-14T12:00:20Z","call_completed":"2025-10-14T12:00:25Z",
			"machine_detected":true,"tag":""}`, test.word, test.payload))
		f := e.Facts
		got := seconds(f.StartedAt, f.RingingAt, f.AnsweredAt, f.EndedAt)
		if e.Kind != test.kind || f.State != test.state || f.Disposition != test.disposition || got != test.moments {
			t.Errorf("%s %s: %s %s %q %s", test.word, test.payload, e.Kind, f.State, f.Disposition, got)
		}
		if (f.MachineDetected != nil) != test.machine || (f.Ends == cdr.EndsCall) != (test.state == cdr.StateEnded) || f.Tag != "" || len(problems) > 0 {
			t.Errorf("%s: %+v %v", test.word, f, problems)
		}
		if e.ProviderKind != test.word || e.Clock != cdr.ClockProvider || e.OccurredAt.Second() != 30 {
			t.Errorf("%s: %q %s %s", test.word, e.ProviderKind, e.Clock, e.OccurredAt)
		}
	}
	for _, word := range []string{`"failed"`, `"recording"`, `""`, `null`, `7`} {
		if e, _ := oneEvent(t, `{"uuid":"1","event_type":`+word+`,"call_started":"2025-10-14T12:00:10Z"}`); e.Kind != cdr.KindOther || e.Facts != nil {
			t.Errorf("%s: %+v", word, e)
		}
	}
}

func seconds(moments ...time.Time) string {
	var all []string
	for _, m := range moments {
		if m.IsZero() {
			all = append(all, "-")
			continue
		}
		all = append(all, m.Format("05"))
	}
	return strings.Join(all, " ")
}

// TestTimes sends times that cannot be true, and none: the time of the event
// stands in, unless it cannot be true either.
func TestTimes(t *testing.T) {
	t.Parallel()
	const day = `2025-10-14T12:00:`
	tests := []struct {
		word, event, started, answered, completed string
		moments                                   string
		derived                                   int
		problems                                  int
	}{
		{"call_setup", day + "10Z", "", "", "", "10 - - -", 1, 0},
		{"call_setup", "", "", "", "", "- - - -", 0, 0},
		{"call_setup", day + "10Z", "", "2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z", "10 - - -", 1, 0},
		{"answered", day + "30Z", day + "10Z", "", "", "10 - 30 -", 1, 0},
		{"answered", day + "30Z", day + "10Z", "2023-01-01T00:00:00Z", "", "10 - 30 -", 1, 1},
		{"answered", day + "30Z", day + "10Z", day + "30.9Z", "", "10 - 30 -", 0, 0},
		{"answered", day + "30Z", day + "10Z", "2026-01-01T00:00:00Z", "", "10 - 30 -", 1, 1},
		{"answered", "2023-01-01T00:00:00Z", day + "10Z", day + "20Z", "", "10 - 20 -", 0, 0},
		{"answered", "2023-01-01T00:00:00Z", day + "10Z", "", "", "10 - - -", 0, 0},
		{"answered", day + "30Z", "0001-01-01T00:00:00Z", day + "20Z", "", "- - 20 -", 0, 1},
		{"ringing", "2023-01-01T00:00:00Z", day + "10Z", "", "", "10 - - -", 0, 0},
		{"completed", day + "30Z", day + "10Z", day + "20Z", "", "10 - 20 30", 1, 0},
		{"completed", day + "30Z", day + "10Z", "2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z", "10 - - 30", 1, 2},
		{"completed", "", day + "10Z", day + "20Z", day + "25Z", "10 - 20 25", 0, 0},
		{"busy", "2023-01-01T00:00:00Z", day + "10Z", "", "2023-01-01T00:00:00Z", "10 - - -", 0, 1},
	}
	for _, test := range tests {
		e, problems := oneEvent(t, fmt.Sprintf(`{"uuid":"1","event_type":%q,"event_time":%q,"call_started":%q,"call_answered":%q,"call_completed":%q}`,
			test.word, test.event, test.started, test.answered, test.completed))
		f := e.Facts
		got := seconds(f.StartedAt, f.RingingAt, f.AnsweredAt, f.EndedAt)
		if got != test.moments || len(f.Derived) != test.derived || len(problems) != test.problems {
			t.Errorf("%+v: %s, derived %v, %q", test, got, f.Derived, problems)
		}
		if (e.Clock == cdr.ClockReceiver) != (test.event == "") {
			t.Errorf("%+v: clock %s", test, e.Clock)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fields    string
		direction cdr.Direction
		status    string
		segments  int
	}{
		{`"status":"DELIVERED","segments_count":2`, cdr.Outbound, "delivered", 2},
		{`"status":"sent","segments":"3"`, cdr.Outbound, "sent", 3},
		{`"status":"sent","segments_count":-1`, cdr.Outbound, "sent", 0},
		{`"received_at":"2025-03-21T08:09:02Z"`, cdr.Inbound, "received", 0},
		{`"message_body":{"text":"x"}`, cdr.Inbound, "received", 0},
		{`"message_body":"x","charge":[],"sent":{},"from":[],"to":{},"segments":{},"status":"sent"`, cdr.Outbound, "sent", 0},
	}
	for _, test := range tests {
		r, _, err := decode(t, `{"message_id":"1",`+test.fields+`}`)
		if err != nil || len(r.Events) != 0 || len(r.Messages) != 1 {
			t.Fatalf("%s: %+v %v", test.fields, r, err)
		}
		m := r.Messages[0]
		if m.Direction != test.direction || m.Status != test.status || m.Segments != test.segments || m.Cost.Valid {
			t.Errorf("%s: %+v", test.fields, m)
		}
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{}`:                                  "uuid: missing",
		`{"status":"completed"}`:              "uuid: missing",
		`{"event_type":"ringing"}`:            "uuid: missing",
		`{"disposition":"busy","charge":"0"}`: "uuid: missing",
		`{"uuid":"","call_id":null,"event_type":"ringing"}`:                  "uuid: missing",
		`{"uuid":{"a":1},"event_type":"ringing"}`:                            "uuid: expected text",
		`{"uuid":"a\u0000","disposition":"busy"}`:                            "uuid: contains NUL",
		`{"uuid":"` + strings.Repeat("x", 513) + `","event_type":"ringing"}`: "uuid: longer",
		`{"uuid":"1","disposition":"busy"}`:                                  "date: missing",
		`{"uuid":"1","disposition":"busy","date":"0001-01-01T00:00:00Z"}`:    "date: missing or not a time",
		`{"uuid":"1","disposition":"busy","date":{"at":1}}`:                  "date: missing or not a time",
		`{"message_id":null}`:                                                "message_id: missing",
		`{"message_id":["1"]}`:                                               "message_id: expected text",
	}
	for body, want := range tests {
		r, _, err := decode(t, body)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60s: %+v %v", body, r, err)
		}
	}
}

// TestHostileValues sends wrong values for each field: it is named, and the rest
// of the record is kept.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	texts := []string{`["x"]`, `{"x":1}`, `"a\u0000b"`, `"\ud800"`, `"` + strings.Repeat("x", 1025) + `"`}
	numbers := []string{`["1"]`, `{}`, `true`, `"x"`, `1e999999999`, `"NaN"`, `"` + strings.Repeat("9", 65) + `"`}
	moments := []string{`["x"]`, `{}`, `true`, `"x"`, `"0001-01-01T00:00:00Z"`, `"9999-01-01T00:00:00Z"`, `1e999999999`, `99999999999999999999999`}
	words := []string{`["x"]`, `{}`, `"sideways"`, `7`}
	tests := []struct {
		base   string
		values map[string][]string
	}{
		{`"uuid":"1","event_type":"completed","event_time":"2025-10-14T12:00:30Z","call_answered":"2025-10-14T12:00:20Z"`, map[string][]string{
			"from": texts, "to": texts, "tag": texts, "direction": words, "machine_detected": words,
			"call_started": moments, "call_completed": moments, "call_finished": moments, "parent_uuid": texts,
		}},
		{`"uuid":"1","event_type":"answered"`, map[string][]string{"event_time": moments, "call_answered": moments}},
		{`"uuid":"1","event_type":"on_call_event"`, map[string][]string{"event_payload": {`[]`, `"x"`, `7`}}},
		{`"uuid":"1","disposition":"answered","date":"2025-10-14T12:00:00Z"`, map[string][]string{
			"from": texts, "to": texts, "sip_trunk": texts, "parent_call_id": texts, "direction": words, "answered_by": words,
			"duration": append(numbers, "-1"), "charge": numbers, "per_minute": numbers, "forward_fee": numbers,
		}},
		{`"uuid":"1","date":"2025-10-14T12:00:00Z"`, map[string][]string{"disposition": texts}},
	}
	for _, test := range tests {
		for name, values := range test.values {
			for _, value := range values {
				e, problems := oneEvent(t, `{`+test.base+`,"`+name+`":`+value+`}`)
				named := slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, name+": ") })
				if !named || e.CallID != "1" || e.Facts == nil {
					t.Errorf("%s = %.40s: %q %+v", name, value, problems, e)
				}
			}
		}
	}
}
