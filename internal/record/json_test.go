package record

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzParser holds the parser against encoding/json: both take the same texts
// (down to the depth limit), and find the same values in them.
func FuzzParser(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+10,"x",true,false,null],"b":{}}`, ` [ ] `, `"\ud83d\ude00\ud800\u0041\/\b\f\n\r\t\\\""`, "\"\xff\"", `01`, `-`, `1.`, `1e`,
		`{"a":1,}`, `[1,]`, `{"a"}`, `tru`, `nulll`, `{"a":1,"a":2}`, "\"\x00\"", `[[[[]]]]`, `1 2`, `"\ud800\u00zz"`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := parser{tree: tree{data: text}}
		v, err := p.next()
		accepted := err == nil && p.peek() == 0 && p.pos == len(text)
		if valid := json.Valid(text); accepted != valid {
			if !accepted && tooMuch(err) {
				return
			}
			t.Fatalf("accepted %v (%v), encoding/json %v: %q", accepted, err, valid, text)
		}
		if !accepted {
			return
		}
		if ours, theirs := ourTokens(nil, &v, &v.values[0]), theirTokens(t, text); strings.Join(ours, "\n") != strings.Join(theirs, "\n") {
			t.Fatalf("%q: %q, encoding/json %q", text, ours, theirs)
		}
	})
}

func tooMuch(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "nested deeper") || strings.Contains(err.Error(), "more than"))
}

func ourTokens(out []string, t *tree, v *value) []string {
	switch v.kind {
	case kindObject:
		out = append(out, "{")
		for i := v.first; i < v.next; i = t.values[i].next {
			m := &t.values[i]
			out = ourTokens(append(out, "string "+plain(string(t.name(m)))), t, m)
		}
		return append(out, "}")
	case kindArray:
		out = append(out, "[")
		for i := v.first; i < v.next; i = t.values[i].next {
			out = ourTokens(out, t, &t.values[i])
		}
		return append(out, "]")
	case kindString:
		return append(out, "string "+plain(string(t.text(v))))
	case kindNumber:
		return append(out, "number "+string(t.text(v)))
	}
	return append(out, string(t.text(v)))
}

func theirTokens(t *testing.T, text []byte) []string {
	t.Helper()
	var out []string
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return out
		}
		switch token := token.(type) {
		case json.Delim:
			out = append(out, token.String())
		case string:
			out = append(out, "string "+plain(token))
		case json.Number:
			out = append(out, "number "+token.String())
		case bool:
			out = append(out, map[bool]string{true: "true", false: "false"}[token])
		default:
			out = append(out, "null")
		}
	}
}

// plain takes out what encoding/json has replaced: broken UTF-8 and halves
// of surrogate pairs.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\uFFFD", "")
}

// A value knows where it stands in the body.
func TestValuePosition(t *testing.T) {
	t.Parallel()
	p := parser{tree: tree{data: []byte(` { "a" : [ 1 , "x" ] } `)}}
	v, err := p.next()
	if err != nil {
		t.Fatal(err)
	}
	root := &v.values[0]
	list := v.get(root, "a")
	for want, got := range map[string]*value{`{ "a" : [ 1 , "x" ] }`: root, `[ 1 , "x" ]`: list, `"x"`: &v.values[list.first+1]} {
		if text := string(v.data[got.start:got.end]); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}
