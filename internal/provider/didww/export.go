package didww

import (
	"strconv"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// NoCallID stands for the id of a call in a row that has none. Such a row can
// be compared and never stored.
const NoCallID = "no call id"

// row is a row of an export: its fields by what their columns mean.
type row struct {
	*record.Fields
	h map[column]string
}

// export reads a row of a CSV export, an object of headings and texts.
//
// The "Call ID" of an inbound export is taken for the local_tag of pushed CDRs:
// E5 calls it the system-generated identifier of the call, and local_tag is the
// only such id in a pushed CDR. No page says that they are the same. "Attempt"
// is routing_attempt. The "Call ID" of an outbound export is taken for call_id,
// the SIP Call-ID, the only id of the call there. The export has no id of the
// record and no fraction of a second: an outbound row is known by its start.
func export(f *record.Fields, kind string) (cdr.Event, error) {
	r := row{f, headings(f.Names())}
	id, err := f.Key(r.h[colCallID])
	if err != nil {
		return cdr.Event{}, f.Errorf("Call ID", "missing, or not to be kept as it is")
	}
	facts := r.outcome()
	if facts.StartedAt.IsZero() {
		return cdr.Event{}, f.Errorf(r.h[colStarted], "missing or not a time: a row must have one")
	}
	e := cdr.Event{CallID: id, Kind: cdr.KindCDR, ProviderKind: kind, OccurredAt: facts.StartedAt, Facts: facts}
	if kind == ExportInbound {
		r.inbound(&e)
	} else {
		facts.SIPCallID = strings.TrimSpace(r.text(colCallID))
		if !strings.HasSuffix(id, cdr.OwnKey) {
			e.CallID = cdr.StartedKey(id, facts.StartedAt)
		}
		r.outbound(facts)
	}
	if e.RecordKey == "" {
		e.RecordKey = cdr.StartKey(e.CallID, facts.StartedAt)
	}
	return e, nil
}

// text returns a field; empty where there is no such column.
func (r row) text(c column) string { return r.Text(r.h[c]) }

// outcome reads what both exports have in common. Whether a row is the last
// attempt is not said: each ends the call, as exports are made long after.
func (r row) outcome() *cdr.Facts {
	facts := &cdr.Facts{
		State: cdr.StateEnded, Ends: cdr.EndsCall,
		StartedAt: r.Time(r.h[colStarted]), AnsweredAt: r.Time(r.h[colConnected]), EndedAt: r.End(r.h[colEnded]),
		Billsec:     r.Talk(r.h[colDuration]),
		HangupCause: r.text(colReason),
		HangupBy:    r.initiator(),
	}
	if c := r.Int(r.h[colCode]); c != nil && *c > 0 {
		facts.SIPCode = *c
	}
	facts.Disposition = disposition(r.success(), connected(facts), facts.SIPCode, facts.HangupBy)
	return facts
}

// success reads "Status". E5: whether the call was successful or failed. The
// words themselves are not documented; one that is not known says nothing.
func (r row) success() *bool {
	switch strings.ToLower(r.text(colStatus)) {
	case "success", "successful", "succeeded", "answered", "completed", "connected", "ok":
		return new(true)
	case "failed", "fail", "failure", "unsuccessful", "unanswered", "not answered", "no answer", "missed", "rejected":
		return new(false)
	}
	return nil
}

// initiator reads who hung up: E2 prints Origination and Destination.
func (r row) initiator() cdr.Party {
	switch strings.ToLower(r.text(colInitiator)) {
	case "origination", "originator", "caller", "3":
		return cdr.Caller
	case "destination", "callee", "2":
		return cdr.Callee
	case "didww", "system", "switch", "routing", "0", "1":
		return cdr.System
	}
	return ""
}

// inbound reads a row about a routing attempt. "Destination" is where the call
// went, as trunk_destination of a pushed CDR: the address of a trunk (E1 prints
// sip:… and iax:…), or a number.
func (r row) inbound(e *cdr.Event) {
	f := e.Facts
	f.Direction = cdr.Inbound
	f.Src, f.SrcName = r.text(colSource), r.text(colSourceName)
	if f.Src == "" {
		f.Src = r.text(colCli)
	}
	f.DID = r.text(colDid)
	f.Trunk = r.text(colDestination)
	f.Dst = f.Trunk
	if f.Dst == "" || strings.ContainsAny(f.Dst, ":@") {
		f.Dst = f.DID
	}
	if f.Trunk == "" {
		f.Trunk = r.text(colTrunk)
	}
	r.inboundCharges(f)
	n := r.Int(r.h[colAttempt])
	if n != nil && *n < 0 {
		r.Problem(r.h[colAttempt], "negative")
		n = nil
	}
	if n != nil {
		f.Attempt, e.Leg = *n, strconv.Itoa(*n)
		e.RecordKey = e.CallID + "/" + e.Leg
	}
}

// inboundCharges adds what a pushed CDR's amounts are added of: toll-free,
// forwarding to the public network, metered channels. "CNAM IN" has no like in a
// pushed CDR and stays in the payload, so that cost means one thing. Where only
// a total is there, that less the CNAM lookup is taken.
func (r row) inboundCharges(f *cdr.Facts) {
	var services []string
	for _, c := range []column{colTollFree, colPstn, colMetered} {
		if r.h[c] != "" {
			services = append(services, r.h[c])
		}
	}
	if len(services) == 0 {
		f.Cost = r.Decimal(r.h[colTotal])
		if lookup := r.Decimal(r.h[colCnam]); f.Cost.Valid && lookup.Valid {
			f.Cost.Decimal = f.Cost.Decimal.Sub(lookup.Decimal)
		}
		services = []string{r.h[colTotal]}
	} else {
		f.Cost, _ = add(r.Fields, r.Decimal, services, "")
	}
	f.Currency = currencyOf(services[0])
	for _, heading := range services {
		if currencyOf(heading) != f.Currency {
			r.Problem(heading, "in another currency than "+services[0])
			f.Cost, f.Currency = cdr.Amount{}, ""
			return
		}
	}
}

// outbound reads a row about a Voice OUT call. "Source" is the caller as it
// came, "CLI" the one that was shown, as src_number of a pushed CDR is.
func (r row) outbound(f *cdr.Facts) {
	f.Direction = cdr.Outbound
	f.Src, f.SrcName = r.text(colCli), r.text(colSourceName)
	if f.Src == "" {
		f.Src = r.text(colSource)
	}
	f.Dst, f.Trunk = r.text(colDestination), r.text(colTrunk)
	f.ChargedSec = r.Seconds(r.h[colBilled])
	cost := r.h[colCharged]
	if cost == "" {
		cost = r.h[colTotal]
	}
	f.Cost, f.Rate = r.Decimal(cost), r.Decimal(r.h[colRate])
	f.Currency = currencyOf(cost)
	if f.Rate.Valid && currencyOf(r.h[colRate]) != f.Currency {
		r.Problem(r.h[colRate], "in another currency than "+cost)
		f.Rate = cdr.Amount{}
	}
}
