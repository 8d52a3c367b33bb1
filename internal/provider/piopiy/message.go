package piopiy

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// family is what sort of message this is. All come to one URL.
type family int

const (
	unknown family = iota
	callRecord
	live
	stream
)

// message is what tells a message from the others: words in lower case, since
// PIOPIY prints stream_connected and STREAM_DISCONNECTED.
type message struct {
	kind   string // field type; the current look has none
	status string
	leg    string // a, b, or empty
	family family
}

func newMessage(f *record.Fields) message {
	m := message{
		kind:   strings.ToLower(f.Text("type")),
		status: strings.ToLower(f.Text("status")),
		leg:    strings.ToLower(f.Text("leg")),
	}
	m.family = familyOf(m.kind, m.status, f.Has("duration", "start_time", "end_time", "answeredsec", "waitedsec", "hangup_reason"))
	return m
}

// familyOf tells CDRs from events: by type; without one by the status, where it is
// one of a live event; else by the fields of a CDR. The status `answered` alone could be
// either.
func familyOf(kind, status string, cdrFields bool) family {
	switch {
	case kind == "cdr":
		return callRecord
	case kind != "" && kind != "event":
		return unknown
	case strings.HasPrefix(status, "stream_"):
		return stream
	case kind == "" && cdrFields && liveKind(status) == cdr.KindOther: // such as in_missed
		return callRecord
	case kind == "event", strings.HasPrefix(status, "in_"), strings.HasPrefix(status, "out_"):
		return live
	case cdrFields:
		return callRecord
	}
	return live
}

// word is the provider's word for the kind of a message: the status, and what
// it is the status of where that is no event.
func (m message) word() string {
	switch {
	case m.family == callRecord:
		return strings.TrimSuffix("cdr:"+m.status, ":")
	case m.family == unknown:
		return strings.TrimSuffix(m.kind+":"+m.status, ":")
	case m.status == "":
		return m.kind
	}
	return m.status
}

// legRank puts leg a first; its parties are those of the call.
func (m message) legRank() int {
	switch m.leg {
	case "":
		return 0
	case "a":
		return 1
	case "b":
		return 2
	}
	return 3
}

// ends says what the end of this leg ends: leg a is the call.
func (m message) ends() cdr.Scope {
	if m.leg == "" || m.leg == "a" {
		return cdr.EndsCall
	}
	return cdr.EndsLeg
}

// isBusinessPhone reports whether a message is of TeleCMI's business phone, by the
// fields that PIOPIY does not have.
func isBusinessPhone(f *record.Fields) bool {
	return f.Has("answeredsec", "waitedsec", "hangup_reason", "virtual_number", "call_id", "user")
}

// isUnplaced reports whether this is the CDR of a user of the business phone who was
// rung and did not answer. It names neither conversation nor request
// (doc.telecmi.com/chub/docs/incoming-user-missed), so that it is no call of its own.
func (m message) isUnplaced(f *record.Fields) bool {
	return m.family == callRecord && m.leg == "b" && isBusinessPhone(f) && disposition(m.status) != cdr.Answered &&
		!f.Has("conversation_uuid", "request_id")
}

// refuseNeighbour rejects what cannot be placed: a leg b of the business phone that
// was answered and names no conversation, so that nobody can tell of which call it
// is; and the request to an answer URL, which reports nothing. Stream events name no
// conversation.
func (m message) refuseNeighbour(f *record.Fields) error {
	if m.family == stream || m.isUnplaced(f) || f.Has("conversation_uuid", "request_id") {
		return nil
	}
	if m.leg == "b" && isBusinessPhone(f) {
		return f.Errorf("conversation_uuid", "missing: a leg b of TeleCMI's business phone names no call without it")
	}
	if m.status == "" && m.family == live && f.Has("cmiuuid") {
		return f.Errorf("status", "missing: looks like the request to an answer URL, which reports nothing; there is no conversation_uuid")
	}
	return nil
}
