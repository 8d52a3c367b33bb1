package provider_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
)

// samples are a record of each provider, as its fields in JSON.
func samples() map[string]map[string]string {
	return map[string]map[string]string{
		"didww":    {"call_id": `"c1"`, "time_start": `"2026-05-13T12:00:00Z"`, "time_end": `"2026-05-13T13:00:00Z"`, "success": `true`, "dst_number": `"33170189900"`, "src_name": `"TEXT"`},
		"didlogic": {"event": `"cdr"`, "callid": `"c1"`, "calldate": `"2026-05-13T12:00:00Z"`, "disposition": `"ANSWERED"`, "duration": `3600`, "dst": `"33170189900"`, "user_id": `"TEXT"`},
		"voipnow":  {"CallID": `"c1"`, "CallStatus": `"CALLING"`, "CallFlow": `"OUT"`, "CalledNumber": `"33170189900"`, "CallerIDName": `"TEXT"`},
		"piopiy":   {"type": `"cdr"`, "status": `"answered"`, "leg": `"a"`, "direction": `"inbound"`, "conversation_uuid": `"c1"`, "start_time": `1778673600`, "end_time": `1778677200`, "to": `33170189900`, "extra_params": `"TEXT"`},
		"wavix":    {"uuid": `"c1"`, "date": `"2026-05-13T12:00:00Z"`, "disposition": `"answered"`, "to": `"33170189900"`, "sip_trunk": `"TEXT"`},
	}
}

// fields are the fields of the samples that are sent in many spellings, by what they
// hold.
func fields() map[string][]field {
	dst := func(f *cdr.Facts) string { return f.Dst }
	billsec := func(f *cdr.Facts) string { return amount(f.Billsec) }
	cost := func(f *cdr.Facts) string { return amount(f.Cost) }
	rate := func(f *cdr.Facts) string { return amount(f.Rate) }
	started := func(f *cdr.Facts) string { return moment(f.StartedAt) }
	ended := func(f *cdr.Facts) string { return moment(f.EndedAt) }
	return map[string][]field{
		"number":  {{"didww", "dst_number", dst}, {"didlogic", "dst", dst}, {"voipnow", "CalledNumber", dst}, {"piopiy", "to", dst}, {"wavix", "to", dst}},
		"amount":  {{"didww", "price", cost}, {"didww", "rate", rate}, {"piopiy", "call_rate", rate}, {"wavix", "charge", cost}, {"wavix", "per_minute", rate}},
		"seconds": {{"didww", "duration", billsec}, {"didlogic", "billsec", billsec}, {"piopiy", "duration", billsec}, {"wavix", "duration", billsec}},
		"time": {
			{"didww", "time_end", ended}, {"didww", "time_start", started}, {"didlogic", "calldate", started},
			{"piopiy", "end_time", ended}, {"wavix", "date", started}, {"voipnow", "EventTime", started},
		},
	}
}

type field struct {
	provider, name string
	get            func(*cdr.Facts) string
}

func amount(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.String()
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

// spelling is how a value is sent, in JSON, and what comes out or what is named. As a
// text in JSON or in a form it may have another problem than as a number.
type spelling struct{ sent, want, problem, textProblem string }

func spellings() map[string][]spelling {
	const at, exponent = "2026-05-13T12:45:40Z", "written with an exponent"
	same := func(want, problem string, sent ...string) (all []spelling) {
		for _, s := range sent {
			all = append(all, spelling{s, want, problem, problem})
		}
		return all
	}
	return map[string][]spelling{
		"number": slices.Concat(
			same("442071838750", "", `442071838750`, `"442071838750"`),
			same("+442071838750", "", `"+442071838750"`, `" 442071838750"`),
			same("02071838750", "", `"02071838750"`),
			same(" 02071838750", "", `" 02071838750"`),
			[]spelling{{`442071838750.0`, "442071838750", "", "-"}, {`4.42E+11`, "442000000000", "", exponent}, {`4.4207183875e+11`, "442071838750", "", exponent}},
			same("442000000000", exponent, `"4.42E+11"`),
			same("", "expected text", `["442071838750"]`, `{"a":1}`),
			same("sip:bob@example.com", "", `"sip:bob@example.com"`),
		),
		"amount": slices.Concat(
			same("0.05", "", `0.05`, `"0.05"`, `" 0.050 "`, `".05"`, `"+0.05"`, `5e-2`, `"5E-02"`),
			same("0.00001", "", `1e-05`, `"1e-05"`, `1E-5`),
			same("50", "", `5E+1`, `"5e+01"`, `"50"`),
			same("0", "", `0`, `"0"`, `0.0`),
			same("", "", `null`, `""`),
			same("", "not a number", `"0,05"`, `"1.234,56"`, `"1,234.56"`, `"EUR 0.05"`, `"NaN"`, `"n/a"`, `"0.05-"`, `1e+99`),
			same("", "expected a number", `[0.05]`, `{"a":1}`),
			[]spelling{{`true`, "", "expected a number", "not a number"}},
		),
		"seconds": slices.Concat(
			same("13", "", `13`, `"13"`, `13.0`, `1.3e1`, `"1.3E+01"`, `"0013"`),
			same("13.5", "", `13.5`, `"13.5"`),
			same("", "its talk time is not known", `null`, `""`),
			same("", "not a number", `"13,5"`, `"00:00:13"`, `"13 s"`),
			same("", "negative", `-1`, `"-1"`),
			same("", "longer than a year", `1e9`),
		),
		"time": slices.Concat(
			same(at, "", `"2026-05-13T12:45:40Z"`, `"2026-05-13T12:45:40z"`, `"2026-05-13t12:45:40"`, `"2026-05-13 12:45:40"`, `"2026-05-13 12:45:40Z"`, `"2026-05-13 12:45:40 Z"`),
			same(at, "", `"2026-05-13T12:45:40 Z"`, `"2026-05-13 12:45:40 UTC"`, `"2026-05-13T12:45:40UTC"`, `"2026-05-13T12:45:40 GMT"`),
			same(at, "", `"2026-05-13T12:45:40+0000"`, `"2026-05-13T12:45:40+00:00"`, `"2026-05-13T12:45:40+00"`, `"2026-05-13T12:45:40-00:00"`),
			same(at, "", `"2026-05-13T14:45:40+02:00"`, `"2026-05-13T14:45:40+0200"`, `"2026-05-13T14:45:40 +0200"`, `"2026-05-13T14:45:40 +02:00"`),
			same(at, "", `"2026-05-13 14:45:40+0200"`, `"2026-05-13 14:45:40 +0200"`, `"2026-05-13 18:15:40 +05:30"`, `"2026-05-13 07:45:40 -0500"`),
			same("2026-05-14T09:45:40Z", "", `"2026-05-14 9:45:40"`),
			same(at, "", `1778676340`, `"1778676340"`, `1778676340000`, `"1778676340000"`, `1.77867634e9`, `"1.77867634E+9"`, `1778676340.0`, `1778676340000000`),
			same("2026-05-13T12:45:40.5Z", "", `"2026-05-13T12:45:40.5Z"`, `"2026-05-13 12:45:40,5"`, `1778676340.5`, `"1778676340.5"`, `1778676340500`, `"2026-05-13 12:45:40.500000 +00:00"`),
			same("2026-05-13T12:45:40.12Z", "", `"2026-05-13T12:45:40.12Z"`, `"2026-05-13T12:45:40.1200Z"`),
			same("2026-05-13T12:45:40.123Z", "", `"2026-05-13T12:45:40.123Z"`, `"1778676340123"`),
			same("2026-05-13T12:45:40.1234Z", "", `"2026-05-13T12:45:40.1234+0000"`),
			same("2026-05-13T12:45:40.12345Z", "", `"2026-05-13T12:45:40.12345"`),
			same("2026-05-13T12:45:40.123456Z", "", `"2026-05-13T12:45:40.123456Z"`, `"2026-05-13T12:45:40.1234567Z"`, `"2026-05-13T12:45:40.12345678Z"`, `"2026-05-13T12:45:40.123456789 +00:00"`, `"2026-05-13T12:45:40.1234567891Z"`),
			same("2026-05-14T00:00:00Z", "", `"2026-05-13T24:00:00Z"`, `"2026-05-13 24:00:00"`, `"2026-05-13T23:59:60Z"`, `"2026-05-14T02:00:00+02:00"`),
			same("2026-06-01T00:00:00Z", "", `"2026-05-31T24:00:00Z"`),
			same("2026-05-13T12:46:00Z", "", `"2026-05-13T12:45:60Z"`),
			same("", "not a time", `"0000-00-00 00:00:00"`, `"0000-00-00T00:00:00Z"`, `"2026-02-30T00:00:00Z"`, `"2026-05-13T24:00:01Z"`, `"2026-05-13T24:00:00.5Z"`, `"2026-05-13T25:00:00Z"`),
			same("", "not a time", `"2026-05-13T12:60:00Z"`, `"2026-05-13T12:45:61Z"`, `"2026-05-13T12:45:40 EST"`, `"13/05/2026 12:45:40"`, `"1778676340,5"`, `"soon"`, `-1`),
			same("", "outside of the years 1970 to 2200", `"0001-01-01T00:00:00Z"`, `99999999999`),
			[]spelling{{`true`, "", "expected a time", "not a time"}, {`[1778676340]`, "", "expected a time", ""}},
		),
	}
}

// A spelling of a field comes out the same from all providers, in JSON, in a form and
// in a form whose + is not escaped; or the field is null and named. A record that
// needs the field is quarantined with its name.
func TestSpellings(t *testing.T) {
	t.Parallel()
	all := spellings()
	for kind, fields := range fields() {
		for _, f := range fields {
			for _, s := range all[kind] {
				check(t, f, s.sent, "application/json", object(with(f, s.sent)), s.want, s.problem)
				if strings.ContainsAny(s.sent, "[{") || s.sent == "null" || s.textProblem == "-" {
					continue
				}
				quoted := `"` + strings.Trim(s.sent, `"`) + `"`
				escaped := pairs(with(f, s.sent))
				check(t, f, s.sent, "application/json", object(with(f, quoted)), s.want, s.textProblem)
				check(t, f, s.sent, "application/x-www-form-urlencoded", escaped, s.want, s.textProblem)
				check(t, f, s.sent, "", strings.ReplaceAll(escaped, "%2B", "+"), s.want, s.textProblem)
			}
		}
	}
}

// with is the sample of a field's provider with the field as sent.
func with(f field, sent string) map[string]string {
	sample := samples()[f.provider]
	sample[f.name] = sent
	return sample
}

func object(sample map[string]string) string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(sample)) {
		members = append(members, fmt.Sprintf("%q:%s", name, sample[name]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func pairs(sample map[string]string) string {
	form := url.Values{}
	for name, value := range sample {
		form.Set(name, strings.Trim(value, `"`))
	}
	return form.Encode()
}

func check(t *testing.T, f field, sent, contentType, body, want, problem string) {
	t.Helper()
	r := read(t, f.provider, contentType, body)
	if r.Reject != nil {
		if !strings.Contains(r.Reject.Reason, f.name+": ") || want != "" {
			t.Errorf("%s %s %s: quarantined: %s\nwant %q, problem %q\n%s", f.provider, f.name, sent, r.Reject.Reason, want, problem, body)
		}
		return
	}
	var problems []string
	for _, p := range r.Events[0].Problems {
		if strings.HasPrefix(p, f.name+": ") {
			problems = append(problems, p)
		}
	}
	named := len(problems) == 1 && problem != "" && strings.Contains(problems[0], problem)
	if got := f.get(r.Events[0].Facts); got != want || !named && (problem != "" || len(problems) > 0) {
		t.Errorf("%s %s %s: %q, problems %q\nwant %q, problem %q\n%s", f.provider, f.name, sent, got, r.Events[0].Problems, want, problem, body)
	}
}

// read returns the only record of a body.
func read(t *testing.T, name, contentType, body string) cdr.Record {
	t.Helper()
	adapter, ok := provider.ByName(name)
	if !ok {
		t.Fatalf("no provider %q", name)
	}
	d := cdr.Delivery{Source: name, Provider: name, Method: "POST", ContentType: contentType, Body: []byte(body), ReceivedAt: time.Date(2026, 5, 13, 14, 0, 0, 0, time.UTC)}
	records := adapter.Read(d)
	if len(records) != 1 {
		t.Fatalf("%s: %d records of %q", name, len(records), body)
	}
	return records[0]
}
