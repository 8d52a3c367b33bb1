package store

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// spelling finds one telephone number in texts, however it is written there.
type spelling struct{ re *regexp.Regexp }

// Numbers with fewer digits than certain (without the country's) may be a part of
// something else, so that they count only where no other digits touch them; with
// fewer than the fewest they cannot be told from anything else.
const (
	certainDigits = 9
	fewestDigits  = 7
)

// separators are what people and URLs write between digits.
const separators = `(?:[ ().+/ ‐‑–-]|%2[0-9A-Fa-f]|%C2%A0|\\u00[aA2][0-9A-Fa-f])*`

// A number in Washington may look like the day and hour of "2026-12-15 09:30",
// and is then one only where no minutes follow.
const dayAndHour = `^(?:19|20|21)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[012][0-9]$`

const notTime = `(?:$|[^:]|:(?:$|[^0-9])|:[0-9](?:$|[^0-9])|:[0-9]{3})`

// spellings returns what finds a number. All ways to write one end with the same
// digits, those within its country (but for Argentine mobiles, at home 011 15…
// instead of 9 11…). The expression means the same to Go and to Postgres.
func spellings(number string) (spelling, error) {
	text := strings.TrimSpace(number)
	if rest, ok := strings.CutPrefix(text, "00"); ok {
		text = "+" + rest
	}
	n, err := phonenumbers.Parse(text, "")
	if err != nil || !strings.HasPrefix(text, "+") {
		return spelling{}, fmt.Errorf("number: write it with + and the country, as in +442079460123")
	}
	digits := phonenumbers.GetNationalSignificantNumber(n)
	if len(digits) < fewestDigits {
		return spelling{}, fmt.Errorf("number: fewer than %d digits after the country cannot be told from other digits", fewestDigits)
	}
	before, after := "", ""
	switch {
	case regexp.MustCompile(dayAndHour).MatchString(digits):
		after = notTime
	case len(digits) < certainDigits:
		country := spelled(fmt.Sprint(n.GetCountryCode()))
		before = `(?:^|[^0-9])(?:(?:00|011)?` + separators + country + separators + `|0)?0?`
		after = `(?:$|[^0-9])`
	}
	re, err := regexp.Compile(before + "(" + spelled(digits) + ")" + after)
	return spelling{re}, err
}

// spelled matches digits in a row, with separators between them, plain or
// escaped as in a form or in JSON.
func spelled(digits string) string {
	each := make([]string, len(digits))
	for i, d := range digits {
		each[i] = fmt.Sprintf(`(?:%c|%%3%c|\\u003%c)`, d, d, d)
	}
	return strings.Join(each, separators)
}

func (s spelling) in(texts ...string) bool {
	for _, t := range texts {
		if s.re.MatchString(t) {
			return true
		}
	}
	return false
}

// without returns a text in which the number is replaced by a word.
func (s spelling) without(text string) string {
	for {
		at := s.re.FindStringSubmatchIndex(text)
		if at == nil {
			return text
		}
		text = text[:at[2]] + "erased" + text[at[3]:]
	}
}
