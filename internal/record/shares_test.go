package record

import "testing"

func TestShares(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"{}\n{}\n{}\n{}\n":           2,
		" {\"a\":1111}\n{\"a\":2}":   2,
		"{\"a\":1}\n\n{\"a\":2}":     1, // no need to
		"[{\"a\":1}\n{\"a\":2}]":     1, // a list, which does not end where a share does
		"a=b&c={\"a\":1}\n{\"a\":2}": 1, // a form
		"":                           1,
	} {
		if got := Shares([]byte(body), 2); len(got) != want {
			t.Errorf("%q: %d shares, want %d: %q", body, len(got), want, got)
		}
	}
}
