package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestReadFramings(t *testing.T) {
	t.Parallel()
	const bom = "\xEF\xBB\xBF"
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"an object":                       {`{"a":1}`, []string{`{"a":1}`}},
		"an object in white space":        {" \r\n\t{\"a\":1}\n ", []string{`{"a":1}`}},
		"an empty object":                 {`{}`, []string{`{}`}},
		"a list":                          {`[{"a":1},{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}},
		"a list over lines":               {"[\n{\"a\":1},\n{\"b\":2}\n]\n", []string{`{"a":1}`, `{"b":2}`}},
		"an empty list":                   {`[]`, nil},
		"data with a list":                {`{"data":[{"a":1},{"b":2}]}`, []string{`{"a":1}`, `{"b":2}`}},
		"data with an object":             {`{"data":{"a":1}}`, []string{`{"a":1}`}},
		"data with an empty list":         {`{"data":[]}`, nil},
		"data with its JSON:API company":  {`{"jsonapi":{},"data":{"a":1},"meta":{},"links":{},"included":[]}`, []string{`{"a":1}`}},
		"data twice":                      {`{"data":[{"a":1}],"data":{"b":2}}`, []string{`{"a":1}`, `{"b":2}`}},
		"data twice, once as text":        {`{"data":[{"a":1}],"data":"x"}`, []string{`{"data":[{"a":1}],"data":"x"}`}},
		"data among other fields":         {`{"data":{"a":1},"event":"x"}`, []string{`{"data":{"a":1},"event":"x"}`}},
		"data that is text":               {`{"data":"x"}`, []string{`{"data":"x"}`}},
		"meta alone":                      {`{"meta":{}}`, []string{`{"meta":{}}`}},
		"data in a list":                  {`[{"data":{"a":1}},{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}},
		"a line each":                     {"{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}},
		"lines with CRLF and blank ones":  {"{\"a\":1}\r\n\r\n{\"b\":2}\r\n\n", []string{`{"a":1}`, `{"b":2}`}},
		"lines of lists":                  {"[{\"a\":1}]\n[{\"b\":2}]\n", []string{`{"a":1}`, `{"b":2}`}},
		"pretty-printed, one after other": {"{\n  \"a\": {\n    \"b\": 1\n  }\n}\n{\n  \"c\": 2\n}\n", []string{"{\n  \"a\": {\n    \"b\": 1\n  }\n}", "{\n  \"c\": 2\n}"}},
		"one after other without a space": {`{"a":1}{"b":2}`, []string{`{"a":1}`, `{"b":2}`}},
		"one after other with commas":     {"{\"a\":1},\n{\"b\":2},\n", []string{`{"a":1}`, `{"b":2}`}},
		"a byte order mark":               {bom + `{"a":1}`, []string{`{"a":1}`}},
		"a form":                          {"CallID=b8&CallStatus=CALLING", []string{"CallID=b8&CallStatus=CALLING"}},
		"a form with a newline":           {"a=1\r\n", []string{"a=1"}},
		"a form with a byte order mark":   {bom + "a=1", []string{"a=1"}},
		"a byte order mark for each":      {bom + "{\"a\":1}\n" + bom + bom + "{\"b\":2}\n" + bom, []string{`{"a":1}`, `{"b":2}`}},
		"nothing":                         {"", []string{"REJECT "}},
		"white space":                     {" \n", []string{"REJECT  \n"}},
		"garbage":                         {"hello", []string{"REJECT hello"}},
		"markup with an equals sign":      {`<a b="c">`, []string{`REJECT <a b="c">`}},
		"a text with an equals sign":      {"1 + 1 = 2", []string{"REJECT 1", "REJECT + 1 = 2"}},
		"nothing before the equals sign":  {"=x", []string{"REJECT =x"}},
	} {
		if got := shown(read(body(c.body))); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

// The type is a clue only where the body itself gives none.
func TestReadByContentType(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delivery cdr.Delivery
		want     []string
	}{
		"JSON called text":             {typed("text/plain", `{"a":1}`), []string{`{"a":1}`}},
		"JSON called a form":           {typed("application/x-www-form-urlencoded", `{"a":"="}`), []string{`{"a":"="}`}},
		"JSON called multipart":        {typed("multipart/form-data; boundary=x", `{"a":1}`), []string{`{"a":1}`}},
		"a form called JSON":           {typed("application/json", "a=1&b=2"), []string{"a=1&b=2"}},
		"a form with blanks in a name": {typed("application/x-www-form-urlencoded; charset=utf-8", "a b=1"), []string{"a b=1"}},
		"a form called in capitals":    {typed("Application/X-WWW-Form-URLEncoded", "a b=1"), []string{"a b=1"}},
		"lines of JSON called a form":  {typed("application/x-www-form-urlencoded", "torn\":1}\n{\"a\":\"k=v\"}"), []string{"REJECT torn\":1}", `{"a":"k=v"}`}},
		"no form in spite of its type": {typed("application/x-www-form-urlencoded", "hello"), []string{"REJECT hello"}},
		"a query without a body":       {cdr.Delivery{Query: "a=1&b=2"}, []string{""}},
		"a query beside a body":        {cdr.Delivery{Query: "a=1", Body: []byte(`{"b":2}`)}, []string{`{"b":2}`}},
		"a query beside white space":   {cdr.Delivery{Query: "a=1", Body: []byte("\r\n")}, []string{""}},
		"a query without parameters":   {cdr.Delivery{Query: "&&"}, []string{"REJECT "}},
		"a body that does not inflate": {cdr.Delivery{Body: []byte("\x1f\x8b"), BodyProblem: "gzip: broken", Query: "a=1"}, []string{"REJECT \x1f\x8b"}},
	} {
		if got := shown(read(c.delivery)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestReadReasons(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"":                       "body: empty",
		"&":                      "body: byte 0: not JSON",
		`{"a":1`:                 "body: byte 0: ends in the middle of a value",
		`{"a":}`:                 "body: byte 5: not JSON",
		`{"a" 1}`:                "body: byte 5: expected :",
		`{a:1}`:                  `body: byte 1: expected "`,
		`[[1]]`:                  "expected an object, found a number",
		`[null]`:                 "expected an object, found null",
		`"text"`:                 "expected an object, found a string",
		"{\"a\":\"\x00\"}":       "body: byte 6: control character in a string",
		`{"a":"\x"}`:             "body: byte 8: unknown escape in a string",
		`{"a":"\u00g0"}`:         "body: byte 8: expected four hex digits",
		`{"a":01}`:               "body: byte 7: not a number",
		strings.Repeat(`[`, 200): "body: byte 130: nested deeper than 128",
		"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx": "body: multipart: unexpected EOF",
	} {
		pieces := read(body(sent))
		if len(pieces) == 0 || pieces[0].Record != nil || pieces[0].Reason != want {
			t.Errorf("%.40q: %q with %+v, want the reason %q", sent, shown(pieces), pieces, want)
		}
	}
	if p := read(cdr.Delivery{Body: []byte("x"), BodyProblem: "gzip: broken"}); p[0].Reason != "gzip: broken" {
		t.Errorf("reason %q", p[0].Reason)
	}
}

// A reader that has enough stops the reading.
func TestReadStops(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"{}{}", "x\n{}", `{"data":[{},{}]}`, "[1,2]", "a=1", "", "--b\r\n"} {
		n := 0
		for range recordsOf(sent) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%q: %d pieces", sent, n)
		}
	}
}
