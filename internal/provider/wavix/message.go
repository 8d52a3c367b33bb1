package wavix

import (
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// message reads an SMS or MMS that came in, or the delivery report of one that
// was sent. The first report of W8 comes when a message is sent, without a
// charge; a second one brings the final status.
func message(f *record.Fields) (cdr.Record, error) {
	id, err := f.Key("message_id")
	if err != nil {
		return cdr.Record{}, err
	}
	m := cdr.Message{
		MessageID: id, Src: f.Number("from"), Dst: f.Number("to"),
		Direction: cdr.Outbound, Status: strings.ToLower(f.Text("status")),
		Body: f.Object("message_body").Long("text"),
		Cost: f.Decimal("charge"), OccurredAt: f.Time("sent", "received_at"),
	}
	if f.Has("received_at") || f.Has("message_body") && !f.Has("status") {
		m.Direction, m.Status = cdr.Inbound, "received"
	}
	if m.Cost.Valid {
		m.Currency = currency
	}
	if n := f.Int("segments_count", "segments"); n != nil && *n > 0 {
		m.Segments = *n
	}
	return cdr.Record{Messages: []cdr.Message{m}}, nil
}
