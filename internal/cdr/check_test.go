package cdr_test

import (
	"slices"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestCheckTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind     cdr.Kind
		facts    cdr.Facts
		billsec  string // afterwards
		ended    string
		problems []string
	}{
		"talk of an answered call":         {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, Billsec: num("5")}, "5", "", nil},
		"talk of a connected call":         {cdr.KindAnswered, cdr.Facts{State: cdr.StateAnswered, Billsec: num("5")}, "5", "", nil},
		"talk of a call of no word":        {cdr.KindCDR, cdr.Facts{Billsec: num("5")}, "5", "", []string{"talk: 5 s of talk, but the record does not say that somebody answered"}},
		"talk of an unknown outcome":       {cdr.KindEnded, cdr.Facts{Disposition: cdr.Unknown, Billsec: num("5")}, "5", "", []string{"talk: 5 s of talk, but the record does not say that somebody answered"}},
		"talk of a busy call":              {cdr.KindCDR, cdr.Facts{Disposition: cdr.Busy, Billsec: num("5")}, "", "", []string{"talk: 5 s of talk, but nobody answered"}},
		"no talk of a busy call":           {cdr.KindCDR, cdr.Facts{Disposition: cdr.Busy, Billsec: num("0")}, "0", "", nil},
		"more talk than call, delivered":   {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, Billsec: num("900"), Duration: num("20")}, "900", "", []string{"talk: 900 s of talk in a call of 20 s"}},
		"more talk than call, by times":    {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, Billsec: num("900"), StartedAt: at("10:00:00"), EndedAt: at("10:00:20")}, "900", "10:00:20", []string{"talk: 900 s of talk in a call of 20 s"}},
		"a second more by rounding":        {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, Billsec: num("21"), Duration: num("20")}, "21", "", nil},
		"no talk time of an answered call": {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, EndedAt: at("10:00:20")}, "", "10:00:20", []string{"talk: the call was answered, and its talk time is not known"}},
		"talk time by answer and end":      {cdr.KindCDR, cdr.Facts{Disposition: cdr.Answered, AnsweredAt: at("10:00:05"), EndedAt: at("10:00:20")}, "", "10:00:20", nil},
		"an event may know no talk time":   {cdr.KindEnded, cdr.Facts{Disposition: cdr.Answered}, "", "", nil},
		"an end before the start":          {cdr.KindEnded, cdr.Facts{StartedAt: at("10:00:20"), EndedAt: at("10:00:00")}, "", "", []string{"end: before the start of the call"}},
		"an end without a start":           {cdr.KindEnded, cdr.Facts{EndedAt: at("10:00:00")}, "", "10:00:00", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var problems []string
			e := cdr.Event{Kind: c.kind, Facts: &c.facts}
			e.CheckTimes(func(field, reason string) { problems = append(problems, field+": "+reason) }, "talk", "end")
			if !slices.Equal(problems, c.problems) {
				t.Errorf("problems %q, want %q", problems, c.problems)
			}
			if want := num(c.billsec); e.Facts.Billsec.Valid != want.Valid || !e.Facts.Billsec.Decimal.Equal(want.Decimal) {
				t.Errorf("billsec %v, want %q", e.Facts.Billsec, c.billsec)
			}
			if isZero := e.Facts.EndedAt.IsZero(); isZero != (c.ended == "") || !isZero && !e.Facts.EndedAt.Equal(at(c.ended)) {
				t.Errorf("ended at %v, want %q", e.Facts.EndedAt, c.ended)
			}
		})
	}
}
