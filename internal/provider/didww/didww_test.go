package didww_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider/didww"
	"github.com/cdrstore/cdrstore/internal/record"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// decode reads a body that holds one record.
func decode(t *testing.T, body string) (cdr.Event, []string, error) {
	t.Helper()
	for piece := range record.Read(cdr.Delivery{Body: []byte(body)}) {
		if piece.Record == nil {
			t.Fatalf("%s: %s", body, piece.Reason)
		}
		f := piece.Record.Fields()
		out, err := didww.Decode(piece.Record, f, "", cdr.Settings{})
		if err != nil {
			return cdr.Event{}, f.Problems(), err
		}
		check(t, out)
		return out.Events[0], f.Problems(), nil
	}
	t.Fatalf("no record in %s", body)
	return cdr.Event{}, nil, nil
}

// check holds what is true of every event, whatever came in.
func check(t *testing.T, out cdr.Record) {
	t.Helper()
	if err := out.Check(); err != nil || len(out.Events) != 1 {
		if err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Fatalf("%v: %v", err, out)
		}
		return
	}
	e := out.Events[0]
	if e.OccurredAt.IsZero() != (e.Clock == cdr.ClockReceiver) {
		t.Fatalf("occurred at %v by the clock of the %s", e.OccurredAt, e.Clock)
	}
	if (e.Kind == cdr.KindOther) != (e.Facts == nil) || (e.Kind == cdr.KindCDR) != (e.RecordKey != "") {
		t.Fatalf("%s with facts %v and key %q", e.Kind, e.Facts, e.RecordKey)
	}
	if e.Facts == nil {
		return
	}
	for _, at := range []time.Time{e.OccurredAt, e.Facts.StartedAt, e.Facts.AnsweredAt, e.Facts.EndedAt} {
		if !at.IsZero() && (at.Year() < 1970 || at.Year() > 2200) {
			t.Fatalf("%v is out of range", at)
		}
	}
	own := func() [16]byte { return e.ID }
	text, err := json.Marshal([]any{cdr.WithOwnKey(e.CallID, own), e.Leg, cdr.WithOwnKey(e.RecordKey, own), e.ProviderKind, e.Facts})
	if err != nil || !utf8.Valid(text) || strings.Contains(string(text), `\u0000`) {
		t.Fatalf("Postgres would refuse %s: %v", text, err)
	}
	if e.Kind == cdr.KindCDR && (e.Facts.StartedAt.IsZero() || e.Facts.Ends == "" || e.Facts.Disposition == "") {
		t.Fatalf("a CDR without start, end or disposition: %s", text)
	}
}

// message prints one message with some attributes replaced; a value is JSON.
func message(kind string, attributes, changes map[string]string) string {
	all := maps.Clone(attributes)
	maps.Copy(all, changes)
	fields := map[string]json.RawMessage{}
	for name, value := range all {
		fields[name] = json.RawMessage(value)
	}
	text, err := json.Marshal(map[string]any{"type": kind, "id": "id-1", "attributes": fields})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func inbound() map[string]string {
	return map[string]string{
		"local_tag": `"tag"`, "routing_attempt": `2`, "is_last_cdr": `true`, "src_number": `"14155552671"`,
		"src_name": `"Jane"`, "did_number": `"442079460123"`, "dst_number": `"442079460124"`, "trunk_destination": `"sip:a@example.com"`,
		"time_start": `"2025-02-14T14:00:00.5"`, "time_connect": `"2025-02-14 14:00:05.5"`, "time_end": `"2025-02-14T14:00:14.5"`,
		"duration": `9`, "success": `true`, "disconnect_initiator": `3`, "internal_disconnect_code": `200`,
		"internal_disconnect_reason": `"Bye"`, "customer_vat": `0.1`, "tf_amount": `0.5`, "tf_duration": `60`, "tf_rate": `0.5`,
		"tf_initial_interval": `60`, "tf_next_interval": `30`,
	}
}

func outbound() map[string]string {
	return map[string]string{
		"call_id": `"sip"`, "src_number": `"442089643990"`, "src_name": `"Acme"`, "dst_number": `"441158720600"`, "trunk_name": `"T"`,
		"time_start": `"2025-02-14T14:00:00.5+00:00"`, "time_connect": `"2025-02-14T14:00:05.5+00:00"`, "time_end": `"2025-02-14T14:00:14.5+00:00"`,
		"duration": `9`, "success": `true`, "disconnect_code": `200`, "disconnect_reason": `"OK"`, "price": `0.5`, "customer_vat": `0.1`,
		"rate": `"0.5"`, "billing_duration": `60`, "initial_billing_interval": `60`, "next_billing_interval": `30`,
	}
}

// TestUnreadable puts what cannot be read into every field that is read: the
// field is named, and nothing else is lost. Of the required ones an error says so.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	hostile := []string{
		`{"a":1}`, `["1"]`, `"0001-01-01T00:00:00"`, `"\u0000"`, `1e999999999`, `-1`, `true`, `""`, `null`,
		`"` + strings.Repeat("9", 2000) + `"`, `"\ud800"`, `99999999999999999999`, `"` + strings.Repeat(`\u0000`, 9) + `1"`,
	}
	kinds := map[string]map[string]string{
		"inbound-cdr": inbound(), "outbound-cdr": outbound(), "incoming-call-end-event": inbound(), "outbound-call-end-event": outbound(),
	}
	required := map[string]string{"local_tag": "inbound-cdr", "call_id": "outbound-cdr outbound-call-end-event", "time_start": "inbound-cdr outbound-cdr"}
	read := map[string]int{}
	for kind, attributes := range kinds {
		for name := range attributes {
			for i, value := range hostile {
				_, problems, err := decode(t, message(kind, attributes, map[string]string{name: value}))
				isRequired := required[name] != "" && strings.Contains(required[name], kind)
				if err != nil && (!isRequired || !strings.Contains(err.Error(), "attributes."+name)) {
					t.Errorf("%s, %s = %.40s: %v", kind, name, value, err)
				}
				if i == 0 && isRequired && err == nil {
					t.Errorf("%s without a readable %s was taken", kind, name)
				}
				if len(problems) > 1 || len(problems) == 1 && !strings.HasPrefix(problems[0], "attributes."+name+": ") {
					t.Errorf("%s, %s = %.40s: %q", kind, name, value, problems)
				}
				if i == 0 && len(problems) == 1 {
					read[kind]++
				}
			}
		}
	}
	want := map[string]int{"inbound-cdr": 21, "outbound-cdr": 17, "incoming-call-end-event": 6, "outbound-call-end-event": 11}
	if !maps.Equal(read, want) {
		t.Errorf("fields that are read: %v, want %v", read, want)
	}
}

// TestBatch: a body may hold more lines than the 1,000 that DIDWW names, one of
// them broken; each record keeps all of its attributes.
func TestBatch(t *testing.T) {
	t.Parallel()
	line := message("inbound-cdr", inbound(), map[string]string{"codec": `["PCMA"]`})
	body := strings.Repeat(line+"\n", 700) + line[:50] + "\n" + strings.Repeat(line+"\r\n", 700)
	good, bad := 0, 0
	for piece := range record.Read(cdr.Delivery{Body: []byte(body)}) {
		if piece.Record == nil {
			bad++
			continue
		}
		good++
		if payload := string(piece.Record.Payload()); payload != line {
			t.Fatalf("payload is %s", payload)
		}
		if _, err := didww.Decode(piece.Record, piece.Record.Fields(), "", cdr.Settings{}); err != nil {
			t.Fatal(err)
		}
	}
	if good != 1400 || bad != 1 {
		t.Errorf("%d good and %d bad", good, bad)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range testcase.Load(f) {
		for _, d := range c.Deliveries {
			if c.Provider == "didww" {
				f.Add(d.Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for piece := range record.Read(cdr.Delivery{Body: body}) {
			if piece.Record == nil {
				continue
			}
			fields := piece.Record.Fields()
			out, err := didww.Decode(piece.Record, fields, "", cdr.Settings{})
			if err == nil {
				check(t, out)
			}
		}
	})
}
