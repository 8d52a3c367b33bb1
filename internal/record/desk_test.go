package record

import (
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// Of what a delivery is read in only as much is kept as a usual one needs.
func TestDeskIsSmall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		digest bool
		small  bool
	}{
		"a record":            {`{"id":1,"name":"\u00e9"}`, true, true},
		"a form":              {"id=1&name=%C3%A9", true, true},
		"many values":         {`{"a":[` + strings.Repeat("1,", 2*keptValues) + `1]}`, false, false},
		"many parameters":     {strings.Repeat("a=1&", 2*keptValues) + "a=1", false, false},
		"long escaped text":   {`{"a":"` + strings.Repeat(`\u00e9`, keptBytes) + `"}`, false, false},
		"a long form":         {"a=" + strings.Repeat("%C3%A9", keptBytes), false, false},
		"a long digest of it": {`{"a":"` + strings.Repeat("x", 2*keptBytes) + `"}`, true, false},
	} {
		k := &desk{shapes: new(shapes)}
		k.read(new(cdr.Delivery), []byte(c.body), func(p Piece) bool {
			if c.digest {
				scratch := p.Record.Scratch()
				*scratch = p.Record.AppendCanonical((*scratch)[:0], nil)
			}
			return true
		})
		if k.isSmall() != c.small {
			t.Errorf("%s: small %t, want %t", name, k.isSmall(), c.small)
		}
	}
}
