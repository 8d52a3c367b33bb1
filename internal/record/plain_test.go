package record

import (
	"bytes"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// FuzzPlain holds what is read by hand, for speed, against the libraries that
// read the rest: where the short way takes a text, the long one gives the same.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "+1", "007", "1.50", "-.5", "5.", ".", "-", "1.2.3", "1e3", "0.000", "999999999999999999", "1234567890123456.78", "9999999999999999999",
		"1778676340", "1778676340123", "1778676340123456", "1778676340123456789", "99999999999", "100000000000", "178676340.5",
		"2026-05-13T12:45:40Z", "2026-05-13 12:45:40.123456+00:00", "2026-05-13T12:45:40.1234567891Z", "2026-05-13T12:45:40,5", "2026-05-13T12:45:40.",
		"2026-05-13T12:45:40+24:00", "2026-05-13T12:45:40-23:59", "2026-02-29T00:00:00", "2024-02-29T23:59:60", "2024-02-28T23:58:60", "2024-02-28T23:60:00", "2024-02-28T24:00:00", "2024-02-00T00:00:00", "2024-13-01T00:00:00", "2026-00-01T00:00:00", "2026-05-13T12:45:40 Z",
		"a=1&b=x%2By+z", "a=%zz&b=%", "a=x%26y", "a=<&b=>", "a=é", "a=%7f", "b=1&a=2&a=1", "%41=1&A=2", "a=%ff&%fe=1&%fd=2", "a=\"&b=\\", "=1&=2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sent := []byte(text)
		checkPlainNumber(t, sent)
		checkPlainTime(t, sent)
		if u, err := url.QueryUnescape(text); err == nil && string(appendUnescaped([]byte("x"), sent)) != "x"+u {
			t.Errorf("%q: unescaped %q, want %q", text, appendUnescaped(nil, sent), u)
		} else if err != nil && string(appendUnescaped([]byte("x"), sent)) != "x"+text {
			t.Errorf("%q: unescaped %q, want it as it is", text, appendUnescaped(nil, sent))
		}
		if r := new(desk).readForm("", sent).Record; r != nil {
			if payload, ok := r.plainPayload(); ok && !bytes.Equal(payload, r.oddPayload()) {
				t.Errorf("%q: payload %s, want %s", text, payload, r.oddPayload())
			}
		}
	})
}

func checkPlainNumber(t *testing.T, sent []byte) {
	t.Helper()
	if d, ok := plainDecimal(sent); ok {
		if want, err := decimal.NewFromString(string(sent)); err != nil || !reflect.DeepEqual(d, want) {
			t.Errorf("%q: %s, want %s, %v", sent, d, want, err)
		}
	}
	if n := digits(sent); n >= 0 {
		if want, err := decimal.NewFromString(string(sent)); err != nil || want.IntPart() != n {
			t.Errorf("%q: %d, want %s, %v", sent, n, want, err)
		}
		if at, ok := oddEpoch(sent); !ok || !at.Equal(plainEpoch(n)) {
			t.Errorf("%q: %s, want %s, %v", sent, plainEpoch(n), at, ok)
		}
	}
}

// checkPlainTime holds what is read by hand against the layouts of package time.
func checkPlainTime(t *testing.T, sent []byte) {
	t.Helper()
	at, ok := calendarTime(sent)
	for _, layout := range []string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 UTC",
		"2006-01-02 15:04:05 Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 Z0700", "2006-01-02T15:04:05Z07", "2006-01-02 15:04:05Z07",
	} {
		if want, err := time.Parse(layout, string(sent)); err == nil && (!ok || !at.Equal(want)) {
			t.Errorf("%q: %s %t, want %s", sent, at, ok, want)
		}
	}
}

// TestPlainTimes puts spellings together from parts, good and bad ones.
func TestPlainTimes(t *testing.T) {
	t.Parallel()
	for _, day := range []string{"2026-05-13", "2026-02-28", "2026-02-29", "2024-02-29", "2026-00-10", "2026-13-10", "2026-04-00", "2026-04-31", "0000-01-01", "9999-12-31", "2026/05/13", "2026-5-013", "+026-05-13"} {
		for _, between := range []string{"T", " ", "t", ""} {
			for _, clock := range []string{"00:00:00", "23:59:59", "24:00:00", "23:60:00", "23:59:60", "1:02:03", "-1:00:00", "12:45", "12:45:4x"} {
				for _, fraction := range []string{"", ".", ".5", ".0", ".123456", ".123456789", ".1234567890", ",5", ".x", ".-1"} {
					for _, zone := range []string{"", "Z", "z", "+02:00", "-05:30", "-00:00", "+23:59", "+24:00", "+25:00", "+02:60", "+0200", "+02", " UTC", " Z", " +02:00", "+2:000", "+02:0x", "?"} {
						checkPlainTime(t, []byte(day+between+clock+fraction+zone))
					}
				}
			}
		}
	}
}

// What is common is read the short way: else it is only a burden.
func TestCommonIsPlain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "13", "0.450000", "-1.5", ".5"} {
		if _, ok := plainDecimal([]byte(text)); !ok {
			t.Errorf("%s is read the long way", text)
		}
	}
	if _, ok := new(desk).readForm("", []byte("CallID=1&CallerExtension=0003%2A210&CallerIDNam=A+B")).Record.plainPayload(); !ok {
		t.Error("a form is read the long way")
	}
}

// A getter's text is a string of its own: facts that live for minutes must not
// keep a body of megabytes alive, nor change with it.
func TestTextIsACopy(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{`{"a":"text","b":"\u0074ext","o":{"text":1}}`, "a=text&b=te%78t&o=text"} {
		body := []byte(strings.Clone(sent))
		s := splitter{parser: parser{tree: tree{data: body}}}
		tree, err := s.next()
		r := &Record{tree: tree, root: &tree.values[0], raw: body}
		if err != nil {
			r = new(desk).readForm("", body).Record
		}
		f := r.Fields()
		texts := []string{f.Text("a"), f.Long("b"), f.Opaque("o")}
		key, _ := f.Key("a")
		clear(body)
		clear(r.data)
		clear(r.unescaped)
		for _, text := range append(texts, key) {
			if !strings.Contains(text, "text") {
				t.Errorf("%q: a text became %q", sent, text)
			}
		}
	}
}
