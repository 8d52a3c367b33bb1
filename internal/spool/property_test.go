package spool

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"pgregory.net/rapid"
)

// model is a spool and what must be in it.
type model struct {
	dir  string
	s    *Spool
	list []cdr.Delivery // not done, in order
	next int
	o    Options
}

func (m *model) fresh(t *rapid.T) cdr.Delivery {
	d := delivery(m.next)
	d.Hint = rapid.StringN(0, 40, 60).Draw(t, "hint")
	m.next++
	return d
}

func (m *model) open(t *rapid.T) {
	s, err := Open(m.dir, m.o)
	if err != nil {
		t.Fatal(err)
	}
	m.s = s
}

func (m *model) append(t *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(t, "deliveries") {
		d := m.fresh(t)
		if err := m.s.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		m.list = append(m.list, d)
	}
}

func (m *model) readAndDone(t *rapid.T) {
	n := rapid.IntRange(1, 8).Draw(t, "read")
	entries, err := m.s.Read(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	wantDeliveries2(t, plain(entries), m.list[:min(n, len(m.list))])
	k := rapid.IntRange(0, len(entries)).Draw(t, "done")
	if k == 0 {
		return
	}
	if err := m.s.Done(entries[k-1]); err != nil {
		t.Fatal(err)
	}
	m.list = m.list[k:]
}

func (m *model) reopen(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t)
}

// crash leaves frames that were not acknowledged, the last of them cut.
func (m *model) crash(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for range rapid.IntRange(0, 2).Draw(t, "whole") {
		d := m.fresh(t)
		frame, err := encodeFrame(&d)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, frame...)
		m.list = append(m.list, d)
	}
	d := m.fresh(t)
	frame, err := encodeFrame(&d)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, frame[:rapid.IntRange(0, len(frame)-1).Draw(t, "cut")]...)
	number := m.s.next
	if n := len(m.s.segments); n > 0 && rapid.Bool().Draw(t, "same segment") {
		number = m.s.segments[n-1].number
	}
	f, err := os.OpenFile(filepath.Join(m.dir, segmentName(number)), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.Write(b)
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	m.open(t)
}

func (m *model) check(t *rapid.T) {
	st := m.s.Stats()
	if st.Deliveries != int64(len(m.list)) || st.Damaged != 0 || st.Failures != 0 {
		t.Fatalf("stats %+v, want %d deliveries", st, len(m.list))
	}
	if len(m.list) == 0 && (st.Bytes != 0 || !st.Oldest.IsZero()) {
		t.Fatalf("stats of an empty spool: %+v", st)
	}
	if len(m.list) > 0 && !st.Oldest.Equal(m.list[0].ReceivedAt) {
		t.Fatalf("oldest %s, want %s", st.Oldest, m.list[0].ReceivedAt)
	}
	var onDisk int64
	for _, seg := range m.s.segments {
		info, err := os.Stat(seg.path)
		if err != nil {
			t.Fatal(err)
		}
		onDisk += info.Size()
	}
	if onDisk != st.Bytes {
		t.Fatalf("%d bytes on disk, stats say %d", onDisk, st.Bytes)
	}
	r, err := Check(m.dir, nil)
	if err != nil || r.Deliveries != st.Deliveries || len(r.Damage) > 0 || r.Bytes != st.Bytes {
		t.Fatalf("check %+v %v, stats %+v", r, err, st)
	}
}

func wantDeliveries2(t *rapid.T, got, want []cdr.Delivery) {
	if bodies(got) != bodies(want) {
		t.Fatalf("deliveries:\n got %s\nwant %s", bodies(got), bodies(want))
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	base := memoryDir(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		m := &model{dir: dir, o: Options{disk: unsynced(), SegmentBytes: rapid.Int64Range(1, 1000).Draw(t, "segment")}}
		m.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append,
			"done":   m.readAndDone,
			"reopen": m.reopen,
			"crash":  m.crash,
			"":       m.check,
		})
		if err := m.s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
