package didlogic

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// decodeSMS reads an inbound SMS. It has no id: the same parameters are the same
// message. The text is kept to its last blank, with which the page's own
// example ends.
func decodeSMS(r *record.Record, f *record.Fields) (cdr.Record, error) {
	if !f.Has("message") {
		return cdr.Record{}, f.Errorf("message", "missing, and no event either: neither an SMS nor about a call")
	}
	m := cdr.Message{
		MessageID:  messageID(r),
		Src:        f.Number("src"),
		Dst:        f.Number("dst"),
		Body:       f.Long("message"),
		Direction:  cdr.Inbound,
		Status:     "received",
		OccurredAt: f.Time("received_at"),
	}
	if m.Src == "" && m.Dst == "" {
		return cdr.Record{}, f.Errorf("src", "missing, and dst too")
	}
	return cdr.Record{Messages: []cdr.Message{m}}, nil
}

func messageID(r *record.Record) string {
	digest := sha256.Sum256(r.Canonical(nil))
	return "sms-" + hex.EncodeToString(digest[:])
}
