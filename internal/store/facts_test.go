package store

import (
	"cmp"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// TestFactsAsEncodingJSON fills the fields of facts at random and compares the
// two ways of writing them, so that no field is forgotten. The order is jsonb's.
func TestFactsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	filled := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		var f cdr.Facts
		fill(t, reflect.ValueOf(&f).Elem(), filled)
		want, err := json.Marshal(&f)
		if err != nil {
			t.Fatal(err)
		}
		is := *writeFacts(&f)
		members, names := decoded(t, is)
		if expected, _ := decoded(t, string(want)); !reflect.DeepEqual(members, expected) {
			t.Fatalf("facts are\n%s, want\n%s", is, want)
		}
		if len(names) != len(members) || !slices.IsSortedFunc(names, byLength) {
			t.Fatalf("not in jsonb's order: %s", is)
		}
	})
	facts := reflect.TypeFor[cdr.Facts]()
	for i := range facts.NumField() {
		if !filled[facts.Field(i).Name] {
			t.Errorf("%s was never filled", facts.Field(i).Name)
		}
	}
}

// TestAppendDecimal compares with Decimal.String, for decimals of all sizes.
func TestAppendDecimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{1,20}0{0,6}`).Draw(t, "digits")
		coefficient, _ := new(big.Int).SetString(digits, 10)
		d := decimal.NewFromBigInt(coefficient, rapid.Int32Range(-30, 6).Draw(t, "exponent"))
		if is := string(appendDecimal(nil, d)); is != d.String() {
			t.Errorf("%s e%d: %s, want %s", coefficient, d.Exponent(), is, d)
		}
	})
}

// byLength is how jsonb sorts names.
func byLength(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }

// decoded returns the members of a JSON object, and their names in order.
func decoded(t *rapid.T, object string) (members map[string]any, names []string) {
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		t.Fatal(err)
	}
	d = json.NewDecoder(strings.NewReader(object))
	_, err := d.Token()
	for err == nil && d.More() {
		var name json.Token
		if name, err = d.Token(); err == nil {
			names = append(names, name.(string))
			err = d.Decode(new(json.RawMessage))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return members, names
}

// fill gives about every second field of a struct a value.
func fill(t *rapid.T, of reflect.Value, filled map[string]bool) {
	for i := range of.NumField() {
		if !rapid.Bool().Draw(t, "filled") {
			continue
		}
		filled[of.Type().Field(i).Name] = true
		switch field := of.Field(i); field.Interface().(type) {
		case time.Time:
			micros := rapid.Int64Range(0, 7258118400e6-1).Draw(t, "time")
			field.Set(reflect.ValueOf(time.UnixMicro(micros).UTC()))
		case cdr.Amount:
			field.Set(reflect.ValueOf(amount(rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,8})?`).Draw(t, "amount"))))
		case []cdr.Moment:
			field.Set(reflect.ValueOf(rapid.SliceOf(rapid.Just(cdr.MomentEnded)).Draw(t, "moments")))
		case *int:
			n := rapid.Int().Draw(t, "number")
			field.Set(reflect.ValueOf(&n))
		case *bool:
			b := rapid.Bool().Draw(t, "flag")
			field.Set(reflect.ValueOf(&b))
		case bool:
			field.SetBool(true)
		case cdr.Settings:
			fill(t, field, filled)
		case int:
			field.SetInt(int64(rapid.Int().Draw(t, "number")))
		default:
			field.SetString(rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`)).Draw(t, "text"))
		}
	}
}
