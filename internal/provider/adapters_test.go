package provider

import (
	"reflect"
	"testing"

	"github.com/cdrstore/cdrstore/internal/testcase"
)

// Adapters that remember numbers decode as those that do not, also again.
func TestAdapters(t *testing.T) {
	t.Parallel()
	adapters := Adapters()
	for _, c := range testcase.Load(t) {
		plain, _ := ByName(c.Provider)
		for i := range 2 * len(c.Deliveries) {
			d := c.Delivery(i % len(c.Deliveries))
			if got, want := adapters[c.Provider].Read(d), plain.Read(d); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: delivery %d: %+v, want %+v", c.Name, i, got, want)
			}
		}
	}
	if len(adapters) != len(All()) {
		t.Errorf("%d adapters of %d", len(adapters), len(All()))
	}
	for name, a := range adapters {
		if a.Name != name || a.numbers == nil || a.numbers != adapters["didww"].numbers {
			t.Errorf("%s does not share what is remembered", name)
		}
	}
}
