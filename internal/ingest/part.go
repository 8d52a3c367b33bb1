package ingest

import (
	"hash/maphash"
	"slices"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// part is a delivery, or a share of one that is long.
type part struct {
	records  []cdr.Record
	places   []int    // of the records in their delivery; nil: they are all of it
	calls    []uint64 // hashes of the ids of their calls
	outcomes []store.Outcome
	err      error
	done     chan struct{}
}

// place is where a record stands in its delivery.
func (p *part) place(i int) int {
	if p.places == nil {
		return i
	}
	return p.places[i]
}

// split makes one part of a delivery, or where it is long several that can be
// written side by side, each with all that the delivery has of its calls.
func (w *Writer) split(records []cdr.Record) []*part {
	if len(records) == 0 {
		return nil
	}
	parts := make([]*part, (len(records)+maxBatch-1)/maxBatch)
	for i := range parts {
		parts[i] = &part{done: make(chan struct{})}
	}
	if len(parts) == 1 {
		parts[0].records = records
	}
	for i := range records {
		p, call := parts[0], callOf(&records[i])
		if call != "" {
			hash := maphash.String(w.seed, call)
			p = parts[hash%uint64(len(parts))]
			p.calls = append(p.calls, hash)
		}
		if len(parts) > 1 {
			p.records = append(p.records, records[i])
			p.places = append(p.places, i)
		}
	}
	return slices.DeleteFunc(parts, func(p *part) bool { return len(p.records) == 0 })
}

// callOf returns what records of one call have in common; empty where nothing is
// known of it.
func callOf(r *cdr.Record) string {
	switch {
	case len(r.Events) > 0:
		return r.Events[0].CallID
	case len(r.Recordings) > 0:
		return r.Recordings[0].CallID
	case len(r.Messages) > 0:
		return r.Messages[0].MessageID
	}
	return ""
}
