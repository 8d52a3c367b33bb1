package voipnow

import (
	"cmp"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// The flows: how the call goes, seen from the extension that has the rule.
const (
	in  = "IN"
	out = "OUT"
)

// request holds the parameters of one request, any of which may be missing.
type request struct {
	status, sentFlow       string
	flow                   string // in, out, or empty: not known
	caller, callerName     string
	callerExt, calledExt   string // the extensions, as yyyy*zzz
	calledDID, calledPhone string
	subCall                string // V6: the leg, before or after a transfer
}

func read(f *record.Fields, hint string) request {
	r := request{
		status:      f.Text("CallStatus"),
		sentFlow:    f.Text("CallFlow"),
		caller:      f.Number("CallerIDNum"),
		callerName:  f.Text("CallerIDName", "CallerIDNam"), // S and V2 spell CallerIDNam
		callerExt:   extension(f.Text("CallerExtension")),
		calledExt:   extension(f.Text("CalledExtension")),
		calledDID:   f.Number("CalledDID"),
		calledPhone: f.Number("CalledNumber"),
		subCall:     f.ID("SubCallID"),
	}
	switch word(r.sentFlow) {
	case in, out:
		r.flow = word(r.sentFlow)
	case "":
		r.flow = r.guessFlow(hint)
	default:
		f.Problem("CallFlow", "neither IN nor OUT")
		r.flow = r.guessFlow(hint)
	}
	return r
}

// guessFlow takes a flow that was not sent from the hint, else from the
// extension: where only one is named, it is the rule's own.
func (r request) guessFlow(hint string) string {
	switch {
	case hint == dialIn || hint == answerIn:
		return in
	case hint == dialOut || hint == answerOut:
		return out
	case r.calledExt != "" && r.callerExt == "":
		return in
	case r.callerExt != "" && r.calledExt == "":
		return out
	}
	return ""
}

// own returns the rule's own extension, which is the called one of a call that
// comes in. Empty: not known.
func (r request) own() string {
	switch r.flow {
	case in:
		return r.calledExt
	case out:
		return r.callerExt
	}
	return ""
}

// leg returns the key of the leg: the flow and, where the request names no leg, the
// rule's own extension.
func (r request) leg() string {
	leg := strings.ToLower(r.flow)
	if own := cmp.Or(r.subCall, r.own()); own != "" {
		leg += ":" + own
	}
	return leg
}

// ends says what a hangup ends: the leg of the extension whose call it was. Where
// that was not sent no leg would ever end by it, so that it stands for the call.
func (r request) ends() cdr.Scope {
	if r.subCall == "" && r.own() == "" {
		return cdr.EndsCall
	}
	return cdr.EndsLeg
}

// direction is internal where both sides are extensions and no public number was
// called, from either view. CalledNumber is a "public number or extended
// extension number" (S), and the caller's may be one too.
func (r request) direction() cdr.Direction {
	switch {
	case r.fromExtension() && r.toExtension() && r.calledDID == "":
		return cdr.Internal
	case r.flow == in:
		return cdr.Inbound
	case r.flow == out:
		return cdr.Outbound
	}
	return ""
}

func (r request) fromExtension() bool { return r.callerExt != "" || isExtension(r.caller) }

func (r request) toExtension() bool { return r.calledExt != "" || isExtension(r.calledPhone) }

// extension takes off the domain, which V6 adds: yyyy*zzz@pbx.example.com.
func extension(sent string) string {
	sent, _, _ = strings.Cut(sent, "@")
	return sent
}

// isExtension recognises an extended extension number, yyyy*zzz.
func isExtension(number string) bool {
	organisation, extension, found := strings.Cut(number, "*")
	return found && isDigits(organisation) && isDigits(extension)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// src and dst are the same from both ends of an internal call: CallerIDNum and
// CalledNumber, what was dialled, do not depend on who reports them, and the
// extensions only stand in for them. A queue that several extensions answer for
// stays the called one.
func (r request) src() string { return cmp.Or(r.caller, r.callerExt) }

// dst prefers CalledDID for a call that comes in.
func (r request) dst() string {
	if r.flow == in {
		return cmp.Or(r.calledDID, r.calledPhone, r.calledExt)
	}
	return cmp.Or(r.calledPhone, r.calledDID, r.calledExt)
}

// word returns a status or flow in its one spelling.
func word(sent string) string { return strings.ToUpper(strings.TrimSpace(sent)) }
