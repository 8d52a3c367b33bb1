package record_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/record"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	runGetter(t, func(f *record.Fields) string { return amount(f.Decimal("x")) }, []getCase{
		{`0.005`, "0.005", ""},
		{`"0.450000"`, "0.45", ""},
		{`" 7 "`, "7", ""},
		{`0`, "0", ""},
		{`-1.5`, "-1.5", ""},
		{`"+1"`, "1", ""},
		{`1e3`, "1000", ""},
		{`"1E-3"`, "0.001", ""},
		{`99999999999999999999.99`, "99999999999999999999.99", ""},
		{`0.1000000000000000055511151231257827`, "0.1000000000000000055511151231257827", ""},
		{`""`, "", ""},
		{`null`, "", ""},
		{`" "`, "", "not a number"},
		{`"1,5"`, "", "not a number"},
		{`"abc"`, "", "not a number"},
		{`"one"`, "", "not a number"},
		{`"e"`, "", "not a number of reasonable size"},
		{`"NaN"`, "", "not a number"},
		{`"Infinity"`, "", "not a number"},
		{`"0x10"`, "", "not a number"},
		{`"1_000"`, "", "not a number"},
		{`"1.2.3"`, "", "not a number"},
		{`"."`, "", "not a number"},
		{`"1e"`, "", "not a number of reasonable size"},
		{`1e33`, "", "not a number of reasonable size"},
		{`1e-33`, "", "not a number of reasonable size"},
		{`1e999999999`, "", "not a number of reasonable size"},
		{`1e-999999999999999999999`, "", "not a number of reasonable size"},
		{strings.Repeat("9", 65), "", "not a number of reasonable length"},
		{`true`, "", "expected a number, found a boolean"},
		{`[1]`, "", "expected a number, found a list"},
		{`{}`, "", "expected a number, found an object"},
	})
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	runGetter(t, func(f *record.Fields) string { return amount(f.Seconds("x")) }, []getCase{
		{`13`, "13", ""},
		{`"0"`, "0", ""},
		{`1.25`, "1.25", ""},
		{`31622400`, "31622400", ""},
		{`31622401`, "", "longer than a year"},
		{`1e30`, "", "longer than a year"},
		{`-0`, "0", ""},
		{`-1`, "", "negative"},
		{`"-0.001"`, "", "negative"},
		{`"x"`, "", "not a number"},
		{`null`, "", ""},
	})
}

func TestInt(t *testing.T) {
	t.Parallel()
	get := func(f *record.Fields) string {
		n := f.Int("x")
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	runGetter(t, get, []getCase{
		{`0`, "0", ""},
		{`"486"`, "486", ""},
		{`60.0`, "60", ""},
		{`-1`, "-1", ""},
		{`32767`, "32767", ""},
		{`-32767`, "-32767", ""},
		{`32768`, "", "not a whole number in range"},
		{`-32768`, "", "not a whole number in range"},
		{`9223372036854775808`, "", "not a whole number in range"},
		{`1e32`, "", "not a whole number in range"},
		{`1.5`, "", "not a whole number in range"},
		{`"x"`, "", "not a number"},
		{`null`, "", ""},
	})
}

func TestBool(t *testing.T) {
	t.Parallel()
	get := func(f *record.Fields) string {
		b := f.Bool("x")
		if b == nil {
			return ""
		}
		return strconv.FormatBool(*b)
	}
	runGetter(t, get, []getCase{
		{`true`, "true", ""},
		{`false`, "false", ""},
		{`"True"`, "true", ""},
		{`"yes"`, "true", ""},
		{`1`, "true", ""},
		{`"1"`, "true", ""},
		{`0`, "false", ""},
		{`"no"`, "false", ""},
		{`"FALSE"`, "false", ""},
		{`null`, "", ""},
		{`""`, "", ""},
		{`2`, "", "expected true or false"},
		{`"maybe"`, "", "expected true or false"},
		{`[]`, "", "expected true or false"},
	})
}

func moment(f *record.Fields) string {
	at := f.Time("x")
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

func TestTimeSpellings(t *testing.T) {
	t.Parallel()
	const whole, fraction = "2026-05-13T12:45:40Z", "2026-05-13T12:45:40.123456Z"
	runGetter(t, moment, []getCase{
		{`"2026-05-13T12:45:40Z"`, whole, ""},
		{`"2026-05-13T12:45:40"`, whole, ""},
		{`"2026-05-13 12:45:40"`, whole, ""},
		{`"2026-05-13 12:45:40Z"`, whole, ""},
		{`"2026-05-13 12:45:40 UTC"`, whole, ""},
		{`"2026-05-13 12:45:40 GMT"`, whole, ""},
		{`" 2026-05-13 12:45:40 "`, whole, ""},
		{`"2026-05-13T14:45:40+02:00"`, whole, ""},
		{`"2026-05-13T14:45:40+0200"`, whole, ""},
		{`"2026-05-13T14:45:40+02"`, whole, ""},
		{`"2026-05-13 14:45:40 +0200"`, whole, ""},
		{`"2026-05-13 14:45:40 +02:00"`, whole, ""},
		{`"2026-05-13 14:45:40+02:00"`, whole, ""},
		{`"2026-05-13T12:45:40.123456+00:00"`, fraction, ""},
		{`"2026-05-13T12:45:40.123456"`, fraction, ""},
		{`"2026-05-13 12:45:40.123456"`, fraction, ""},
		{`"2026-05-13 12:45:40.123456 UTC"`, fraction, ""},
		{`"2026-05-13T12:45:40.123456999Z"`, fraction, ""},
		{`"2026-05-13T12:45:40.123Z"`, "2026-05-13T12:45:40.123Z", ""},
		{`""`, "", ""},
		{`null`, "", ""},
		{`"yesterday"`, "", "not a time"},
		{`"2026-05-13"`, "", "not a time"},
		{`"13.05.2026 12:45:40"`, "", "not a time"},
		{`"2026-02-30T00:00:00Z"`, "", "not a time"},
		{`"0000-00-00 00:00:00"`, "", "not a time"},
		{`"-1"`, "", "not a time"},
		{`"0001-01-01T00:00:00Z"`, "", "outside of the years 1970 to 2200"},
		{`"1969-12-31T23:59:59Z"`, "", "outside of the years 1970 to 2200"},
		{`"1970-01-01T00:00:01Z"`, "1970-01-01T00:00:01Z", ""},
		{`"2200-12-31T23:59:59Z"`, "2200-12-31T23:59:59Z", ""},
		{`"2200-12-31T23:59:59-01:00"`, "", "outside of the years 1970 to 2200"},
		{`"9999-12-31T23:59:59Z"`, "", "outside of the years 1970 to 2200"},
		{`true`, "", "expected a time, found a boolean"},
		{`{}`, "", "expected a time, found an object"},
	})
}

func TestTimeEpochs(t *testing.T) {
	t.Parallel()
	runGetter(t, moment, []getCase{
		{`1778676340`, "2026-05-13T12:45:40Z", ""},
		{`"1778676340"`, "2026-05-13T12:45:40Z", ""},
		{`1778676340.123456`, "2026-05-13T12:45:40.123456Z", ""},
		{`1778676340123`, "2026-05-13T12:45:40.123Z", ""},
		{`1778676340123.456`, "2026-05-13T12:45:40.123456Z", ""},
		{`1778676340123456`, "2026-05-13T12:45:40.123456Z", ""},
		{`1778676340123456789`, "2026-05-13T12:45:40.123456Z", ""},
		{`1.77867634e9`, "2026-05-13T12:45:40Z", ""},
		{`1.77867634E+12`, "2026-05-13T12:45:40Z", ""},
		{`99999999999`, "", "outside of the years 1970 to 2200"},
		{`100000000000`, "1973-03-03T09:46:40Z", ""},
		{`1`, "1970-01-01T00:00:01Z", ""},
		{`0`, "", ""},
		{`"0"`, "", ""},
		{`"0000"`, "", ""},
		{`0.0`, "", ""},
		{`"0.0"`, "", ""},
		{`1e999999999`, "", "not a time"},
		{`-5`, "", "not a time"},
		{`"."`, "", "not a time"},
		{`"1.2.3"`, "", "not a time"},
		{strings.Repeat("9", 32), "", "outside of the years 1970 to 2200"},
		{strings.Repeat("9", 33), "", "not a time"},
	})
}
