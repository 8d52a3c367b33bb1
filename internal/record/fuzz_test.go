package record_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// FuzzRead holds for any body: nothing panics, every byte that means something
// is in a piece, in order, and every record has a payload that JSON readers take.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"a":1}`, "[{\"a\":1},\n{\"b\":}]", `{"data":[{"a":1},{}]}`, "{\"a\":1}\r\n\r\nx\n{\"b\":2}", `{"data":{},"meta":{"x":[]}}`,
		"a=1&b=%zz&a=2", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--", "\xEF\xBB\xBF{}", "{}\n\xEF\xBB\xBF{}", "{\x00}\x00", "\xFE\xFF\x00{\x00}", "{\"a\":\"\\ud800\xff\"}",
		`{"data":[{"a":1},x]}`, `[1,"x",null,[{}]]`, "", "{{}\n}", `["",`,
	} {
		f.Add("", []byte(seed))
		f.Add("multipart/form-data; boundary=b", []byte(seed))
		f.Add("application/x-www-form-urlencoded; charset=shift_jis", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, contentType string, sent []byte) {
		const mark = "\xEF\xBB\xBF"
		sent = record.InUTF8(cdr.Delivery{ContentType: contentType, Body: sent}).Body
		end := 0 // of the last piece
		if bytes.HasPrefix(sent, []byte(mark)) {
			end = len(mark)
		}
		for p := range record.Read(cdr.Delivery{ContentType: contentType, Body: sent}) {
			checkPiece(t, p)
			if len(bytes.TrimSpace(sent[end:])) == 0 {
				return // nothing but a mark: TestReadFramings
			}
			at := position(sent, p.Raw)
			if p.Reason == "body: the list has no end" && at >= 0 && bytes.HasSuffix(p.Raw, []byte("[")) {
				continue // its opening comes last
			}
			if at < end {
				t.Fatalf("%q is not behind byte %d of %q", p.Raw, end, sent)
			}
			checkLeftOut(t, sent, sent[end:at])
			end = at + len(p.Raw)
		}
		checkLeftOut(t, sent, sent[end:])
	})
}

// position returns where the bytes of a piece stand in a body: they are a part
// of it (their capacity ends with the body's), or those of a form a copy.
func position(sent, raw []byte) int {
	if at := cap(sent) - cap(raw); at >= 0 && at < len(sent) && &sent[at] == &raw[0] {
		return at
	}
	return bytes.Index(sent, raw)
}

// checkLeftOut fails where bytes between two pieces mean something: they may
// separate, or be the envelope around {"data":…}.
func checkLeftOut(t *testing.T, sent, between []byte) {
	t.Helper()
	means := bytes.TrimFunc(between, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",[]{}\uFEFF", r)
	})
	inEnvelope := bytes.ContainsAny(means, `"`) && (bytes.Contains(sent, []byte(`data"`)) || bytes.Contains(sent, []byte(`\u`)))
	if len(means) > 0 && !inEnvelope {
		t.Fatalf("%q of %q is in no piece", means, sent)
	}
}

func checkPiece(t *testing.T, p record.Piece) {
	t.Helper()
	if p.Record == nil {
		if p.Reason == "" {
			t.Fatalf("%q is set aside without a reason", p.Raw)
		}
		return
	}
	payload := p.Record.Payload()
	if !utf8.Valid(payload) || !json.Valid(payload) {
		t.Fatalf("payload %q", payload)
	}
	if !bytes.Equal(p.Record.Canonical(nil), p.Record.Canonical(nil)) {
		t.Fatal("the canonical form is not the same twice")
	}
	back, err := record.FromPayload(payload)
	if err != nil {
		t.Fatal(err)
	}
	if utf8.Valid(p.Raw) && !p.Record.IsForm() && !bytes.Equal(back.Canonical(nil), p.Record.Canonical(nil)) {
		t.Fatalf("%q has another identity when read back", payload)
	}
	useEveryGetter(t, p.Record.Fields())
}

// useEveryGetter reads all kinds of things from field `a`.
func useEveryGetter(t *testing.T, f *record.Fields) {
	t.Helper()
	for _, text := range []string{f.Text("a"), f.Long("a"), f.Opaque("a"), f.Object("a").Text("b")} {
		if !utf8.ValidString(text) || bytes.IndexByte([]byte(text), 0) >= 0 {
			t.Fatalf("text %q", text)
		}
	}
	if s := f.Seconds("a"); s.Valid && s.Decimal.IsNegative() {
		t.Fatalf("seconds %s", s.Decimal)
	}
	if at := f.Time("a"); !at.IsZero() && (at.Year() < 1970 || at.Year() > 2200) {
		t.Fatalf("time %s", at)
	}
	if d := f.Decimal("a"); d.Valid && len(d.Decimal.String()) > 128 {
		t.Fatalf("a number of %d bytes", len(d.Decimal.String()))
	}
	if key, err := f.Key("a"); err == nil && (key == "" || len(key) > cdr.MaxKey) {
		t.Fatalf("key %q", key)
	}
	f.Int("a")
	f.Bool("a")
}
