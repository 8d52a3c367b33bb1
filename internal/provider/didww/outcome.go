package didww

import "github.com/cdrstore/cdrstore/internal/cdr"

// disposition says how a call or routing attempt came out. `success`, "call
// succeeded", decides, even where time_connect is missing; without it an answer
// time, or talk that ended with 200, does. What did not succeed is told by the
// SIP code, and has failed where that tells nothing.
func disposition(success *bool, connected bool, code int, by cdr.Party) cdr.Disposition {
	if success != nil && *success || success == nil && connected {
		return cdr.Answered
	}
	// D4 prints 480 "DID number overloaded" with disconnect_initiator 1: DIDWW
	// itself turned the call away, no telephone rang.
	if code == 480 && by == cdr.System {
		return cdr.Failed
	}
	if d := fromCode(code); d != cdr.Unknown || success == nil {
		return d
	}
	return cdr.Failed
}

// connected reports whether a CDR says that somebody answered: by a time, or by
// talk and the code of a call that was hung up after an answer. `duration` is "0
// when not connected" (D4), but talk alone proves nothing.
func connected(facts *cdr.Facts) bool {
	return !facts.AnsweredAt.IsZero() || facts.SIPCode == 200 && facts.Billsec.Decimal.IsPositive()
}

// fromCode maps the code of a call that did not succeed; D8 lists 402 to 604.
// A code of 2xx contradicts that, and below 200 or from 700 on nothing is
// known: unknown.
func fromCode(code int) cdr.Disposition {
	switch code {
	case 486, 600:
		return cdr.Busy
	case 487:
		return cdr.Cancelled
	case 408, 480:
		return cdr.NoAnswer
	case 403, 603, 607, 608:
		return cdr.Rejected
	}
	if code >= 300 && code < 700 {
		return cdr.Failed
	}
	return cdr.Unknown
}

// party reads disconnect_initiator. D4 explains 3 as the call originator; 1
// comes with a refusal by DIDWW. The rest follows the switch whose field names
// DIDWW uses: 0 routing, 1 switch, 2 destination. Other numbers say nothing.
func party(initiator *int) cdr.Party {
	if initiator == nil {
		return ""
	}
	switch *initiator {
	case 0, 1:
		return cdr.System
	case 2:
		return cdr.Callee
	case 3:
		return cdr.Caller
	}
	return ""
}
