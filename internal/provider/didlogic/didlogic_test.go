package didlogic

import (
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decode reads the one record of a body.
func decode(t *testing.T, body, query string) (cdr.Record, []string, error) {
	t.Helper()
	for piece := range record.Read(cdr.Delivery{Body: []byte(body), Query: query}) {
		if piece.Record == nil {
			t.Fatalf("%s: %s", body, piece.Reason)
		}
		f := piece.Record.Fields()
		r, err := Decode(piece.Record, f, "", cdr.Settings{})
		return r, f.Problems(), err
	}
	t.Fatalf("%s: no record", body)
	return cdr.Record{}, nil, nil
}

func TestDisposition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		word string
		want cdr.Disposition
	}{
		{"", ""},
		{"ANSWERED", cdr.Answered},
		{"answered", cdr.Answered},
		{"ANSWER", cdr.Answered},
		{"NO ANSWER", cdr.NoAnswer},
		{"NOANSWER", cdr.NoAnswer},
		{"no_answer", cdr.NoAnswer},
		{"No-Answer", cdr.NoAnswer},
		{"BUSY", cdr.Busy},
		{"CANCEL", cdr.Cancelled},
		{"CANCELLED", cdr.Cancelled},
		{"Canceled", cdr.Cancelled},
		{"FAILED", cdr.Failed},
		{"CONGESTION", cdr.Failed},
		{"CHAN UNAVAIL", cdr.Failed},
		{"REJECTED", cdr.Rejected},
		{"Declined", cdr.Rejected},
		{"NOT ANSWERED", cdr.Unknown},
		{"UNKNOWN", cdr.Unknown},
	} {
		if got := disposition(c.word); got != c.want {
			t.Errorf("%q is %q; want %q", c.word, got, c.want)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, query, want string }{
		{"cdr", `{"event":"cdr","callid":"x","calldate":"2026-05-12T05:17:58Z"}`, "", "event cdr"},
		{"cdr in capitals", `{"event":"CDR","callid":"x","calldate":"2026-05-12T05:17:58Z"}`, "", "event cdr"},
		{"cdr as a form", `event=cdr&callid=x&calldate=2026-05-12+05:17:58+UTC`, "", "event cdr"},
		{"cdr with a message", `{"event":"cdr","callid":"x","calldate":1,"message":"m"}`, "", "event cdr"},
		{"recording", `{"event":"Recording","callid":"x","recording_url":"https://h/a.mp3?s"}`, "", "recording https://h/a.mp3"},
		{"unknown", `{"event":"rating","callid":"x"}`, "", "event rating"},
		{"sms as a form", `src=1&message=m`, "", "message"},
		{"sms as a query", ``, "dst=1&message=m", "message"},
		{"sms as json", `{"src":"1","message":"m"}`, "", "message"},
		{"empty sms", `src=1&message=`, "", "message"},
		{"no callid", `{"event":"cdr","calldate":"2026-05-12T05:17:58Z"}`, "", "callid: missing"},
		{"blank callid", `{"event":"cdr","callid":" "}`, "", "callid: blank"},
		{"no event", `{"callid":"x"}`, "", "event: missing"},
		{"null event", `{"callid":"x","event":null}`, "", "event: missing"},
		{"no start", `{"event":"cdr","callid":"x","calldate":0}`, "", "calldate: no readable start of the call"},
		{"recording of nothing", `{"event":"recording","callid":"x","recording_url":"?a#b"}`, "", "recording_url: no readable address"},
		{"form of nothing", `a=b`, "", "message: missing, and no event either: neither an SMS nor about a call"},
		{"sms of nobody", `message=m`, "", "src: missing, and dst too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _, err := decode(t, c.body, c.query)
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case len(r.Events) == 1:
				got = "event " + r.Events[0].ProviderKind
			case len(r.Recordings) == 1:
				got = "recording " + r.Recordings[0].RecordingID
			case len(r.Messages) == 1:
				got = "message"
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestHostile puts what nobody should send into each field of a CDR. Only its
// call and its start may cost the record; else the field is null and named.
func TestHostile(t *testing.T) {
	t.Parallel()
	fields := map[string]string{
		"event": `"cdr"`, "callid": `"x"`, "calldate": `"2026-05-12T05:17:58Z"`, "direction": `"inbound"`,
		"disposition": `"ANSWERED"`, "src": `"1"`, "dst": `"2"`, "duration": `9`, "billsec": `5`, "user_id": `7`,
	}
	for name := range fields {
		for _, value := range []string{
			`[]`, `{}`, `true`, `-1`, `1e999999999`, `99999999999999999999999999999999999999`, `"0001-01-01T00:00:00Z"`,
			`"a\u0000b"`, `"\ud800"`, `"` + strings.Repeat("x", 2000) + `"`, `[[[{"a":[1]}]]]`,
		} {
			body := strings.Builder{}
			for n, v := range fields {
				if n == name {
					v = value
				}
				body.WriteString(`,"` + n + `":` + v)
			}
			r, problems, err := decode(t, "{"+body.String()[1:]+"}", "")
			required := name == "event" || name == "callid" || name == "calldate"
			switch {
			case err != nil && !required:
				t.Errorf("%s %s: %v", name, value, err)
			case err != nil && !strings.HasPrefix(err.Error(), name+": "):
				t.Errorf("%s %s: the error does not name the field: %v", name, value, err)
			case err == nil && name == "calldate" && r.Events[0].Facts.StartedAt.Year() < 1970:
				t.Errorf("%s %s: started %v", name, value, r.Events[0].Facts.StartedAt)
			}
			for _, p := range problems {
				if !strings.HasPrefix(p, name+": ") {
					t.Errorf("%s %s: problem of another field: %s", name, value, p)
				}
			}
			unreadable := value == `[]` || value == `{}`
			if err == nil && unreadable && len(problems) != 1 {
				t.Errorf("%s %s: problems %q", name, value, problems)
			}
		}
	}
}

func TestNothingIsTalkTimeWithoutBillsec(t *testing.T) {
	t.Parallel()
	r, _, err := decode(t, `{"event":"cdr","callid":"x","calldate":"2026-05-12T05:17:58Z","disposition":"ANSWERED","duration":9}`, "")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := cdr.Fold(r.Events)
	if c.Billsec.Valid || !c.AnsweredAt.IsZero() || c.Disposition != cdr.Answered || c.Duration.Decimal.String() != "9" {
		t.Errorf("got %+v", c)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ link, want string }{
		{"https://h/a.mp3", ""},
		{"https://h/a.mp3?X-Amz-Date=20260512T052000Z&X-Amz-Expires=604800&X-Amz-Signature=x", "2026-05-19T05:20:00Z"},
		{"https://h/a.mp3?X-Goog-Expires=60&X-Goog-Date=20260512T052000Z#t=1", "2026-05-12T05:21:00Z"},
		{"https://h/a.mp3?AWSAccessKeyId=A&Expires=1778563200&Signature=x", "2026-05-12T05:20:00Z"},
		{"https://h/a.mp3#?Expires=1778563200", ""},
		{"https://h/a.mp3?X-Amz-Date=20260512T052000Z", ""},
		{"https://h/a.mp3?X-Amz-Date=00010101T000000Z&X-Amz-Expires=1", ""},
		{"https://h/a.mp3?X-Amz-Date=20260512T052000Z&X-Amz-Expires=-1", ""},
		{"https://h/a.mp3?X-Amz-Date=20260512T052000Z&X-Amz-Expires=99999999999999999999", ""},
		{"https://h/a.mp3?Expires=0", ""},
		{"https://h/a.mp3?Expires=8589934591", ""},
		{"https://h/a.mp3?Expires=Tue", ""},
		{"::%?%zz&Expires=1778563200", "2026-05-12T05:20:00Z"},
		{"", ""},
	} {
		got := ""
		if at := expiry(c.link); !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s expires %q, want %q", c.link, got, c.want)
		}
	}
}
