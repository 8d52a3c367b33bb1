package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
)

// missing stands where nobody said anything.
const missing = "–"

// Time is a moment in the visitor's zone, to the second. A zero time or a null
// is a dash.
func (v *view) Time(at any) string {
	t, ok := moment(at)
	if !ok {
		return missing
	}
	return t.In(v.Zone).Format("2006-01-02 15:04:05")
}

// Amount writes a value of a row that may be an amount or a name. Null is a dash.
func (v *view) Amount(value *string) string {
	if value == nil {
		return missing
	}
	if _, err := decimal.NewFromString(*value); err == nil {
		return plain(*value)
	}
	return v.Text(*value)
}

// Moment is a time that Postgres wrote into JSON, in the visitor's zone, with all
// its digits.
func (v *view) Moment(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.In(v.Zone).Format("2006-01-02 15:04:05.999999 -07:00")
}

// ISO is a moment for the datetime attribute; empty where there is none.
func (v *view) ISO(at any) string {
	t, ok := moment(at)
	if !ok {
		return ""
	}
	return t.In(v.Zone).Format(time.RFC3339Nano)
}

// Ago says how long ago a moment was.
func (v *view) Ago(at any) string {
	t, ok := moment(at)
	if !ok {
		return missing
	}
	d := v.Now.Sub(t)
	switch {
	case d < 0:
		return "in " + humane(-d)
	case d < time.Second:
		return "now"
	}
	return humane(d) + " ago"
}

func moment(at any) (time.Time, bool) {
	switch t := at.(type) {
	case time.Time:
		return t, !t.IsZero()
	case *time.Time:
		if t == nil {
			return time.Time{}, false
		}
		return *t, !t.IsZero()
	case pgtype.Timestamptz:
		return t.Time, t.Valid && t.InfinityModifier == pgtype.Finite
	}
	return time.Time{}, false
}

// humane is a span of time in its two largest units.
func humane(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// Seconds writes a number of seconds as 1:02:03 or 2:03, and what is less than
// one second with it. Null is a dash.
func (v *view) Seconds(n any) string {
	text, ok := exact(n)
	if !ok {
		return missing
	}
	whole, fraction, _ := strings.Cut(text, ".")
	var s int64
	if _, err := fmt.Sscan(whole, &s); err != nil || s < 0 {
		return text
	}
	out := fmt.Sprintf("%d:%02d", s/60, s%60)
	if s >= 3600 {
		out = fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		out += "." + fraction[:min(len(fraction), 3)]
	}
	return out
}

// Number writes a number or an amount with all its digits, in groups of three.
// Null is a dash.
func (v *view) Number(n any) string {
	text, ok := exact(n)
	if !ok {
		return missing
	}
	whole, fraction, hasFraction := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "−", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u2009" + whole[i:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return sign + whole
}

// exact is a number as it is stored, never by way of a float.
func exact(n any) (string, bool) {
	switch n := n.(type) {
	case pgtype.Numeric:
		if !n.Valid || n.NaN || n.InfinityModifier != pgtype.Finite {
			return "", false
		}
		value, err := n.Value()
		text, isText := value.(string)
		return plain(text), err == nil && isText
	case pgtype.Text:
		return n.String, n.Valid
	case pgtype.Int4:
		return fmt.Sprint(n.Int32), n.Valid
	case pgtype.Int8:
		return fmt.Sprint(n.Int64), n.Valid
	case *string:
		if n == nil {
			return "", false
		}
		return *n, true
	case *int64:
		if n == nil {
			return "", false
		}
		return fmt.Sprint(*n), true
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return "", false
		}
		return fmt.Sprintf("%.1f", n), true
	case string:
		return n, n != ""
	case nil:
		return "", false
	}
	return fmt.Sprint(n), true
}

// plain writes 12e3 as 12000 and 5e-3 as 0.005: people read amounts.
func plain(text string) string {
	mantissa, exponent, found := strings.Cut(text, "e")
	var e int
	if _, err := fmt.Sscan(exponent, &e); !found || err != nil {
		return text
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+e
	if len(digits) > 4000 || e > 4000 || e < -4000 {
		return text
	}
	switch {
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits))
	}
	return sign + digits[:point] + "." + digits[point:]
}

// Bytes writes a size in the largest unit that it fills.
func (v *view) Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

// Percent writes a share of a hundred. Null is a dash.
func (v *view) Percent(n any) string {
	text, ok := exact(n)
	if !ok {
		return missing
	}
	return text + " %"
}

// Minute writes a moment as the fields From and To take it.
func (v *view) Minute(t time.Time) string { return t.Format("2006-01-02T15:04") }
