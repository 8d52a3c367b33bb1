package console

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgtype"
)

// shown is how many digits at the end of a number are shown under masking.
const shown = 3

// numberLike finds what may be a phone number in a text: seven digits or more,
// with what people, forms and URLs write between them. Moments and ids with
// letters are found first, and stay.
const numberLike = `(?P<moment>\b[12][0-9]{3}-[01][0-9]-[0-3][0-9](?:[T ][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)?(?:[^0-9]|$))` +
	`|(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{3,11}[a-fA-F][0-9a-fA-F]{0,8}\b)` +
	`|(?P<number>\p{Nd}(?:(?:[ ().+/\x{A0}\x{2010}-\x{2015}-]|%2[0-9A-Fa-f]|%C2%A0|%20)*\p{Nd}){6,})`

// masker hides phone numbers.
type masker struct {
	on bool
	re *regexp.Regexp
}

func newMasker(on bool) masker { return masker{on, regexp.MustCompile(numberLike)} }

// number hides a text that is known to be a phone number or an address.
func (m masker) number(text string) string {
	if !m.on {
		return text
	}
	return hide(text)
}

// text hides the numbers in any other text.
func (m masker) text(text string) string {
	if !m.on {
		return text
	}
	return m.re.ReplaceAllStringFunc(text, func(found string) string {
		at := m.re.FindStringSubmatchIndex(found)
		if number := m.re.SubexpIndex("number"); at != nil && at[2*number] < 0 && at[1] == len(found) {
			return found
		}
		return hide(found)
	})
}

// hide replaces all digits but the last ones. Escapes of URLs stay: they are no
// digits of the number.
func hide(text string) string {
	runes := []rune(text)
	isDigit := func(i int) bool {
		escape := i >= 1 && runes[i-1] == '%' || i >= 2 && runes[i-2] == '%'
		return unicode.IsDigit(runes[i]) && !escape
	}
	keep := shown
	for i := len(runes) - 1; i >= 0; i-- {
		switch {
		case !isDigit(i):
		case keep > 0:
			keep--
		default:
			runes[i] = '•'
		}
	}
	return string(runes)
}

// Phone writes a number or an address of a call, masked where that is set. Null
// is a dash.
func (v *view) Phone(text pgtype.Text) string {
	if !text.Valid {
		return missing
	}
	return v.console.masker.number(text.String)
}

// Text writes any other text that came from outside. Null is a dash.
func (v *view) Text(text any) string {
	s, ok := exact(text)
	if !ok {
		return missing
	}
	return v.console.masker.text(s)
}

// ID writes the id of a call. Most are not numbers and stay whole, so that they
// can be copied; one that holds a number of the call does not.
func (v *view) ID(id string, numbers ...pgtype.Text) string {
	if !v.Mask {
		return id
	}
	digits := onlyDigits(id)
	for _, n := range numbers {
		own := onlyDigits(n.String)
		own = own[max(0, len(own)-7):]
		if len(own) > shown && strings.Contains(digits, own) {
			return hide(id)
		}
	}
	return v.console.masker.text(id)
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
