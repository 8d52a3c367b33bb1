package provider_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
)

func utf16Text(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

const formType = "application/x-www-form-urlencoded"

// bodies are a sample by its content type. TEXT stands for a text.
func bodies(sample map[string]string) map[string]string {
	parts, raw := "", ""
	for _, name := range slices.Sorted(maps.Keys(sample)) {
		value := strings.Trim(sample[name], `"`)
		parts += fmt.Sprintf("--b\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", name, value)
		raw += "&" + name + "=" + value
	}
	return map[string]string{
		"application/json": object(sample), "application/x-ndjson": object(sample) + "\n", formType: pairs(sample),
		"text/plain": strings.TrimPrefix(raw, "&"), "multipart/form-data; boundary=b": parts + "--b--\r\n",
	}
}

// A record is the same event in every encoding of its text, as JSON and as a form
// with and without escapes.
func TestEncodings(t *testing.T) {
	t.Parallel()
	charsets := map[string]encoding.Encoding{
		`"Windows-1251"`: charmap.Windows1251, "KOI8-R ; x=y": charmap.KOI8R, "iso-8859-1": charmap.ISO8859_1, "us-ascii": charmap.ISO8859_1,
		"shift_jis": japanese.ShiftJIS, "iso-2022-jp": japanese.ISO2022JP, "euc-jp,": japanese.EUCJP,
	}
	for name, sample := range samples() {
		for contentType, body := range bodies(sample) {
			for _, text := range []string{"Иван Ы", "Zoë", "テスト表", "😀"} {
				inUTF8 := strings.ReplaceAll(body, "TEXT", text)
				want := read(t, name, contentType, inUTF8)
				same := func(charset, encoded string) {
					got := read(t, name, contentType+charset, encoded)
					if got.Reject != nil || want.Reject != nil || !equal(got.Events[0], want.Events[0]) {
						t.Errorf("%s %s%s: %+v\nwant %+v\n%q", name, contentType, charset, got, want, encoded)
					}
				}
				for charset, encoded := range inUnicode(inUTF8) {
					same(charset, encoded)
				}
				for charset, e := range charsets {
					encoded, err := e.NewEncoder().String(text)
					if err != nil {
						continue // it has not these letters
					}
					if contentType == formType {
						same("; charset="+charset, strings.ReplaceAll(body, "TEXT", url.QueryEscape(encoded)))
						same("; charset="+charset, strings.ReplaceAll(body, "TEXT", encoded))
						continue
					}
					same("; charset="+charset, strings.ReplaceAll(body, "TEXT", encoded))
				}
			}
		}
	}
}

func equal(a, b cdr.Event) bool {
	return a.ID == b.ID && string(a.Payload) == string(b.Payload) && slices.Equal(a.Problems, b.Problems)
}

// inUnicode encodes a body, by what its Content-Type adds.
func inUnicode(body string) map[string]string {
	const bom = "\uFEFF"
	return map[string]string{
		"":                        bom + body,
		"; charset=koi8-r":        body, // UTF-8, whatever is declared
		"; charset=no-such":       body,
		"; charset=iso-2022-kr":   body,
		"; charset=unicode":       body,
		";":                       utf16Text(binary.LittleEndian, body),
		"; charset=UTF-16BE":      utf16Text(binary.BigEndian, body),
		"; charset=utf-16":        utf16Text(binary.LittleEndian, bom+body),
		"; charset=utf-8":         utf16Text(binary.BigEndian, bom+body),
		"; charset=windows-1252;": utf16Text(binary.LittleEndian, body+"\r\n") + "\n",
		"; charset=utf-16le":      utf16Text(binary.LittleEndian, body+"\x00"),
	}
}

// A form may name its charset in a parameter, and a part of a multipart form in its
// header.
func TestEncodingOfForms(t *testing.T) {
	t.Parallel()
	const part = "--b\r\nContent-Disposition: form-data; name=%s\r\n%s\r\n%s\r\n"
	name := "\xc8\xe2\xe0\xed" // in windows-1251
	for contentType, body := range map[string]string{
		formType: "CallID=1&CallStatus=CALLING&CallFlow=OUT&CallerIDName=%C8%E2%E0%ED&_charset_=windows-1251",
		"multipart/form-data; boundary=b": fmt.Sprintf(part+part+part+part+"--b--\r\n", "CallID", "", "1", "CallStatus", "", "CALLING", "CallFlow", "", "OUT",
			"CallerIDName", "Content-Type: text/plain; charset=windows-1251\r\n", name),
	} {
		e := read(t, "voipnow", contentType, body).Events[0]
		if e.Facts.SrcName != "Иван" || len(e.Problems) > 0 {
			t.Errorf("%s: %q %q", contentType, e.Facts.SrcName, e.Problems)
		}
	}
}

// What cannot be decoded is named, and its bytes are in the payload.
func TestBrokenText(t *testing.T) {
	t.Parallel()
	const base = "CallID=1&CallStatus=CALLING&CallFlow=OUT&"
	for _, c := range []struct{ contentType, body, problem, bytes string }{
		{formType, base + "CallerIDName=J%FCrgen", "CallerIDName: NUL or broken UTF-8 taken out", "CallerIDName=J%25FCrgen"},
		{formType, base + "Other=J\xFCrgen", "Other: NUL or broken UTF-8 taken out", "Other=J%FCrgen"},
		{formType + "; charset=no-such", base + "%FCber=1", "\uFFFDber: NUL or broken UTF-8 taken out", "%25FCber=1"},
		{formType + "; charset=iso-2022-kr", base + "CallerIDName=%FF", "CallerIDName: NUL or broken UTF-8 taken out", "CallerIDName=%25FF"},
		{formType + "; charset=unicode", base + "CallerIDName=%FF", "CallerIDName: NUL or broken UTF-8 taken out", "CallerIDName=%25FF"},
		{formType + "; charset=shift_jis", base + "CallerIDName=%83e%83", "CallerIDName: NUL or broken UTF-8 taken out", "CallerIDName=%2583e%2583"},
		{"application/json; charset=shift_jis", `{"CallID":"1","CallStatus":"CALLING","CallFlow":"OUT","CallerIDName":"` + "\x83e\x83" + `"}`, "body: NUL or broken UTF-8 taken out", "%22CallerIDName%22:%22%83e%83%22"},
		{"", utf16Text(binary.LittleEndian, `{"CallID":"1","CallStatus":"CALLING","CallFlow":"OUT","CallerIDName":"`) + "\x00\xD8\"\x00}\x00", "body: NUL or broken UTF-8 taken out", "%22CallerIDName%22:%22%ED%A0%80%22"},
	} {
		e := read(t, "voipnow", c.contentType, c.body).Events[0]
		if len(e.Problems) == 0 || e.Problems[0] != c.problem || !strings.Contains(string(e.Payload), `"_bytes":"`) || !strings.Contains(string(e.Payload), c.bytes) {
			t.Errorf("%s %q: problems %q, payload %s", c.contentType, c.body, e.Problems, e.Payload)
		}
		redecode(t, e)
	}
}

// A name that is there twice is named, whether it is read or not. The last one
// counts in JSON; in a form none does.
func TestRepeated(t *testing.T) {
	t.Parallel()
	for _, fields := range fields() {
		for _, f := range fields {
			for body, problem := range map[string]string{
				strings.Replace(object(with(f, `"1"`)), "{", `{"`+f.name+`":"2",`, 1):               f.name,
				strings.Replace(object(with(f, `"1"`)), "{", `{"x":1,"x":1,`, 1):                    "x",
				strings.Replace(object(with(f, `"1"`)), "{", `{"o":{"l":[{"x":1,"\u0078":1}]},`, 1): "o.l.x",
				pairs(with(f, `"1"`)) + "&x=1&x=1":                                                  "x",
			} {
				r := read(t, f.provider, "", body)
				if r.Reject != nil || !slices.Contains(r.Events[0].Problems, problem+": given more than once") {
					t.Errorf("%s: %+v\n%s", f.provider, r, body)
					continue
				}
				redecode(t, r.Events[0])
			}
			form := pairs(with(f, `"1"`)) + "&" + f.name + "=1"
			if r := read(t, f.provider, "", form); r.Reject == nil &&
				(f.get(r.Events[0].Facts) != "" || !slices.Contains(r.Events[0].Problems, f.name+": given more than once")) {
				t.Errorf("%s: %+v\n%s", f.provider, r, form)
			}
		}
	}
}

// redecode fails where an event says something else once it is decoded from its payload.
func redecode(t *testing.T, e cdr.Event) {
	t.Helper()
	adapter, _ := provider.ByName(e.Source)
	again, err := adapter.Redecode(e, cdr.Settings{})
	slices.Sort(e.Problems)
	slices.Sort(again.Problems)
	if err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("decoded again: %+v, %v\nfirst %+v", again, err, e)
	}
}
