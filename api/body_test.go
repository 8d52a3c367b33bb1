package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/api"
)

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a Buffer takes everything
	_ = w.Close()
	return b.String()
}

// random returns bytes that do not compress, the same ones each time.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return string(b)
}

// binary is what no text can be.
const binary = "\x28\xB5\x2F\xFD\x00\x01\x02"

func TestBodies(t *testing.T) {
	t.Parallel()
	hello := zip(`{"a":1}`)
	for _, c := range []struct {
		name, body string
		encoding   string
		want       string // empty: as sent
		problem    string // what BodyProblem begins with
	}{
		{"plain", `{"a":1}`, "", "", ""},
		{"empty", "", "", "", ""},
		{"empty and said to be gzip", "", "gzip", "", ""},
		{"bytes that are no text", "\x00\xFF", "", "", ""},
		{"identity", "\x00\xFF", "identity", "", ""},
		{"gzip by header", hello, "gzip", `{"a":1}`, ""},
		{"gzip in capitals", hello, "GZIP", `{"a":1}`, ""},
		{"x-gzip", hello, "x-gzip", `{"a":1}`, ""},
		{"gzip with identity", hello, "identity, gzip", `{"a":1}`, ""},
		{"gzip by its first bytes", hello, "", `{"a":1}`, ""},
		{"gzip of nothing", zip(""), "", "", ""},
		{"two members", hello + zip("\n{}"), "gzip", "{\"a\":1}\n{}", ""},
		{"text that is said to be gzip", `{"a":1}`, "gzip", "", ""},
		{"text of an unknown encoding", `{"a":1}`, "utf-8", "", ""},
		{"no gzip", binary, "gzip", "", "body: gzip: "},
		{"gzip cut off", hello[:len(hello)-9], "gzip", "", "body: gzip: unexpected EOF"},
		{"gzip cut off in its header", hello[:5], "", "", "body: gzip: "},
		{"gzip with a wrong sum", hello[:len(hello)-8] + "\x00\x00\x00\x00" + hello[len(hello)-4:], "", "", "body: gzip: gzip: invalid checksum"},
		{"a line feed after gzip", hello + "\n", "gzip", `{"a":1}`, ""},
		{"padding after gzip", hello + " \r\n\t\x00\x00", "", `{"a":1}`, ""},
		{"padding between members", hello + "\x00\n" + hello + "\x00", "gzip", `{"a":1}{"a":1}`, ""},
		{"a record after gzip", hello + "\n{\"a\":2}\n", "gzip", "{\"a\":1}\n{\"a\":2}\n", ""},
		{"garbage after gzip", hello + "\x00garbage\x00", "gzip", "{\"a\":1}\ngarbage\x00", ""},
		{"garbage after a form in gzip", zip("a=1&b=2") + "garbage", "gzip", "", "body: gzip: something that is not gzip follows"},
		{"garbage after nothing in gzip", zip("") + "garbage", "gzip", "", "body: gzip: something that is not gzip follows"},
		{"a broken member after gzip", hello + "\x1Fgarbage", "gzip", "", "body: gzip: "},
		{"a member cut off after gzip", hello + hello[:len(hello)-3], "gzip", "", "body: gzip: unexpected EOF"},
		{"zstd", binary, "zstd", "", `content encoding "zstd" is not supported`},
		{"gzip twice", hello, "gzip, gzip", "", `content encoding "gzip, gzip" is not supported`},
		{"gzip and said to be br", hello, "br", "", `content encoding "br" is not supported`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{})
			var headers []string
			if c.encoding != "" {
				headers = []string{"Content-Encoding", c.encoding}
			}
			wantTaken(t, r.post("/hooks/didww", c.body, headers...))
			d, want := r.last(), c.want
			if want == "" && c.name != "gzip of nothing" {
				want = c.body
			}
			if string(d.Body) != want || d.ContentEncoding != c.encoding {
				t.Errorf("body %q, want %q; encoding %q", d.Body, want, d.ContentEncoding)
			}
			if !strings.HasPrefix(d.BodyProblem, c.problem) || (d.BodyProblem == "") != (c.problem == "") {
				t.Errorf("problem %q", d.BodyProblem)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	limits := api.Limits{Body: 2000, Inflated: 5000, InFlight: 20000}
	text := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name, body string
		chunked    bool
		status     int
	}{
		{"at the limit", text(2000), false, 200},
		{"over the limit", text(2001), false, 413},
		{"chunked at the limit", text(2000), true, 200},
		{"chunked over the limit", text(2001), true, 413},
		{"inflated at the limit", zip(text(5000)), false, 200},
		{"inflated over the limit", zip(text(5001)), false, 413},
		{"two members over the limit", zip(text(3000)) + zip(text(3000)), false, 413},
		{"a tail over the limit", zip("{"+text(4990)+"}") + text(20), false, 413},
		{"a bomb", zip(text(1 << 20)), true, 413},
		{"a broken bomb", zip(text(1 << 20))[:900], true, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, api.Options{Limits: limits})
			body := io.Reader(strings.NewReader(c.body))
			if c.chunked {
				body = io.MultiReader(body) // of unknown length
			}
			a := r.send("POST", "/hooks/didww", body)
			if c.status == 200 {
				wantTaken(t, a)
				return
			}
			wantProblem(t, a, c.status)
			if len(r.kept()) != 0 {
				t.Error("kept")
			}
		})
	}
}
