package spool

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// FuzzOpen opens a spool of garbage with a sound frame before it and behind.
func FuzzOpen(f *testing.F) {
	frame := frameOf(f, delivery(5))
	f.Add([]byte{}, []byte{})
	f.Add(frame, []byte(position{2, 3}.text()))
	f.Add(frame[:30], []byte("2 x"))
	f.Add(bytes.Repeat([]byte(magic), 100), []byte("\x00"))
	f.Add(append(bytes.Clone(frame[:24]), 0xff, 0xff, 0xff, 0xff), []byte{})
	huge := bytes.Clone(frame[:headerSize])
	copy(huge[4:], "\xff\xff\xff\x05")
	f.Add(resum(huge), []byte{})
	f.Add(resum(append(bytes.Clone(frame[:headerSize]), 1, 0xff, 0xff, 0xff, 0xff, 0x7f)), []byte{})
	f.Fuzz(func(t *testing.T, garbage, at []byte) {
		dir := memoryDir(t)
		write(t, dir, 1, frameOf(t, delivery(1)))
		write(t, dir, 2, garbage)
		write(t, dir, 3, frameOf(t, delivery(2)))
		write(t, dir, 4, garbage)
		if err := os.WriteFile(filepath.Join(dir, positionFile), at, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s := open(t, dir, Options{disk: unsynced()})
		add(t, s, delivery(3))
		list := drain(t, s)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20+64*uint64(len(garbage)) {
			t.Fatalf("%d bytes of garbage took %d bytes", len(garbage), used)
		}
		if p, err := readPosition(dir); err != nil || p == (position{}) {
			t.Fatalf("position %v %v", p, err)
		}
		want(t, "waiting", s.Stats().Deliveries, 0)
		if !has(list, delivery(3)) || len(at) == 0 && (!has(list, delivery(1)) || !has(list, delivery(2))) {
			t.Fatalf("lost: %s", bodies(list))
		}
	})
}

// resum makes the checksums of the only frame right.
func resum(b []byte) []byte {
	copy(b[16:], le32(checksum(b[headerSize:])))
	copy(b[20:], le32(checksum(b[:20])))
	return b
}

func le32(n uint32) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }

func has(list []cdr.Delivery, d cdr.Delivery) bool {
	for _, o := range list {
		if bytes.Equal(o.Body, d.Body) {
			return true
		}
	}
	return false
}
