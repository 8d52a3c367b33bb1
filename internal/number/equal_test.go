package number

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// plain reads a number with libphonenumber's functions one after another, as its
// documentation shows them, and with strings.Replacer.
func plain(p Plan, sent string) (number, country string) {
	valid := func(text, region string) (number, country string) {
		n, err := phonenumbers.Parse(text, region)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return "", ""
		}
		country = strings.TrimSuffix(phonenumbers.GetRegionCodeForNumber(n), "001")
		return phonenumbers.Format(n, phonenumbers.E164), country
	}
	text, plus := strings.CutPrefix(strings.TrimSpace(sent), "+")
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(text)
	switch {
	case strings.Trim(digits, "0123456789") != "" || len(digits) < 7 || len(digits) > 17:
		return "", ""
	case plus:
		return valid("+"+digits, "")
	case strings.HasPrefix(digits, "00"):
		return valid("+"+digits[2:], "")
	}
	if p.Country != "" {
		number, country = valid(digits, p.Country)
	}
	other, otherCountry := valid("+"+digits, "")
	if number != "" && other != "" && number != other {
		return "", ""
	}
	if number == "" && p.International {
		return other, otherCountry
	}
	return number, country
}

func checkPlain(t *testing.T, m *Memo, p Plan, sent string) {
	t.Helper()
	wantNumber, wantCountry := plain(p, sent)
	if n, c := p.E164(sent); n != wantNumber || c != wantCountry {
		t.Fatalf("%+v: %q: %q %q, want %q %q", p, sent, n, c, wantNumber, wantCountry)
	}
	for range 2 {
		if n, c := m.E164(p, sent); n != wantNumber || c != wantCountry {
			t.Fatalf("memo: %+v: %q: %q %q, want %q %q", p, sent, n, c, wantNumber, wantCountry)
		}
	}
}

// TestEqualsPlain takes examples of every type of number in every region and of
// every country code, and numbers near them.
func TestEqualsPlain(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m Memo
	for _, n := range examples() {
		digits := strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
		region := phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
		national := phonenumbers.Format(n, phonenumbers.NATIONAL)
		for _, p := range []Plan{{}, {International: true}, {Country: region}, {International: true, Country: region}} {
			for _, sent := range []string{digits, "+" + digits, "00" + digits, national, near(random, digits), "+" + near(random, digits)} {
				checkPlain(t, &m, p, sent)
			}
		}
	}
}

func examples() []*phonenumbers.PhoneNumber {
	var all []*phonenumbers.PhoneNumber
	for region := range phonenumbers.GetSupportedRegions() {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			if n := phonenumbers.GetExampleNumberForType(region, kind); n != nil {
				all = append(all, n)
			}
		}
	}
	for code := range 1000 { // +800, +870, +882 and other worldwide ones
		if n := phonenumbers.GetExampleNumberForNonGeoEntity(code); n != nil {
			all = append(all, n)
		}
	}
	return all
}

// near changes a digit, or the length.
func near(random *rand.Rand, digits string) string {
	at := random.IntN(len(digits))
	return digits[:at] + fmt.Sprint(random.IntN(100)) + digits[at+random.IntN(2):]
}

// FuzzE164 holds reading against plain reading, for any text and country.
func FuzzE164(f *testing.F) {
	for _, sent := range []string{"+442079460958", "020 7946 0958", "+1 (212) 555.0123", "++44", "+", " 00442079460958 ", "0003*210", "80012345678", "٤٤٢٠٧٩٤٦٠٩٥٨", "+4٤2079460958", "44\xff2079460958"} {
		f.Add(sent, "GB", true)
		f.Add(sent, "", false)
		f.Add(sent, "xx", true)
	}
	f.Fuzz(func(t *testing.T, sent, country string, international bool) {
		var m Memo
		checkPlain(t, &m, Plan{International: international, Country: country}, sent)
	})
}
