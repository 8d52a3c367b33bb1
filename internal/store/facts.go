package store

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// appendFacts writes facts as encoding/json does, but without reflection, for this
// is done for every event, and with the short names first: so jsonb keeps them,
// and Postgres reads what is sorted already in two thirds of the time. A test
// compares the two ways for every field.
func appendFacts(out []byte, f *cdr.Facts) []byte {
	w := factsWriter{append(out, '{')}
	w.text("did", f.DID)
	w.text("dst", f.Dst)
	w.text("src", f.Src)
	w.text("tag", f.Tag)
	w.amount("tax", f.Tax)
	w.amount("cost", f.Cost)
	w.text("ends", string(f.Ends))
	w.amount("rate", f.Rate)
	w.text("state", string(f.State))
	w.text("trunk", f.Trunk)
	w.text("account", f.Account)
	w.number("attempt", f.Attempt)
	w.amount("billsec", f.Billsec)
	w.derived(f.Derived)
	w.text("currency", f.Currency)
	w.text("dst_e164", f.DstE164)
	w.amount("duration", f.Duration)
	w.moment("ended_at", f.EndedAt)
	if f.Imported {
		w.boolOrNil("imported", &f.Imported)
	}
	w.number("leg_rank", f.LegRank)
	w.text("provider", f.Provider)
	w.settings(f.Settings)
	w.number("sip_code", f.SIPCode)
	w.text("src_e164", f.SrcE164)
	w.text("src_name", f.SrcName)
	w.text("direction", string(f.Direction))
	w.text("hangup_by", string(f.HangupBy))
	w.number("q850_cause", f.Q850Cause)
	w.moment("ringing_at", f.RingingAt)
	w.moment("started_at", f.StartedAt)
	w.moment("answered_at", f.AnsweredAt)
	w.amount("charged_sec", f.ChargedSec)
	w.text("disposition", string(f.Disposition))
	w.text("dst_country", f.DstCountry)
	w.text("sip_call_id", f.SIPCallID)
	w.text("src_country", f.SrcCountry)
	w.text("hangup_cause", f.HangupCause)
	w.numberOrNil("next_increment", f.NextIncrement)
	w.text("parent_call_id", f.ParentCallID)
	w.numberOrNil("first_increment", f.FirstIncrement)
	w.boolOrNil("machine_detected", f.MachineDetected)
	w.boolOrNil("cost_includes_tax", f.CostIncludesTax)
	return append(w.out, '}')
}

// factsWriter writes the members of an object, without those that say nothing.
type factsWriter struct{ out []byte }

func (w *factsWriter) name(name string) {
	if w.out[len(w.out)-1] != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *factsWriter) text(name, value string) {
	if value != "" {
		w.name(name)
		w.out = appendJSONText(w.out, value)
	}
}

func (w *factsWriter) number(name string, value int) {
	if value != 0 {
		w.numberOrNil(name, &value)
	}
}

func (w *factsWriter) numberOrNil(name string, value *int) {
	if value != nil {
		w.name(name)
		w.out = strconv.AppendInt(w.out, int64(*value), 10)
	}
}

func (w *factsWriter) boolOrNil(name string, value *bool) {
	if value != nil {
		w.name(name)
		w.out = strconv.AppendBool(w.out, *value)
	}
}

func (w *factsWriter) moment(name string, at time.Time) {
	if !at.IsZero() {
		w.name(name)
		w.out = append(w.out, '"')
		w.out = at.AppendFormat(w.out, time.RFC3339Nano)
		w.out = append(w.out, '"')
	}
}

func (w *factsWriter) amount(name string, a cdr.Amount) {
	if a.Valid {
		w.name(name)
		w.out = append(w.out, '"')
		w.out = appendDecimal(w.out, a.Decimal)
		w.out = append(w.out, '"')
	}
}

// appendDecimal writes what Decimal.String returns, usual amounts without making
// one.
func appendDecimal(out []byte, d decimal.Decimal) []byte {
	scale := -int(d.Exponent())
	if d.NumDigits() > 17 || scale < 0 || scale > 17 {
		return append(out, d.String()...)
	}
	n := d.CoefficientInt64()
	if n < 0 {
		out, n = append(out, '-'), -n
	}
	for ; scale > 0 && n%10 == 0; scale-- {
		n /= 10
	}
	var room [20]byte
	digits := strconv.AppendInt(room[:0], n, 10)
	if point := len(digits) - scale; scale == 0 {
		return append(out, digits...)
	} else if point > 0 {
		out = append(append(out, digits[:point]...), '.')
		return append(out, digits[point:]...)
	}
	const zeros = "0.00000000000000000"
	return append(append(out, zeros[:2+scale-len(digits)]...), digits...)
}

func (w *factsWriter) derived(moments []cdr.Moment) {
	if len(moments) == 0 {
		return
	}
	w.name("derived")
	for i, m := range moments {
		w.out = append(w.out, "[,"[min(i, 1)])
		w.out = appendJSONText(w.out, string(m))
	}
	w.out = append(w.out, ']')
}

func (w *factsWriter) settings(s cdr.Settings) {
	if s.IsZero() {
		return
	}
	w.name("settings")
	inner := factsWriter{append(w.out, '{')}
	inner.text("country", s.Country)
	inner.text("currency", s.Currency)
	inner.boolOrNil("answer_events", s.AnswerEvents)
	inner.text("cost_includes_tax", s.CostIncludesTax)
	w.out = append(inner.out, '}')
}

// appendJSONText writes what is rarely there, characters that are escaped, by
// encoding/json.
func appendJSONText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(text)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(out, quoted...)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}
