package cdr_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// columns returns the JSON names of a struct's fields in their order.
func columns(of reflect.Type) []string {
	var names []string
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// setSomething makes a field differ from its zero value.
func setSomething(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at("10:00:00")))
		return
	case cdr.Amount:
		v.Set(reflect.ValueOf(decimal.NewNullDecimal(decimal.Zero)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

func TestDiffSeesEveryColumn(t *testing.T) {
	t.Parallel()
	names := columns(reflect.TypeFor[cdr.Call]())
	for i, name := range names {
		var none, other cdr.Call
		setSomething(t, reflect.ValueOf(&other).Elem().Field(i))
		if got := none.Diff(&other); !slices.Equal(got, []string{name}) {
			t.Errorf("%s is set: Diff says %v", name, got)
		}
		if got := other.Diff(&other); len(got) > 0 {
			t.Errorf("%s is set: a call differs from itself in %v", name, got)
		}
	}
}

func TestDiffComparesByValue(t *testing.T) {
	t.Parallel()
	a := cdr.Call{Rate: num("0.45"), StartedAt: at("10:00:00"), FirstIncrement: new(60)}
	b := cdr.Call{Rate: num("0.450000"), StartedAt: at("10:00:00").In(time.FixedZone("", 3600)), FirstIncrement: new(60)}
	if d := a.Diff(&b); len(d) > 0 {
		t.Errorf("%v differ", d)
	}
	b = cdr.Call{Rate: num("0.46"), StartedAt: at("10:00:01"), FirstIncrement: new(61)}
	if d := a.Diff(&b); !slices.Equal(d, []string{"started_at", "first_increment", "rate"}) {
		t.Errorf("%v differ", d)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[string]time.Duration{
		"0": 0, "13": 13 * time.Second, "0.75": 750 * time.Millisecond, "0.0000019": time.Microsecond, "31622400": 366 * 24 * time.Hour,
	} {
		if got := cdr.Span(num(seconds)); got != want {
			t.Errorf("%s s: %s, want %s", seconds, got, want)
		}
	}
}

// Facts have the names of the call's columns, but for what only the fold needs.
func TestFactsAreNamedAsColumns(t *testing.T) {
	t.Parallel()
	known := append(columns(reflect.TypeFor[cdr.Call]()), "ends", "attempt", "leg_rank", "derived", "settings", "imported")
	for _, name := range columns(reflect.TypeFor[cdr.Facts]()) {
		if !slices.Contains(known, name) {
			t.Errorf("%s is no column of call", name)
		}
	}
}

// Every fact of a single CDR arrives in its call.
func TestFoldLosesNoFact(t *testing.T) {
	t.Parallel()
	var f cdr.Facts
	facts := reflect.ValueOf(&f).Elem()
	for i, name := range columns(facts.Type()) {
		if !slices.Contains([]string{"derived", "settings", "attempt", "leg_rank", "imported"}, name) {
			setSomething(t, facts.Field(i))
		}
	}
	f.Disposition, f.Ends = cdr.Answered, cdr.EndsCall
	c, _ := cdr.Fold(arrive([]cdr.Event{record("r1", "", f)}))
	call := reflect.ValueOf(c)
	for i, name := range columns(call.Type()) {
		if call.Field(i).IsZero() && name != "legs" {
			t.Errorf("%s is empty", name)
		}
	}
}
