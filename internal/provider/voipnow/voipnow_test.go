package voipnow

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decode decodes the one record of a GET, or of a body.
func decode(t *testing.T, hint, query, body string, s cdr.Settings) (cdr.Event, []string, error) {
	t.Helper()
	for piece := range record.Read(cdr.Delivery{Query: query, Body: []byte(body)}) {
		if piece.Record == nil {
			t.Fatalf("not read: %s", piece.Reason)
		}
		f := piece.Record.Fields()
		r, err := Decode(piece.Record, f, hint, s)
		if err != nil {
			return cdr.Event{}, nil, err
		}
		return r.Events[0], f.Problems(), nil
	}
	t.Fatal("no record")
	return cdr.Event{}, nil, nil
}

func TestKinds(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	tests := []struct {
		hint, status, flow string
		answerEvents       *bool
		kind               cdr.Kind
		providerKind       string
	}{
		{"dial-in", "CALLING", "IN", nil, cdr.KindStarted, "dial-in"},
		{"dial-out", "CALLING", "OUT", nil, cdr.KindStarted, "dial-out"},
		{"answer-in", "ANSWER", "IN", nil, cdr.KindAnswered, "answer-in"},
		{"answer-out", "", "OUT", nil, cdr.KindAnswered, "answer-out"},
		{"answer-in", "ANSWER", "IN", &no, cdr.KindAnswered, "answer-in"},
		{"hangup", "ANSWER", "IN", nil, cdr.KindEnded, "hangup"},
		{"hangup", "UNKNOWN", "OUT", nil, cdr.KindEnded, "hangup"},
		{"hangup", "CALLING", "IN", nil, cdr.KindEnded, "hangup"},
		{"Dial_In", "CALLING", "IN", nil, cdr.KindStarted, "dial-in"},
		{"HANGUP", "", "", nil, cdr.KindEnded, "hangup"},
		{"", "CALLING", "IN", nil, cdr.KindStarted, "CALLING IN"},
		{"", "calling", " out ", nil, cdr.KindStarted, "calling  out "},
		{"", "CALLING", "", nil, cdr.KindStarted, "CALLING -"},
		{"", "UNKNOWN", "OUT", nil, cdr.KindEnded, "UNKNOWN OUT"},
		{"", "ANSWER", "IN", nil, cdr.KindAnswered, "ANSWER IN"},
		{"", "ANSWER", "IN", &yes, cdr.KindAnswered, "ANSWER IN"},
		{"", "ANSWER", "IN", &no, cdr.KindEnded, "ANSWER IN"},
		{"", "PARKED", "IN", nil, cdr.KindOther, "PARKED IN"},
		{"", "dial-in", "", nil, cdr.KindOther, "dial-in -"},
		{"", "", "IN", nil, cdr.KindOther, "- IN"},
		{"transfer", "CALLING", "IN", nil, cdr.KindStarted, "CALLING IN"},
		{"transfer", "", "", nil, cdr.KindOther, "- -"},
	}
	for _, test := range tests {
		query := url.Values{"CallID": {"1"}, "CallStatus": {test.status}, "CallFlow": {test.flow}}.Encode()
		e, _, err := decode(t, test.hint, query, "", cdr.Settings{AnswerEvents: test.answerEvents})
		if err != nil || e.Kind != test.kind || e.ProviderKind != test.providerKind {
			t.Errorf("%+v: %s %q %v", test, e.Kind, e.ProviderKind, err)
		}
		if (e.Facts == nil) != (test.kind == cdr.KindOther) {
			t.Errorf("%+v: facts %v", test, e.Facts)
		}
		if e.Clock != cdr.ClockReceiver || !e.OccurredAt.IsZero() {
			t.Errorf("%+v: %s %s", test, e.Clock, e.OccurredAt)
		}
	}
}

func TestDispositions(t *testing.T) {
	t.Parallel()
	tests := map[string]cdr.Disposition{
		"ANSWER": cdr.Answered, "answer": cdr.Answered, " ANSWER ": cdr.Answered,
		"UNKNOWN": cdr.Unknown, "CALLING": cdr.Unknown, "PARKED": cdr.Unknown, "": cdr.Unknown,
		"BUSY": cdr.Busy, "NOANSWER": cdr.NoAnswer, "No Answer": cdr.NoAnswer, "CANCEL": cdr.Cancelled,
		"CONGESTION": cdr.Failed, "CHANUNAVAIL": cdr.Failed,
	}
	for status, want := range tests {
		e, _, err := decode(t, "hangup", "CallID=1&CallStatus="+url.QueryEscape(status), "", cdr.Settings{})
		if err != nil || e.Facts.Disposition != want || e.Facts.HangupCause != status || e.Facts.Ends != cdr.EndsCall {
			t.Errorf("%q: %+v %v", status, e.Facts, err)
		}
	}
}

func TestLegs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		hint, query, leg string
		direction        cdr.Direction
	}{
		{"hangup", "CallFlow=IN&CalledExtension=0003*210", "in:0003*210", cdr.Inbound},
		{"hangup", "CallFlow=in&CalledExtension=0003%2A210", "in:0003*210", cdr.Inbound},
		{"hangup", "CallFlow=OUT&CallerExtension=0003*210", "out:0003*210", cdr.Outbound},
		{"hangup", "CallFlow=OUT", "out", cdr.Outbound},
		{"hangup", "CallFlow=IN&CallerExtension=0003*210", "in", cdr.Inbound},
		{"hangup", "CalledExtension=0003*210", "in:0003*210", cdr.Inbound},
		{"hangup", "CallerExtension=0003*210", "out:0003*210", cdr.Outbound},
		{"hangup", "CallerExtension=0003*210&CalledExtension=0003*211", "", cdr.Internal},
		{"hangup", "", "", ""},
		{"dial-in", "", "in", cdr.Inbound},
		{"answer-in", "CalledExtension=0003*210", "in:0003*210", cdr.Inbound},
		{"dial-out", "CallerExtension=0003*210", "out:0003*210", cdr.Outbound},
		{"answer-out", "", "out", cdr.Outbound},
		{"dial-in", "CallFlow=OUT&CallerExtension=0003*210", "out:0003*210", cdr.Outbound},
		{"dial-in", "CallFlow=IN&CallerExtension=0003*210&CalledExtension=0003*211", "in:0003*211", cdr.Internal},
		{"dial-out", "CallFlow=OUT&CallerExtension=0003*210&CalledExtension=0003*211", "out:0003*210", cdr.Internal},
		{"dial-in", "CallFlow=IN&CallerExtension=0003*210&CalledExtension=0003*211&CalledDID=%2B1", "in:0003*211", cdr.Inbound},
		{"dial-out", "CallFlow=OUT&CallerExtension=0003*210&CalledExtension=0003*211&CalledDID=%2B1", "out:0003*210", cdr.Outbound},
	}
	for _, test := range tests {
		e, problems, err := decode(t, test.hint, "CallID=1&"+test.query, "", cdr.Settings{})
		if err != nil || len(problems) > 0 || e.Leg != test.leg || e.Facts.Direction != test.direction {
			t.Errorf("%s %s: leg %q, %q, %v %v", test.hint, test.query, e.Leg, e.Facts.Direction, problems, err)
		}
	}
}

func TestParties(t *testing.T) {
	t.Parallel()
	tests := []struct{ query, src, dst, did string }{
		{"CallFlow=IN&CallerIDNum=1&CallerExtension=2&CalledDID=3&CalledNumber=4&CalledExtension=5", "1", "3", "3"},
		{"CallFlow=IN&CallerExtension=2&CalledNumber=4&CalledExtension=5", "2", "4", ""},
		{"CallFlow=IN&CalledExtension=5", "", "5", ""},
		{"CallFlow=OUT&CallerIDNum=1&CallerExtension=2&CalledDID=3&CalledNumber=4&CalledExtension=5", "1", "4", "3"},
		{"CallFlow=OUT&CalledDID=3&CalledExtension=5", "", "3", "3"},
		{"CallFlow=OUT&CalledExtension=5", "", "5", ""},
		{"CallFlow=IN&CallerIDNum=+12025550143&CalledDID=%2B44", "+12025550143", "+44", "+44"},
		{"CallFlow=IN&CallerIDNum=+&CalledDID=+x", " ", " x", " x"},
	}
	for _, test := range tests {
		e, _, err := decode(t, "hangup", "CallID=1&"+test.query, "", cdr.Settings{})
		if err != nil || e.Facts.Src != test.src || e.Facts.Dst != test.dst || e.Facts.DID != test.did {
			t.Errorf("%s: src %q dst %q did %q %v", test.query, e.Facts.Src, e.Facts.Dst, e.Facts.DID, err)
		}
	}
}

func TestHostileValues(t *testing.T) {
	t.Parallel()
	keys := []string{
		`{}`, `{"CallID":null}`, `{"CallID":""}`, `{"CallID":" "}`, `{"CallID":["1","2"]}`, `{"CallID":{}}`, `{"CallID":true}`,
		`{"CallID":"a\u0000b"}`, `{"CallID":"` + strings.Repeat("x", 513) + `"}`, `CallID=1&CallID=2`, `CallID=%FF`,
	}
	for _, body := range keys {
		_, _, err := decode(t, "hangup", "", body, cdr.Settings{})
		if err == nil || !strings.Contains(err.Error(), "CallID: ") {
			t.Errorf("%.40s: %v", body, err)
		}
	}
	texts := []string{
		"CallStatus", "CallFlow", "CallerIDNum", "CallerIDName", "CallerIDNam", "CallerExtension", "CalledExtension",
		"CalledDID", "CalledNumber",
	}
	for _, name := range texts {
		for _, text := range []string{`["x","y"]`, `{"x":1}`, `"a\u0000b"`, `"\ud800"`, `"` + strings.Repeat("x", 1025) + `"`} {
			e, problems, err := decode(t, "dial-in", "", `{"CallID":"1","`+name+`":`+text+`}`, cdr.Settings{})
			named := slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, name+": ") })
			if err != nil || !named || e.Kind != cdr.KindStarted {
				t.Errorf("%s = %.40s: %v %v", name, text, problems, err)
			}
		}
	}
}

// TestEventTypes decodes what V6's PBXs say that happened. It decides over the
// URL, whose hint here is another one.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]cdr.Kind{
		"dial-in": cdr.KindStarted, "Dial-In": cdr.KindStarted, "dialin": cdr.KindStarted, "DIAL_OUT": cdr.KindStarted,
		"answer": cdr.KindAnswered, "ANSWER": cdr.KindAnswered, "answer-in": cdr.KindAnswered, "AnswerOut": cdr.KindAnswered,
		"hangup": cdr.KindEnded, "HangUp": cdr.KindEnded, "hang_up": cdr.KindEnded, "Hang Up": cdr.KindEnded,
		"message-in": cdr.KindOther, "message-out": cdr.KindOther, "voicemail": cdr.KindOther, "transfer": cdr.KindOther,
	} {
		for _, hint := range []string{"", "hangup", "dial-in"} {
			query := url.Values{"CallID": {"1"}, "CallStatus": {"ANSWER"}, "CallFlow": {"in"}, "EventType": {sent}, "Duration": {"1"}}.Encode()
			e, problems, err := decode(t, hint, query, "", cdr.Settings{})
			if err != nil || e.Kind != want || len(problems) > 0 != (sent == "transfer") {
				t.Errorf("%s at %q: %s %q %v", sent, hint, e.Kind, problems, err)
			}
		}
	}
}

// TestTalk reads a hangup of an answered call at 09:00:45: from when it was talked
// or, where the hangup has no time, for how long.
func TestTalk(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"EventTime=1793610045000000&Duration=45000000": "09:00:00 -",
		"EventTime=1793610045000&Duration=45000":       "09:00:00 -",
		"EventTime=1793610045&Duration=45":             "09:00:00 -",
		"EventTime=2026-11-02T09:00:45Z&Duration=45":   "09:00:00 -",
		"EventTime=1793610045000000&Duration=45":       "09:00:00 -", // no talk lasts microseconds
		"EventTime=1793610045000000&Duration=500000":   "09:00:44.5 -",
		"EventTime=1793610045000000&Duration=0":        "09:00:45 -",
		"EventTime=1793610045000000":                   "- - Duration: missing: only an Answer event tells the talk time",
		"EventTime=1793610045000000&Duration=-1":       "- - Duration: negative",
		"EventTime=1793610045000000&Duration=soon":     "- - Duration: not a number",
		"Duration=45500000":                            "- 45.5",
		"EventTime=soon&Duration=45":                   "- 45 EventTime: not a time",
	} {
		e, problems, err := decode(t, "", "CallID=1&EventType=hangup&CallStatus=ANSWER&"+query, "", cdr.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{"-", "-"}
		if !e.Facts.AnsweredAt.IsZero() {
			got[0] = e.Facts.AnsweredAt.Format("15:04:05.999999")
		}
		if e.Facts.Billsec.Valid {
			got[1] = e.Facts.Billsec.Decimal.String()
		}
		if got := strings.Join(append(got, problems...), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}
