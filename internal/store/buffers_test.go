package store

import "testing"

// Of the buffers of a huge batch only usual ones are kept.
func TestBuffersKept(t *testing.T) {
	t.Parallel()
	var p bufferPool
	w := p.take()
	w.wire, w.parameters, w.facts = make([]byte, keptBytes), make([]byte, keptBytes+1), make([]byte, keptBytes+1)
	w.events.Source.Append("didww")
	w.events.Payload.Append(string(make([]byte, keptBytes)))
	p.give(w)
	if cap(w.wire) != keptBytes || w.parameters != nil || w.facts != nil {
		t.Errorf("kept are %d, %d and %d bytes", cap(w.wire), cap(w.parameters), cap(w.facts))
	}
	if w.events.Source.Len()+w.events.Payload.Len() != 0 {
		t.Error("columns are not empty")
	}
}
