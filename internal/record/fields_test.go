package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// getCase is what a getter gives for field `x`, as text, and its problem. An
// empty text is nothing.
type getCase struct{ sent, want, problem string }

func runGetter(t *testing.T, get func(f *record.Fields) string, cases []getCase) {
	t.Helper()
	for _, c := range cases {
		f := fields(t, `{"x":`+c.sent+`}`)
		if got := get(f); got != c.want {
			t.Errorf("%.60s: %.60q, want %.60q", c.sent, got, c.want)
		}
		var problems []string
		if c.problem != "" {
			problems = []string{"x: " + c.problem}
		}
		if got := f.Problems(); !slices.Equal(got, problems) {
			t.Errorf("%.60s: problems %q, want %q", c.sent, got, problems)
		}
	}
}

func amount(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.String()
}

func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func TestText(t *testing.T) {
	t.Parallel()
	runGetter(t, func(f *record.Fields) string { return f.Text("x") }, []getCase{
		{`"abc"`, "abc", ""},
		{`" abc "`, " abc ", ""},
		{`""`, "", ""},
		{`null`, "", ""},
		{`true`, "true", ""},
		{`440000000000`, "440000000000", ""},
		{`4.4e+11`, "440000000000", ""},
		{`4.4E11`, "440000000000", ""},
		{`440000000000.0`, "440000000000", ""},
		{`0.450000`, "0.450000", ""},
		{`1e999999999`, "1e999999999", ""},
		{`"1e3"`, "1e3", ""},
		{`"04471000000"`, "04471000000", ""},
		{`[1]`, "", "expected text, found a list"},
		{`{}`, "", "expected text, found an object"},
		{quoted(record.MaxText), strings.Repeat("x", record.MaxText), ""},
		{quoted(record.MaxText + 1), "", "longer than 1024 bytes"},
		{`"a\u0000b"`, "ab", record.Mended},
		{`"a\ud83db"`, "a\uFFFDb", record.Mended},
		{`"\ud83d\ude00"`, "😀", ""},
	})
}

func TestNumber(t *testing.T) {
	t.Parallel()
	const exponent = "written with an exponent: its last digits may be missing"
	runGetter(t, func(f *record.Fields) string { return f.Number("x") }, []getCase{
		{`"442071838750"`, "442071838750", ""},
		{`442071838750`, "442071838750", ""},
		{`4.42E+11`, "442000000000", ""},
		{`"4.42E+11"`, "442000000000", exponent},
		{`"4.42e 11"`, "442000000000", exponent},
		{`"4.4e11"`, "4.4e11", ""},
		{`"4.42E+1"`, "4.42E+1", ""},
		{`"1E+999999999"`, "1E+999999999", ""},
		{`"Eve + 1"`, "Eve + 1", ""},
		{`" 442071838750"`, "+442071838750", ""},
		{`" 44 20 7183 8750"`, "+44 20 7183 8750", ""},
		{`" 0207"`, " 0207", ""},
		{`" "`, " ", ""},
		{`" x"`, " x", ""},
		{`null`, "", ""},
		{`[]`, "", "expected text, found a list"},
	})
}

func TestLong(t *testing.T) {
	t.Parallel()
	runGetter(t, func(f *record.Fields) string { return f.Long("x") }, []getCase{
		{quoted(record.MaxLong), strings.Repeat("x", record.MaxLong), ""},
		{quoted(record.MaxLong + 1), "", "longer than 65536 bytes"},
		{`{}`, "", "expected text, found an object"},
	})
}

func TestOpaque(t *testing.T) {
	t.Parallel()
	big := `[` + strings.Repeat("1,", record.MaxLong/2) + `1]`
	runGetter(t, func(f *record.Fields) string { return f.Opaque("x") }, []getCase{
		{`"{key: value}"`, "{key: value}", ""},
		{`{"key": [1, "a"]}`, `{"key": [1, "a"]}`, ""},
		{`[1, 2]`, "[1, 2]", ""},
		{`12`, "12", ""},
		{`null`, "", ""},
		{big, "", "longer than 65536 bytes"},
	})
	nested := fields(t, `{"data":[{"o":{"x":{"a":1}}}]}`).Object("o")
	if got := nested.Opaque("x"); got != `{"a":1}` {
		t.Errorf("within an envelope: %q", got)
	}
	form := one(t, body("x=1&x=2")).Fields()
	if got := form.Opaque("x"); got != "" || !slices.Equal(form.Problems(), []string{"x: expected text, found a list"}) {
		t.Errorf("a repeated parameter: %q, problems %q", got, form.Problems())
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sent, want, err string }{
		{`"abc"`, "abc", ""},
		{`12`, "12", ""},
		{`1.2e3`, "1200", ""},
		{quoted(cdr.MaxKey), strings.Repeat("x", cdr.MaxKey), ""},
		{quoted(cdr.MaxKey + 1), "", "x: longer than 512 bytes"},
		{`""`, "", "x: missing"},
		{`null`, "", "x: missing"},
		{`" \t"`, "", "x: blank"},
		{`true`, "", "x: expected text, found a boolean"},
		{`[]`, "", "x: expected text, found a list"},
		{`"a\u0000"`, "", "x: contains NUL or is not UTF-8"},
		{`"a\ud83d"`, "", "x: contains NUL or is not UTF-8"},
	} {
		got, err := fields(t, `{"x":`+c.sent+`}`).Key("x", "y")
		message := ""
		if err != nil {
			message = err.Error()
		}
		if got != c.want || message != c.err {
			t.Errorf("%.60s: %.60q and %q, want %.60q and %q", c.sent, got, message, c.want, c.err)
		}
	}
}

// A getter reads the first of the names that is present and not empty.
func TestNames(t *testing.T) {
	t.Parallel()
	f := fields(t, `{"a":null,"b":"","c":"x","d":"y","A":"z","e":1,"e":2}`)
	if got := f.Text("missing", "a", "b", "c", "d"); got != "x" {
		t.Errorf("the first of several: %q", got)
	}
	if got := f.Text("missing"); got != "" {
		t.Errorf("a missing field: %q", got)
	}
	if got := f.Text("e"); got != "2" {
		t.Errorf("of a name that is there twice: %q", got)
	}
	if got, err := f.Key("a", "d"); got != "y" || err != nil {
		t.Errorf("key %q, %v", got, err)
	}
	if !f.Has("a") || !f.Has("missing", "b") || f.Has("missing") || f.Has() {
		t.Error("Has is wrong")
	}
	if p := f.Problems(); len(p) > 0 {
		t.Errorf("problems %q", p)
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	f := fields(t, `{"o":{"i":{"x":[]},"n":1},"s":"text","z":null}`)
	inner := f.Object("missing", "o").Object("i")
	inner.Text("x")
	f.Object("s").Text("x")
	missing := f.Object("attributes", "z")
	if missing.Has("x") || missing.Text("x") != "" || missing.Int("x") != nil || missing.Object("y").Has("x") {
		t.Error("a missing object has fields")
	}
	want := []string{"o.i.x: expected text, found a list", "s: expected an object, found a string"}
	if got := f.Problems(); !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
	if _, err := missing.Key("call_id"); err == nil || err.Error() != "attributes.call_id: missing" {
		t.Errorf("error %v", err)
	}
	inner.Problem("y", "why")
	if p := f.Problems(); p[len(p)-1] != "o.i.y: why" {
		t.Errorf("problems %q", p)
	}
	if err := inner.Errorf("y", "%d is wrong", 1); err.Error() != "o.i.y: 1 is wrong" {
		t.Errorf("error %v", err)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	r := one(t, cdr.Delivery{Query: "CallerIDName=%C3%A9+x&CalledExtension=0003*210&b=100%&c&n=5&l=1&l=2"})
	f := r.Fields()
	if !r.IsForm() || one(t, body(`{}`)).IsForm() {
		t.Error("IsForm is wrong")
	}
	for name, want := range map[string]string{"CallerIDName": "é x", "CalledExtension": "0003*210", "b": "100%", "c": "", "n": "5"} {
		if got := f.Text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if n := f.Int("n"); n == nil || *n != 5 || !f.Has("c") {
		t.Error("n or c is wrong")
	}
	if p := f.Problems(); len(p) > 0 {
		t.Errorf("problems %q", p)
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	const sent = "--b0\r\nContent-Disposition: form-data; name=\"CallID\"\r\n\r\nb8\r\n" +
		"--b0\r\nContent-Disposition: form-data; name=\"src\"\r\nContent-Type: text/plain\r\n\r\n4=4\n1\r\n--b0--\r\n"
	for name, d := range map[string]cdr.Delivery{
		"with its type":          typed(`multipart/form-data; boundary=b0`, sent),
		"with a quoted boundary": typed(`Multipart/Form-Data; boundary="b0"`, sent),
		"without a boundary":     typed("multipart/form-data", sent),
		"without a type":         body(sent),
		"called a form":          typed("application/x-www-form-urlencoded", sent),
	} {
		f := one(t, d).Fields()
		if id, src := f.Text("CallID"), f.Text("src"); id != "b8" || src != "4=4\n1" {
			t.Errorf("%s: %q and %q", name, id, src)
		}
	}
	for name, d := range map[string]cdr.Delivery{
		"cut off":          body(strings.TrimSuffix(sent, "--b0--\r\n")),
		"no parts":         body("--b0--\r\nContent-Disposition: x\r\n"),
		"too many parts":   body(strings.Repeat("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", 10_001) + "--b--\r\n"),
		"another boundary": typed("multipart/form-data; boundary=zz", sent),
	} {
		if pieces := read(d); len(pieces) != 1 || pieces[0].Record != nil || !strings.HasPrefix(pieces[0].Reason, "body: multipart: ") {
			t.Errorf("%s: %.80q", name, shown(pieces))
		}
	}
}
