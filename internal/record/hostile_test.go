package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cdrstore/cdrstore/internal/record"
)

// Bodies of which a reader could try the rest again for every line or item.
func TestReadIsLinear(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{
		"lines in broken strings": "{}{\"\\\"\\\n",
		"nested in every line":    "{},[\n",
		"objects that never end":  "{\"a\":\n",
		"lists that never end":    "{},{\"a\":[\n",
		"wrappers":                "{\"data\":[\n",
		"bad items":               "x,",
		"bad objects":             "{x},",
		"brackets":                "]}",
	} {
		for _, head := range []string{"x", "[", `{"data":[`} {
			t.Run(name+" after "+head, func(t *testing.T) {
				t.Parallel()
				sent := head + strings.Repeat(unit, 256<<10/len(unit))
				kept := 0
				for p := range recordsOf(sent) {
					kept += len(p.Raw)
				}
				if kept > len(sent) {
					t.Errorf("%d bytes kept of %d", kept, len(sent))
				}
			})
		}
	}
}

// At this size anything but linear work outlasts the time limit of the tests.
func TestReadBlankLines(t *testing.T) {
	t.Parallel()
	sent := "x" + strings.Repeat("\n", 4<<20) + "y"
	if got := shown(read(body(sent))); len(got) != 1 || got[0] != "REJECT "+sent {
		t.Errorf("%d pieces", len(got))
	}
}

// A body that is read in vain again and again is given up: its rest is one
// reject, and nothing of it is lost.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	sent := strings.Repeat("{},[\n", 50_000)
	pieces := read(body(sent))
	if len(pieces) > 25_000 {
		t.Errorf("%d pieces", len(pieces))
	}
	if rest := pieces[len(pieces)-1]; rest.Record != nil || !strings.HasSuffix(strings.TrimSpace(sent), string(rest.Raw)) || len(rest.Raw) < len(sent)/2 {
		t.Errorf("the rest is %d bytes of %d", len(rest.Raw), len(sent))
	}
}

func TestReadLimits(t *testing.T) {
	t.Parallel()
	const most = record.MaxRecords
	for name, c := range map[string]struct {
		body    string
		records int
		rejects int
	}{
		"as many records as may be":            {strings.Repeat("{}\n", most), most, 0},
		"one more":                             {strings.Repeat("{}\n", most+1), most, 1},
		"one more in a list":                   {"[" + strings.Repeat("{},", most) + "{}]", most, 1},
		"many more":                            {strings.Repeat("{}\n", 3*most), most, 1},
		"a record of as many values as may be": {`{"a":[` + strings.Repeat("0,", record.MaxValues-3) + `0]}` + "\n{}", 2, 0},
		"a record of one value more":           {`{"a":[` + strings.Repeat("0,", record.MaxValues-2) + `0]}` + "\n{}", 1, 1},
		"a record of too many values":          {`{"a":[` + strings.Repeat("0,", record.MaxValues) + `0]}` + "\n{}", 1, 1},
		"a wrapper of too many values":         {`{"data":[` + strings.Repeat(`{"a":[0,0,0]},`, record.MaxValues/4) + `{}]}`, record.MaxValues/4 + 1, 0},
		"as deep as may be":                    {nested(record.MaxDepth), 1, 0},
		"a level deeper":                       {nested(record.MaxDepth + 1), 0, 1},
		"a level deeper beside a good one":     {nested(record.MaxDepth+1) + "\n{}", 1, 1},
		"absurdly deep":                        {nested(100_000) + "\n{}", 1, 1},
		"absurdly deep and never closed":       {strings.Repeat(`{"a":`, 100_000), 0, 1},
		"lists, absurdly deep":                 {strings.Repeat("[", 100_000), 0, 1},
		"a string of a megabyte":               {`{"a":"` + strings.Repeat("x", 1<<20) + `"}`, 1, 0},
		"a string of a megabyte of escapes":    {`{"a":"` + strings.Repeat(`\u0000`, 1<<18) + `"}`, 1, 0},
		"a name of a megabyte":                 {`{"` + strings.Repeat("x", 1<<20) + `":1}`, 1, 0},
		"a number of a megabyte":               {`{"a":` + strings.Repeat("9", 1<<20) + `}`, 1, 0},
		"a form of a megabyte":                 {"a=" + strings.Repeat("x", 1<<20), 1, 0},
		"a form of as many pairs as may be":    {strings.Repeat("a=1&", 10_000), 1, 0},
		"a form of one more":                   {strings.Repeat("a=1&", 10_001), 0, 1},
		"an object with one name many times":   {"{" + strings.Repeat(`"a":1,`, 50_000) + `"a":2}`, 1, 0},
		"a byte order mark in the middle":      {"{}\n\xEF\xBB\xBF{}\n{}", 3, 0},
		"a string that is not UTF-8":           {"{\"a\":\"\xff\"}", 1, 0},
		"bytes that are not UTF-8 outside":     {"{\"a\":1\xff}\n{}", 1, 1},
		"two bytes a character":                {"\xff\xfe{\x00}\x00", 0, 1},
		"a NUL in a string":                    {"{\"a\":\"\x00\"}\n{}", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, rejects := 0, 0
			for p := range recordsOf(c.body) {
				if p.Record == nil {
					rejects++
				} else {
					records++
				}
			}
			if records != c.records || rejects != c.rejects {
				t.Errorf("%d records and %d rejects, want %d and %d", records, rejects, c.records, c.rejects)
			}
		})
	}
}

// nested returns an object with lists in it, so many levels in all.
func nested(levels int) string {
	return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + "}"
}

// Whatever is read can be kept by Postgres and read back.
func TestHostilePayloads(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"an escaped NUL":            `{"a":"x\u0000y","\u0000":1}`,
		"half of a surrogate pair":  `{"a":"\ud83d","b":"\ude00","c":"\ud83d\ud83d\ude00"}`,
		"bytes that are not UTF-8":  "{\"a\":\"\xff\xfe\",\"\xc3\":1}",
		"a number beyond int64":     `{"a":99999999999999999999999999999999}`,
		"a number of great size":    `{"a":1e999999999,"b":-1e-999999999}`,
		"a name twice":              `{"a":1,"a":2}`,
		"a form that is not UTF-8":  "a=%ff%00&%fe=1&a=\xff",
		"a form of broken percents": "a=%&b=%zz&c=100%",
		"a form of brackets":        `a={"x":1}&b=<>&c="`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := one(t, body(sent))
			payload := r.Payload()
			if !utf8.Valid(payload) || !json.Valid(payload) {
				t.Errorf("payload %q", payload)
			}
			back, err := record.FromPayload(payload)
			if err != nil {
				t.Fatal(err)
			}
			if again := back.Payload(); string(again) != string(payload) {
				t.Errorf("payload %q, read back %q", payload, again)
			}
		})
	}
}

func TestProblemOfBrokenText(t *testing.T) {
	t.Parallel()
	if p := fields(t, "{\"a\":\"\xff\"}").Problems(); len(p) != 1 || p[0] != "body: "+record.Mended {
		t.Errorf("problems %q", p)
	}
	if p := fields(t, `{"a":"é"}`).Problems(); len(p) != 0 {
		t.Errorf("problems %q", p)
	}
}
