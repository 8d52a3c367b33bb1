package console

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	numbering "github.com/cdrstore/cdrstore/internal/number"
)

// between is what people write between the digits of a number.
const between = " \u00a0\u202f().-/\u2010\u2011\u2012\u2013\u2014"

// spellings returns how a number that somebody looks for may be stored: as he
// wrote it, in E.164, and as it is dialled within and from outside of its
// country. Without + it may mean a number of each of the countries. written is
// what he wrote, without what stands between digits.
func spellings(text string, countries []string) (written string, all []string) {
	text = strings.TrimSpace(text)
	written = digitsOf(text)
	if written == "" {
		return text, []string{text} // a SIP address, an extension with letters, a name
	}
	all = []string{text, written}
	for _, n := range meanings(written, countries) {
		country, national := fmt.Sprint(n.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(n)
		digits := country + national
		all = append(all, "+"+digits, digits, "00"+digits, "011"+digits, national,
			phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(n, phonenumbers.NATIONAL)))
	}
	slices.Sort(all)
	return written, slices.Compact(all)
}

// meanings are the numbers that digits may stand for.
func meanings(written string, countries []string) []*phonenumbers.PhoneNumber {
	var all []*phonenumbers.PhoneNumber
	add := func(text, country string) {
		n, err := phonenumbers.Parse(text, country)
		if err == nil && phonenumbers.IsPossibleNumber(n) {
			all = append(all, n)
		}
	}
	digits, plus := strings.CutPrefix(written, "+")
	add("+"+digits, "")
	if plus {
		return all
	}
	for _, prefix := range []string{"00", "011"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok {
			add("+"+rest, "")
		}
	}
	for _, country := range countries {
		// Where a source's own plan reads it, that is certain; else it may be.
		if e164, _ := (numbering.Plan{Country: country}).E164(digits); e164 != "" {
			add(e164, "")
		} else {
			add(digits, country)
		}
	}
	return all
}

// digitsOf takes off what stands between digits; empty: it is no number.
func digitsOf(text string) string {
	if len(text) > 4 && strings.EqualFold(text[:4], "tel:") {
		text = text[4:]
	}
	text = strings.ReplaceAll(text, "(0)", "") // +44 (0)20 … is dialled without it
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			b.WriteString(phonenumbers.NormalizeDigitsOnly(string(r)))
		case r == '+' && b.Len() == 0:
			b.WriteByte('+')
		case !strings.ContainsRune(between, r):
			return ""
		}
	}
	if strings.Trim(b.String(), "+") == "" {
		return ""
	}
	return b.String()
}
