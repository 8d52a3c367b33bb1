package provider

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

func delivery(body string) cdr.Delivery {
	return cdr.Delivery{Source: "didww", Provider: "didww", Body: []byte(body), ReceivedAt: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)}
}

// lines are CDRs of DIDWW, as many as asked for, with different ids.
func lines(t *testing.T, n int) string {
	t.Helper()
	for _, c := range testcase.Load(t) {
		if c.Name == "didww/body-lines" {
			line, _, _ := bytes.Cut(c.Delivery(0).Body, []byte("\n"))
			var body strings.Builder
			for i := range n {
				fmt.Fprintf(&body, "%s\n", bytes.Replace(bytes.TrimSpace(line), []byte(`"id":"`), fmt.Appendf(nil, `"id":"%d`, i), 1))
			}
			return body.String()
		}
	}
	t.Fatal("testdata has no lines of DIDWW")
	return ""
}

// A long body is read side by side, with the result of reading it in turn.
func TestLongBody(t *testing.T) {
	t.Parallel()
	a := Adapters()["didww"]
	d := delivery(lines(t, 500))
	for _, shares := range [][][]byte{record.Shares(d.Body, 2), record.Shares(d.Body, 7)} {
		got, good := a.readShares(&d, shares, false)
		want, whole := a.readShare(&d, d.Body, false)
		if !good || !whole || len(shares) < 2 || len(got) != 500 || !reflect.DeepEqual(got, want) {
			t.Fatalf("%d shares: good %t, %d records, in turn %t, %d", len(shares), good, len(got), whole, len(want))
		}
	}
	ids := map[string]bool{}
	for i, r := range a.Read(d) {
		e := r.Events[0]
		ids[e.CallID+string(e.ID[:])] = true
		if want := d.ReceivedAt.Add(time.Duration(i) * time.Microsecond); e.ReceivedAt != want {
			t.Fatalf("record %d was received at %s, want %s", i, e.ReceivedAt, want)
		}
	}
	if len(ids) != 500 {
		t.Errorf("%d different events of 500", len(ids))
	}
}

// Whatever a body is: where its shares are good, they say what the whole says.
func TestSharesOfAnything(t *testing.T) {
	t.Parallel()
	a := Adapters()["didww"]
	line := strings.TrimSpace(lines(t, 1))
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{line, line, line, "\n", "\n", "\n", "\r\n", ",", "[", "]", "{", "}", `{"data":[`, `{"data":`, "]}", "}\n{",
		`{"a":"}\n{"}`, `{"a":"`, `"}`, `{"a":[{}`, "{}", "a=b&c=", "\xEF\xBB\xBF", "null", "\"", "\\"}), 1, 20)
	rapid.Check(t, func(t *rapid.T) {
		d := delivery(strings.Join(parts.Draw(t, "parts"), ""))
		if rapid.Bool().Draw(t, "form") {
			d.ContentType = "application/x-www-form-urlencoded"
		}
		shares := record.Shares(d.Body, rapid.IntRange(1, 5).Draw(t, "n"))
		if all := bytes.Join(shares, nil); !bytes.Equal(all, d.Body) {
			t.Fatalf("the shares are %q", all)
		}
		got, good := a.readShares(&d, shares, false)
		if want, _ := a.readShare(&d, d.Body, false); good && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v, in turn %+v", d.Body, got, want)
		}
	})
}

// One broken line in a long body: it alone is set aside, and all are in order.
func TestLongBodyWithABrokenLine(t *testing.T) {
	t.Parallel()
	a := Adapters()["didww"]
	all := strings.SplitAfter(lines(t, 400), "\n")
	all[300] = strings.Replace(all[300], ":", "", 1)
	d := delivery(strings.Join(all, ""))
	if _, good := a.readShares(&d, record.Shares(d.Body, 2), false); good {
		t.Error("shares with a broken line are taken for the whole")
	}
	for i, r := range a.Read(d) {
		if (r.Reject != nil) != (i == 300) {
			t.Errorf("record %d is set aside: %t", i, r.Reject != nil)
		}
	}
}

// What panics outside of an adapter must not end the program.
func TestPanicInAShare(t *testing.T) {
	t.Parallel()
	if records, good := Adapters()["didww"].readShares(nil, [][]byte{[]byte("{}"), []byte("{}")}, false); good || records != nil {
		t.Errorf("without a delivery: %v", records)
	}
}
