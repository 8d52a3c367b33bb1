package record_test

import (
	"slices"
	"testing"

	"github.com/cdrstore/cdrstore/internal/record"
)

func TestNamesOfFields(t *testing.T) {
	t.Parallel()
	r, err := record.FromPayload([]byte(`{"b (USD)":"1","a":{"inner":[1,2]},"c\u00e9":null}`))
	if err != nil {
		t.Fatal(err)
	}
	f := r.Fields()
	if got := f.Names(); !slices.Equal(got, []string{"b (USD)", "a", "cé"}) {
		t.Errorf("names are %q", got)
	}
	if got := f.Object("a").Names(); !slices.Equal(got, []string{"inner"}) {
		t.Errorf("names inside are %q", got)
	}
	if got := f.Object("missing").Names(); got != nil {
		t.Errorf("names of nothing are %q", got)
	}
}
