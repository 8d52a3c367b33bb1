package didww_test

import (
	"encoding/json"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// TestGuess: what has no type is told by its attributes.
func TestGuess(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body, want string
		kind       cdr.Kind
	}{
		"inbound":              {`{"local_tag":"x","time_start":"2025-02-14 14:00:00"}`, "inbound-cdr", cdr.KindCDR},
		"inbound in envelope":  {`{"id":"r","attributes":{"local_tag":"x","time_start":"2025-02-14 14:00:00"}}`, "inbound-cdr", cdr.KindCDR},
		"inbound without tag":  {`{"routing_attempt":1,"did_number":"1","time_start":"2025-02-14 14:00:00"}`, "", ""},
		"outbound":             {`{"call_id":"x","dst_number":"1","time_start":"2025-02-14T14:00:00+00:00"}`, "outbound-cdr", cdr.KindCDR},
		"outbound in envelope": {`{"id":"r","attributes":{"call_id":"x","dst_number":"1","time_start":"2025-02-14T14:00:00Z"}}`, "", cdr.KindOther},
		"type beats guess":     {`{"id":"r","type":"new","local_tag":"x"}`, "new", cdr.KindOther},
		"nothing known":        {`{"id":7}`, "", cdr.KindOther},
		"no key":               {`{"time_start":"2025-02-14 14:00:00"}`, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := decode(t, test.body)
			if e.ProviderKind != test.want || e.Kind != test.kind || (err != nil) != (test.kind == "") {
				t.Errorf("%q %q, %v", e.ProviderKind, e.Kind, err)
			}
		})
	}
}

func TestCharges(t *testing.T) {
	t.Parallel()
	none := map[string]string{"tf_amount": `null`}
	tests := map[string]struct {
		changes          map[string]string
		cost, sec, rate  string
		first, increment string
	}{
		"toll-free":            {nil, "0.5", "60", "0.5", "60", "30"},
		"none":                 {none, "", "", "", "", ""},
		"missing":              {map[string]string{"tf_amount": `""`, "tf_rate": `0`, "tf_duration": `60`}, "", "", "", "", ""},
		"zero is an amount":    {map[string]string{"tf_amount": `0`}, "0", "60", "0.5", "60", "30"},
		"forwarding":           {map[string]string{"tf_amount": `null`, "trm_amount": `1e-7`, "trm_rate": `2`, "trm_duration": `6`}, "0.0000001", "6", "2", "", ""},
		"two":                  {map[string]string{"trm_amount": `0.25`, "trm_duration": `6`}, "0.75", "66", "", "", ""},
		"two, one unmeasured":  {map[string]string{"trm_amount": `0.25`}, "0.75", "60", "", "", ""},
		"three":                {map[string]string{"trm_amount": `"0.1"`, "metered_channels_amount": `0.2`}, "0.8", "60", "", "", ""},
		"no float":             {map[string]string{"tf_amount": `0.1`, "trm_amount": `0.2`}, "0.3", "60", "", "", ""},
		"reseller":             {map[string]string{"sub_customer_tf_amount": `9`, "sub_customer_trm_amount": `9`, "tf_amount_no_vat": `9`}, "0.5", "60", "0.5", "60", "30"},
		"one unreadable":       {map[string]string{"trm_amount": `"free"`}, "", "", "", "", ""},
		"unreadable duration":  {map[string]string{"tf_duration": `-1`}, "0.5", "", "0.5", "60", "30"},
		"a credit":             {map[string]string{"tf_amount": `-0.5`}, "-0.5", "60", "0.5", "60", "30"},
		"duration, not amount": {map[string]string{"tf_amount": `null`, "trm_duration": `60`, "trm_rate": `1`}, "", "", "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := decode(t, message("inbound-cdr", inbound(), test.changes))
			if err != nil {
				t.Fatal(err)
			}
			f := e.Facts
			got := []string{text(f.Cost), text(f.ChargedSec), text(f.Rate), whole(f.FirstIncrement), whole(f.NextIncrement)}
			want := []string{test.cost, test.sec, test.rate, test.first, test.increment}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("cost, seconds, rate, increments are %q, want %q", got, want)
					break
				}
			}
		})
	}
}

func text(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.String()
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	b, _ := json.Marshal(*n)
	return string(b)
}

func TestAttempt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changes  map[string]string
		leg, key string
		attempt  int
		ends     cdr.Scope
	}{
		"last":               {nil, "2", "tag/2", 2, cdr.EndsCall},
		"text":               {map[string]string{"routing_attempt": `"2"`}, "2", "tag/2", 2, cdr.EndsCall},
		"float":              {map[string]string{"routing_attempt": `2.0`}, "2", "tag/2", 2, cdr.EndsCall},
		"not last":           {map[string]string{"is_last_cdr": `false`}, "2", "tag/2", 2, cdr.EndsLeg},
		"last not said":      {map[string]string{"is_last_cdr": `null`}, "2", "tag/2", 2, cdr.EndsCall},
		"zero":               {map[string]string{"routing_attempt": `0`}, "0", "tag/0", 0, cdr.EndsCall},
		"negative":           {map[string]string{"routing_attempt": `-1`}, "", "id-1", 0, cdr.EndsCall},
		"missing":            {map[string]string{"routing_attempt": `null`}, "", "id-1", 0, cdr.EndsCall},
		"missing, more come": {map[string]string{"routing_attempt": `null`, "is_last_cdr": `false`}, "2025-02-14T14:00:00.5Z", "id-1", 0, cdr.EndsLeg},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := decode(t, message("inbound-cdr", inbound(), test.changes))
			if err != nil || e.Leg != test.leg || e.RecordKey != test.key || e.Facts.Attempt != test.attempt || e.Facts.Ends != test.ends {
				t.Errorf("leg %q, key %q, attempt %d, ends %s, %v", e.Leg, e.RecordKey, e.Facts.Attempt, e.Facts.Ends, err)
			}
		})
	}
}

// TestParties: the caller after rewriting, the destination of the trunk, else the DID.
func TestParties(t *testing.T) {
	t.Parallel()
	e, _, err := decode(t, message("inbound-cdr", inbound(), map[string]string{"dst_number": `""`}))
	if err != nil || e.Facts.Dst != "442079460123" || e.Facts.DID != "442079460123" {
		t.Errorf("%+v, %v", e.Facts, err)
	}
	e, _, err = decode(t, message("outbound-call-start-event", outbound(), map[string]string{"original_src_number": `"02089643990"`}))
	if err != nil || e.Facts.Src != "442089643990" || e.Facts.DID != "" || e.CallID != "sip~20250214T140000.500000Z" || e.Facts.SIPCallID != "sip" {
		t.Errorf("%+v, %v", e.Facts, err)
	}
	e, _, err = decode(t, message("incoming-call-connect-event", inbound(), map[string]string{"call_id": `"leg"`}))
	if err != nil || e.Facts.Dst != "442079460123" || e.CallID != "id-1" || e.Leg != "" {
		t.Errorf("%+v, %v", e, err)
	}
}
