// Package number brings telephone numbers into E.164 where that is certain, with
// the numbering plans of libphonenumber. It imports nothing of cdrstore.
package number

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// unknownRegion is libphonenumber's word for a number without a country
// (satellite, toll-free and other worldwide ones).
const unknownRegion = "001"

// Plan says how a source writes its numbers.
type Plan struct {
	International bool   // digits without + begin with the country code, by the provider's page
	Country       string // ISO 3166 code for national numbers; empty: they cannot be read
}

// E164 returns a number with + and its country (ISO 3166, empty where a number
// belongs to none), or two empty strings where it is not certain which number is
// meant: extensions, short codes, anonymous callers, SIP URIs, digits that could
// be read in two ways.
func (p Plan) E164(sent string) (number, country string) {
	digits, plus := clean(sent)
	if !possible(digits) {
		return "", ""
	}
	return p.read(digits, plus)
}

// possible reports whether so many digits can be a number.
func possible(digits string) bool { return len(digits) >= 7 && len(digits) <= 17 }

func (p Plan) read(digits string, plus bool) (number, country string) {
	switch {
	case plus:
		return valid("+"+digits, "")
	case strings.HasPrefix(digits, "00"):
		return valid("+"+digits[2:], "")
	}
	number, country = p.national(digits)
	other, otherCountry := valid("+"+digits, "")
	switch {
	case number != "" && other != "" && number != other:
		return "", ""
	case number == "" && p.International:
		return other, otherCountry
	}
	return number, country
}

func (p Plan) national(digits string) (number, country string) {
	if p.Country == "" {
		return "", ""
	}
	return valid(digits, p.Country)
}

// valid asks for the region once: IsValidNumber would look for it again, and
// where many share a country code that is most of the work.
func valid(text, region string) (number, country string) {
	n, err := phonenumbers.Parse(text, region)
	if err != nil {
		return "", ""
	}
	country = phonenumbers.GetRegionCodeForNumber(n)
	if !phonenumbers.IsValidNumberForRegion(n, country) {
		return "", ""
	}
	if country == unknownRegion {
		country = ""
	}
	return phonenumbers.Format(n, phonenumbers.E164), country
}

// National says how national numbers of a country (ISO 3166) are written: the
// calling code, and a regular expression whose group is the number without the
// trunk prefix. Where the trunk prefix begins with 0, only numbers with it are
// national; elsewhere those of a possible length, with or without it. Both are
// empty for an unknown country.
func National(country string) (callingCode, pattern string) {
	code := int32(phonenumbers.GetCountryCodeForRegion(country))
	if code == 0 {
		return "", ""
	}
	callingCode = strconv.Itoa(int(code))
	trunk := phonenumbers.GetNddPrefixForRegion(country, true)
	if strings.HasPrefix(trunk, "0") {
		return callingCode, "^" + trunk + "([0-9]+)$"
	}
	var lengths []string
	for n, first := 1, uint64(1); n <= 14; n, first = n+1, first*10 {
		if phonenumbers.IsPossibleNumberWithReason(&phonenumbers.PhoneNumber{CountryCode: &code, NationalNumber: &first}) == phonenumbers.IS_POSSIBLE {
			lengths = append(lengths, fmt.Sprintf("[0-9]{%d}", n))
		}
	}
	if trunk != "" {
		trunk = "(?:" + trunk + ")?"
	}
	return callingCode, "^" + trunk + "(" + strings.Join(lengths, "|") + ")$"
}

// clean takes off what people write between digits. Anything else than a number
// (letters, an extension's *, a SIP URI) gives no digits.
func clean(sent string) (digits string, plus bool) {
	sent, plus = strings.CutPrefix(strings.TrimSpace(sent), "+")
	written := false // something between the digits
	for i := range len(sent) {
		switch c := sent[i]; {
		case c >= '0' && c <= '9':
		case isBetween(rune(c)):
			written = true
		default:
			return "", false
		}
	}
	if !written {
		return sent, plus
	}
	return strings.Map(func(r rune) rune {
		if isBetween(r) {
			return -1
		}
		return r
	}, sent), plus
}

func isBetween(r rune) bool { return strings.ContainsRune(" -().", r) }
