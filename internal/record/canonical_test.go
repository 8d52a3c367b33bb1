package record_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

func canonical(t *testing.T, d cdr.Delivery, without ...string) string {
	t.Helper()
	return string(one(t, d).Canonical(without))
}

func TestCanonicalIsEqual(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"order of fields":          {`{"a":1,"b":2}`, `{"b":2,"a":1}`},
		"order of nested fields":   {`{"x":{"a":1,"b":2}}`, `{"x":{"b":2,"a":1}}`},
		"white space":              {`{"a":[1,{"b":2}]}`, "{ \"a\" :\r\n\t[ 1 , { \"b\" : 2 } ] }"},
		"escapes of text":          {`{"a":"A/é😀"}`, `{"a":"\u0041\/\u00e9\ud83d\ude00"}`},
		"escapes of several texts": {`{"a":"A","b":"Bb","c":""}`, `{"\u0061":"\u0041","b":"B\u0062","c":""}`},
		"escapes of names":         {`{"ab":1}`, `{"\u0061b":1}`},
		"hex in capitals":          {`{"a":"\u00e9"}`, `{"a":"\u00E9"}`},
		"framing":                  {`{"a":1}`, `{"data":[{"a":1}]}`},
		"order of pairs":           {"a=1&b=2", "b=2&a=1"},
		"order of a repeated pair": {"a=1&a=2", "a=2&a=1"},
		"encoding of pairs":        {"a=0003*210+x", "a=0003%2A210%20x"},
		"a form and an object":     {"a=1&b=x", `{"b":"x","a":"1"}`},
		"empty pairs":              {"a=1&&b=2&", "a=1&b=2"},
		"a value that is left out": {"a&b=2", "a=&b=2"},
	} {
		if x, y := canonical(t, body(c[0])), canonical(t, body(c[1])); x != y {
			t.Errorf("%s: %q and %q", name, x, y)
		}
	}
	form, query := canonical(t, body("a=1&b=2")), canonical(t, cdr.Delivery{Query: "b=2&a=1"})
	if form != query {
		t.Errorf("a form and a query: %q and %q", form, query)
	}
}

func TestCanonicalDiffers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"text of numbers":           {`{"a":1.0}`, `{"a":1}`},
		"exponents":                 {`{"a":1e1}`, `{"a":10}`},
		"a number and text":         {`{"a":1}`, `{"a":"1"}`},
		"null and text":             {`{"a":null}`, `{"a":"null"}`},
		"null and nothing":          {`{"a":null}`, `{}`},
		"true and text":             {`{"a":true}`, `{"a":"true"}`},
		"a list and its item":       {`{"a":["1"]}`, `{"a":"1"}`},
		"order of a list":           {`{"a":[1,2]}`, `{"a":[2,1]}`},
		"nesting of lists":          {`{"a":[[1],2]}`, `{"a":[[1,2]]}`},
		"the last of a name counts": {`{"a":1,"a":2}`, `{"a":2,"a":1}`},
		"case of names":             {`{"a":1}`, `{"A":1}`},
		"a field within a field":    {`{"a":{"b":1}}`, `{"a":{},"b":1}`},
		"text that looks like more": {`{"a":"1:x","b":"y"}`, `{"a":"1:x\",1:b:1:y"}`},
		"halves of surrogate pairs": {`{"a":"\ud83d"}`, `{"a":"\ud83e"}`},
		"bytes that are not UTF-8":  {"{\"a\":\"\xff\"}", "{\"a\":\"\xfe\"}"},
		"empty text and NUL":        {`{"a":""}`, `{"a":"\u0000"}`},
		"one pair and two":          {"a=1", "a=1&a=1"},
	} {
		if x, y := canonical(t, body(c[0])), canonical(t, body(c[1])); x == y {
			t.Errorf("%s: both %q", name, x)
		}
	}
}

func TestCanonicalWithout(t *testing.T) {
	t.Parallel()
	if x, y := canonical(t, body(`{"a":1,"balance":"5","token":"t"}`), "balance", "token"), canonical(t, body(`{"a":1}`)); x != y {
		t.Errorf("%q and %q", x, y)
	}
	if x, y := canonical(t, body(`{"a":{"balance":"5"}}`), "balance"), canonical(t, body(`{"a":{}}`)); x == y {
		t.Errorf("a nested field is left out: %q", x)
	}
}

// The text of the canonical form is the identity of stored records for ever:
// it may never change.
func TestCanonicalText(t *testing.T) {
	t.Parallel()
	const want = `{"1:a:1.50,"1:b:[true,null,"2:é,],"2:cc:{},}`
	if got := canonical(t, body(`{"cc":{},"b":[true,null,"é"],"a":1.50}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	const twice = `{"1:a:1,"1:a:2,"1:a:0,"1:b:3,}`
	if got := canonical(t, body(`{"b":3,"a":1,"a":2,"a":0}`)); got != twice {
		t.Errorf("%s, want %s", got, twice)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"{ \"b\" : 1.50,\r\n\"a\":\"\\u0041\" }": "{ \"b\" : 1.50,\r\n\"a\":\"\\u0041\" }",
		"{\"a\":\"x\xff\xfey\"}":                 "{\"a\":\"x\uFFFDy\",\"_bytes\":\"%7B%22a%22:%22x%FF%FEy%22%7D\"}",
		`{"a":"\u0000","a":"\ud83d"}`:            `{"a":"\u0000","a":"\ud83d"}`,
		"b=2&a=x+y%2Bz":                          `{"a":"x y+z","b":"2"}`,
		"a=2&a=1&b=":                             `{"a":["1","2"],"b":""}`,
		"a=%00%ff":                               `{"_bytes":"a=%2500%25ff","a":"\u0000�"}`,
	} {
		if got := string(one(t, body(sent)).Payload()); got != want {
			t.Errorf("%q: %s, want %s", sent, got, want)
		}
	}
}

func TestFromPayload(t *testing.T) {
	t.Parallel()
	r, err := record.FromPayload([]byte(` {"a":"x","o":{"k":[1, 2]}} `))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Fields().Text("a"); got != "x" {
		t.Errorf("text %q", got)
	}
	if got := r.Fields().Opaque("o"); got != `{"k":[1, 2]}` {
		t.Errorf("opaque %q", got)
	}
	if _, err := record.FromPayload([]byte(`{"a":`)); err == nil {
		t.Error("half a payload is read")
	}
}
