package spool

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// TestTornTail cuts the last segment at every byte of its last two frames.
func TestTornTail(t *testing.T) {
	t.Parallel()
	older := bytes.Join([][]byte{frameOf(t, delivery(0)), frameOf(t, delivery(1))}, nil)
	newer := bytes.Join([][]byte{frameOf(t, delivery(2)), frameOf(t, delivery(3)), frameOf(t, delivery(4))}, nil)
	size := len(newer) / 3
	for keep := range len(newer) + 1 {
		dir := memoryDir(t)
		write(t, dir, 1, older)
		path := write(t, dir, 2, newer[:keep])
		s := open(t, dir, Options{disk: unsynced()})
		whole := keep / size
		wantDeliveries(t, peek(t, s), deliveries(0, 2+whole))
		want(t, fmt.Sprintf("damaged when cut at %d", keep), s.Stats().Damaged, 0)
		want(t, "bytes", s.Stats().Bytes, len(older)+whole*size)
		info, err := os.Stat(path)
		switch {
		case whole == 0 && !os.IsNotExist(err):
			t.Fatalf("cut at %d: the empty segment stays", keep)
		case whole > 0:
			want(t, "file size", info.Size(), whole*size)
		}
		add(t, s, delivery(9))
		shut(t, s)
		s = open(t, dir, Options{disk: unsynced()})
		wantDeliveries(t, drain(t, s), append(deliveries(0, 2+whole), delivery(9)))
		want(t, "damaged at the end", s.Stats().Damaged, 0)
		shut(t, s)
	}
}

// TestDamagedByte changes each byte of a segment: in the middle of the spool and
// in its last segment.
func TestDamagedByte(t *testing.T) {
	t.Parallel()
	for _, number := range []uint64{1, 2} {
		t.Run(fmt.Sprintf("segment %d", number), func(t *testing.T) {
			t.Parallel()
			all := [][]byte{frameOf(t, delivery(0)), frameOf(t, delivery(1)), frameOf(t, delivery(2))}
			raw := bytes.Join(all, nil)
			for at := range raw {
				damageByte(t, number, raw, at, at/len(all[0]))
			}
		})
	}
}

func damageByte(t *testing.T, number uint64, raw []byte, at, hit int) {
	dir := memoryDir(t)
	bad := bytes.Clone(raw)
	bad[at] ^= 0x10
	write(t, dir, number, bad)
	write(t, dir, 3-number, frameOf(t, delivery(7)))
	left := slices.Delete(deliveries(0, 3), hit, hit+1)
	if number == 1 {
		left = append(left, delivery(7))
	} else {
		left = append([]cdr.Delivery{delivery(7)}, left...)
	}
	j, log := newJournal()
	s := open(t, dir, Options{Log: log, disk: unsynced()})
	size := int64(len(raw) / 3)
	damage := func() string {
		r, err := Check(dir, nil)
		if err != nil || len(r.Damage) != 1 {
			t.Fatalf("byte %d: check %+v %v", at, r, err)
		}
		return fmt.Sprint(r.Damage[0].Offset, r.Damage[0].Bytes)
	}
	want(t, fmt.Sprintf("damage at %d", at), damage(), fmt.Sprint(int64(hit)*size, size))
	want(t, "waiting", s.Stats().Deliveries, 3)
	wantDeliveries(t, peek(t, s), left)
	wantDeliveries(t, drain(t, s), left)
	want(t, "damaged", s.Stats().Damaged, 1)
	want(t, "alarms", j.count("a piece cannot be read"), 1)
	want(t, "files", files(t, dir), fmt.Sprintf("[damaged damaged/%s position]", segmentName(number)[:20]))
	want(t, "damage kept aside", damage(), fmt.Sprint(int64(hit)*size, size))
	kept, err := os.ReadFile(filepath.Join(dir, damagedDir, segmentName(number)))
	if err != nil || !bytes.Equal(kept, bad) {
		t.Fatalf("what is kept differs: %v", err)
	}
	shut(t, s)
}

// TestDamageAfterOpen changes bytes that were sound when the spool was opened.
func TestDamageAfterOpen(t *testing.T) {
	t.Parallel()
	for at := range 2 {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		add(t, s, deliveries(0, 2)...)
		path := s.segments[0].path
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[at*len(b)/2+30] ^= 1
		write(t, dir, 1, b)
		wantDeliveries(t, drain(t, s), deliveries(1-at, 2-at))
		st := s.Stats()
		want(t, "stats", []int64{st.Deliveries, st.Damaged, st.Bytes}, "[0 1 0]")
		want(t, "oldest", st.Oldest.IsZero(), true)
		want(t, "files", len(files(t, dir)), 3)
	}
}

func TestTornSegmentThatIsNotTheLastIsDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	frame := frameOf(t, delivery(0))
	write(t, dir, 1, frame, frame[:len(frame)-1])
	write(t, dir, 2, frameOf(t, delivery(1)))
	s := open(t, dir, Options{})
	want(t, "damaged", s.Stats().Damaged, 1)
	wantDeliveries(t, drain(t, s), deliveries(0, 2))
}

// TestTailWithFramesBehind is a length that points past the end while whole
// frames follow: nothing may be cut.
func TestTailWithFramesBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := delivery(0)
	big.Body = make([]byte, 5000)
	write(t, dir, 1, frameOf(t, big)[:100], frameOf(t, delivery(1)), frameOf(t, delivery(2)))
	s := open(t, dir, Options{})
	want(t, "damaged", s.Stats().Damaged, 1)
	wantDeliveries(t, drain(t, s), deliveries(1, 3))
}

// TestResyncAcrossWindows puts garbage of many lengths before a frame.
func TestResyncAcrossWindows(t *testing.T) {
	t.Parallel()
	frame := frameOf(t, delivery(1))
	for _, n := range []int{1, 23, 24, 4060, 4072, 4073, 4074, 4090, 4096, 4097, 8190, 100_000} {
		garbage := bytes.Repeat([]byte(magic), n/len(magic)+1)[:n]
		b := append(garbage, frame...)
		w := newWalker(bytes.NewReader(b), 0, int64(len(b)))
		damage, err := w.next(nil)
		want(t, fmt.Sprintf("damage of %d", n), []any{damage.from, damage.to, damage.torn, err}, fmt.Sprintf("[0 %d false <nil>]", n))
		st, err := w.next(nil)
		want(t, "frame", string(st.delivery.Body)+fmt.Sprint(err), `{"id":1}<nil>`)
	}
}

func TestPositionThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	frame := frameOf(t, delivery(0))
	inside, beyond := position{1, 5}.text(), position{1, 1 << 40}.text()
	for _, text := range []string{"", "garbage", "1 90\n", "1 90 00000000\n", inside, beyond, inside[:len(inside)-2]} {
		dir := t.TempDir()
		write(t, dir, 1, frame, frameOf(t, delivery(1)))
		if err := os.WriteFile(filepath.Join(dir, positionFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Check(dir, nil)
		if err != nil || r.Position == "" {
			t.Fatalf("check %q: %+v %v", text, r, err)
		}
		s := open(t, dir, Options{})
		want(t, "failures", s.Stats().Failures, 1)
		wantDeliveries(t, drain(t, s), deliveries(0, 2))
	}
}

// TestOldPosition is a crash after a segment was removed, before the position
// was written.
func TestOldPosition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := (position{1, 40}).write(dir, syncFile); err != nil {
		t.Fatal(err)
	}
	write(t, dir, 3, frameOf(t, delivery(0)))
	wantDeliveries(t, drain(t, open(t, dir, Options{})), deliveries(0, 1))
}

// TestDrainedSegmentsLeft is a crash or a failure after the position was written.
func TestDrainedSegmentsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	frame := frameOf(t, delivery(0))
	write(t, dir, 1, frame)
	write(t, dir, 2, frame[:30], frame)
	write(t, dir, 3, frame)
	write(t, dir, 4)
	if err := (position{3, int64(len(frame))}).write(dir, syncFile); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	want(t, "left", len(peek(t, s)), 0)
	want(t, "files", files(t, dir), fmt.Sprintf("[damaged damaged/%s position]", segmentName(2)[:20]))
	add(t, s, delivery(1))
	want(t, "number", s.segments[0].number, 5)
}

func TestNumbersOfDamagedSegmentsAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, damagedDir), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, damagedDir), 8, []byte("x"))
	s := open(t, dir, Options{})
	add(t, s, delivery(0))
	want(t, "number", s.segments[0].number, 9)
}
