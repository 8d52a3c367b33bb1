package number_test

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/number"
)

func TestE164(t *testing.T) {
	t.Parallel()
	international := number.Plan{International: true}
	for _, c := range []struct {
		name            string
		plan            number.Plan
		sent            string
		number, country string
	}{
		{"plus", number.Plan{}, "+442079460958", "+442079460958", "GB"},
		{"plus and blanks", number.Plan{}, " +44 20 7946 0958", "+442079460958", "GB"},
		{"00", number.Plan{}, "00442079460958", "+442079460958", "GB"},
		{"digits of an international plan", international, "442079460958", "+442079460958", "GB"},
		{"digits of no plan", number.Plan{}, "442079460958", "", ""},
		{"national with country", number.Plan{Country: "GB"}, "02079460958", "+442079460958", "GB"},
		{"national without country", international, "02079460958", "", ""},
		{"national of an international plan with country", number.Plan{International: true, Country: "GB"}, "02079460958", "+442079460958", "GB"},
		{"could be two numbers", number.Plan{Country: "US"}, "3212345678", "", ""},
		{"could be two numbers, of an international plan", number.Plan{International: true, Country: "US"}, "6465551234", "", ""},
		{"international of an international plan with country", number.Plan{International: true, Country: "US"}, "442079460958", "+442079460958", "GB"},
		{"own country's of an international plan with country", number.Plan{International: true, Country: "GB"}, "442079460958", "+442079460958", "GB"},
		{"no valid number", international, "440000000000", "", ""},
		{"extension", number.Plan{Country: "GB"}, "0003*210", "", ""},
		{"short code", international, "112", "", ""},
		{"slashes", number.Plan{Country: "GB"}, "020/79460958", "", ""},
		{"brackets, points and hyphens", number.Plan{}, "+44 (20) 79.46-09 58", "+442079460958", "GB"},
		{"anonymous", international, "anonymous", "", ""},
		{"sip uri", international, "sip:442079460958@example.com", "", ""},
		{"empty", international, "", "", ""},
		{"worldwide toll-free has no country", international, "80012345678", "+80012345678", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, country := c.plan.E164(c.sent)
			if n != c.number || country != c.country {
				t.Errorf("E164(%q) = %q, %q; want %q, %q", c.sent, n, country, c.number, c.country)
			}
		})
	}
}

func TestNational(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ country, code, pattern string }{
		{"GB", "44", "^0([0-9]+)$"},
		{"US", "1", "^(?:1)?([0-9]{10})$"},
		{"RU", "7", "^(?:8)?([0-9]{10}|[0-9]{14})$"},
		{"HU", "36", "^06([0-9]+)$"},
		{"ES", "34", "^([0-9]{9})$"},
		{"", "", ""},
		{"XX", "", ""},
	} {
		if code, pattern := number.National(c.country); code != c.code || pattern != c.pattern {
			t.Errorf("National(%q) = %q, %q; want %q, %q", c.country, code, pattern, c.code, c.pattern)
		}
	}
}
