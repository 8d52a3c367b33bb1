package cdr

import (
	"bytes"
	"cmp"
	"strings"
	"time"
)

// MergeEvent counts two receipts of one event together.
func MergeEvent(a, b Event) Event {
	a.ReceivedAt = earlierOf(a.ReceivedAt, b.ReceivedAt)
	if b.LastReceivedAt.After(a.LastReceivedAt) {
		a.LastReceivedAt = b.LastReceivedAt
	}
	a.Deliveries += b.Deliveries
	return a
}

// MergeRecording keeps of two notices of one recording the one whose URL lasts
// longer; the table's upsert does the same.
func MergeRecording(a, b Recording) Recording {
	win, lose := a, b
	if cmp.Or(b.ExpiresAt.Compare(a.ExpiresAt), strings.Compare(b.URL, a.URL), bytes.Compare(b.Payload, a.Payload)) > 0 {
		win, lose = b, a
	}
	win.ReceivedAt = earlierOf(win.ReceivedAt, lose.ReceivedAt)
	win.Deliveries += lose.Deliveries
	return win
}

// MergeMessage keeps of two reports of one message the one whose status ranks
// higher, as a whole: filling its gaps from the others would depend on their
// order. The table's upsert does the same.
func MergeMessage(a, b Message) Message {
	win, lose := a, b
	if cmp.Or(cmp.Compare(StatusRank(b.Status), StatusRank(a.Status)), bytes.Compare(b.Payload, a.Payload)) > 0 {
		win, lose = b, a
	}
	win.ReceivedAt = earlierOf(win.ReceivedAt, lose.ReceivedAt)
	win.Deliveries += lose.Deliveries
	return win
}

// StatusRank orders the statuses of a message by how much they settle. A word
// that nobody knows settles no more than being sent. The SQL function
// message_status_rank says the same.
func StatusRank(status string) int {
	switch status {
	case "":
		return 0
	case "accepted", "queued", "pending":
		return 1
	case "undelivered", "failed", "rejected", "expired", "dlr_expired":
		return 3
	case "delivered", "received":
		return 4
	}
	return 2
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
