// Package number brings telephone numbers into E.164 where that is certain, with
// the numbering plans of libphonenumber. It imports nothing of cdrstore.
package number

import (
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
	switch {
	case len(digits) < 7 || len(digits) > 17:
		return "", ""
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

func valid(text, region string) (number, country string) {
	n, err := phonenumbers.Parse(text, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", ""
	}
	if country = phonenumbers.GetRegionCodeForNumber(n); country == unknownRegion {
		country = ""
	}
	return phonenumbers.Format(n, phonenumbers.E164), country
}

// clean takes off what people write between digits. Anything else than a number
// (letters, an extension's *, a SIP URI) gives no digits.
func clean(sent string) (digits string, plus bool) {
	sent = strings.TrimSpace(sent)
	sent, plus = strings.CutPrefix(sent, "+")
	digits = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(sent)
	if strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return digits, plus
}
