package record_test

import (
	"slices"
	"testing"
)

// On an error reading goes on at the next newline from which a value parses. The
// bytes between are one reject, kept alone.
func TestReadRecovers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"a bad line among good ones": {
			"{\"a\":1}\n{\"b\":}\n{\"c\":3}\n",
			[]string{`{"a":1}`, `REJECT {"b":}`, `{"c":3}`},
		},
		"several bad lines are one reject": {
			"{\"a\":1}\nx\n\ny\n{\"c\":3}\n",
			[]string{`{"a":1}`, "REJECT x\n\ny", `{"c":3}`},
		},
		"a line that breaks off": {
			"{\"a\":1}\n{\"b\":{\"x\":\n{\"c\":3}\n{\"d\":4}",
			[]string{`{"a":1}`, `REJECT {"b":{"x":`, `{"c":3}`, `{"d":4}`},
		},
		"a backslash before the newline": {
			"{\"a\":\"\\\n\"} {\"b\":2}\n{\"c\":3}",
			[]string{"REJECT {\"a\":\"\\\n\"} {\"b\":2}", `{"c":3}`},
		},
		"a string that does not close": {
			"{\"a\":1}\n{\"b\":\"x}\n{\"c\":3}\n",
			[]string{`{"a":1}`, `REJECT {"b":"x}`, `{"c":3}`},
		},
		"a bad item of a one-line list": {
			`[{"a":1},{"b":},{"c":3}]`,
			[]string{`{"a":1}`, `REJECT {"b":}`, `{"c":3}`},
		},
		"a bad word in a one-line list": {
			`[{"a":1},nope,{"c":3}]`,
			[]string{`{"a":1}`, `REJECT nope`, `{"c":3}`},
		},
		"a bad word at the end of a one-line list": {
			`[{"a":1},nope]`,
			[]string{`{"a":1}`, `REJECT nope`},
		},
		"a closing brace too many in a one-line list": {
			`[{"a":1}},{"b":2}]`,
			[]string{`{"a":1}`, `{"b":2}`},
		},
		"brackets inside of a string of a bad item": {
			`[{"a":1},{"b":"}]\"",},{"c":3}]`,
			[]string{`{"a":1}`, `REJECT {"b":"}]\"",}`, `{"c":3}`},
		},
		"a bad item of a list over lines": {
			"[\n  {\n    \"a\": nope\n  },\n  {\n    \"b\": 2\n  }\n]\n",
			[]string{"REJECT {\n    \"a\": nope\n  },", "{\n    \"b\": 2\n  }"},
		},
		"a bad item of a data list": {
			`{"data":[{"a":1},{"b":},{"c":3}]}`,
			[]string{`{"a":1}`, `REJECT {"b":}`, `{"c":3}`},
		},
		"a bad item of a data list, and lines after it": {
			"{ \"data\" : [{\"a\":1},{\"b\":}]}\n{\"c\":3}",
			[]string{`{"a":1}`, `REJECT {"b":}`, `{"c":3}`},
		},
		"the last line breaks off":         {"{\"a\":1}\n{\"b\":", []string{`{"a":1}`, `REJECT {"b":`}},
		"a list breaks off":                {`[{"a":1},{"b":`, []string{`{"a":1}`, `REJECT {"b":`}},
		"a list breaks off behind a comma": {`[{"a":1},`, []string{`{"a":1}`, "REJECT ["}},
		"a list breaks off behind an item": {" [{\"a\":1}\n", []string{`{"a":1}`, "REJECT ["}},
		"a list begins":                    {"[", []string{"REJECT ["}},
		"a data list begins":               {`{ "data": [ `, []string{`REJECT { "data": [`}},
		"the second list has no end":       {"[{\"a\":1}]\n[{\"b\":2}", []string{`{"a":1}`, `{"b":2}`, "REJECT ["}},
		"a data list breaks off":           {`{"data":[{"a":1},{"b":`, []string{`{"a":1}`, `REJECT {"b":`}},
		"a data list over lines breaks off": {
			"{\"data\":[\n{\"a\":1},\n{\"b\":2},\n{\"c\"",
			[]string{`{"a":1}`, `{"b":2}`, `REJECT {"c"`},
		},
		"garbage first":                    {"hello\n{\"a\":1}\n", []string{"REJECT hello", `{"a":1}`}},
		"a line of a form first":           {"a=1\n{\"a\":1}\n", []string{"REJECT a=1", `{"a":1}`}},
		"garbage first, then a list":       {"hello\n[{\"a\":1},{\"b\":2}]", []string{"REJECT hello", `{"a":1}`, `{"b":2}`}},
		"garbage and an object on a line":  {"hello {\"a\":1}\n{\"b\":2}", []string{"REJECT hello {\"a\":1}", `{"b":2}`}},
		"an object and garbage on a line":  {"{\"a\":1} hello\n{\"b\":2}", []string{`{"a":1}`, "REJECT hello", `{"b":2}`}},
		"a closing bracket alone":          {"]", []string{"REJECT ]"}},
		"scalars":                          {`1 "x" null`, []string{"REJECT 1", `REJECT "x"`, "REJECT null"}},
		"a list of scalars and an object":  {`[1,{"a":1},"x"]`, []string{"REJECT 1", `{"a":1}`, `REJECT "x"`}},
		"a list in a list":                 {`[[{"a":1}],{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}},
		"items of data that are no object": {`{"data":[1,{"a":1},[]]}`, []string{"REJECT 1", `{"a":1}`}},
		"NUL bytes":                        {"\x00\x00\n{\"a\":1}", []string{"REJECT \x00\x00", `{"a":1}`}},
	} {
		if got := shown(read(body(c.body))); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}
