package spool

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"pgregory.net/rapid"
)

// TestFrozenFormat fails when a spool of an earlier version could not be read.
// Never change the bytes; add a version.
func TestFrozenFormat(t *testing.T) {
	t.Parallel()
	d := cdr.Delivery{
		Source: "voipnow-a", Hint: "hangup", Method: "POST", Query: "CallID=1&x=%20", ContentType: "text/plain",
		ContentEncoding: "gzip", BodyProblem: "gzip: invalid header", Body: []byte("\x1f\x8b\x00\xff"),
		ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
	}
	const frozen = "c443440150000000354f57f65e4706006af3b71858da4466" +
		"0109766f69706e6f772d610668616e67757004504f53540e43616c6c49443d3126783d253230" +
		"0a746578742f706c61696e04677a697014677a69703a20696e76616c69642068656164657204" + "1f8b00ff"
	want(t, "frame", hex.EncodeToString(frameOf(t, d)), frozen)
	raw, err := hex.DecodeString(frozen)
	if err != nil {
		t.Fatal(err)
	}
	st, err := newWalker(bytes.NewReader(raw), 0, int64(len(raw))).next(nil)
	if err != nil || st.damage != "" || !reflect.DeepEqual(st.delivery, d) {
		t.Fatalf("read %+v %v", st, err)
	}
	dir := t.TempDir()
	at := position{segment: 12, offset: 3456}
	if err := at.write(dir, syncFile); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir + "/position")
	want(t, "position", string(text), "12 3456 af9e47e3\n")
	want(t, "position", err, nil)
	want(t, "segment", segmentName(12), "00000000000000000012.spool")
}

func TestFrameKeepsDelivery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 30, 200)
		d := cdr.Delivery{
			Source: text.Draw(t, "source"), Hint: text.Draw(t, "hint"), Method: text.Draw(t, "method"),
			Query: text.Draw(t, "query"), ContentType: text.Draw(t, "type"), ContentEncoding: text.Draw(t, "encoding"),
			BodyProblem: text.Draw(t, "problem"), Body: rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "body"),
			ReceivedAt: time.UnixMicro(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "at")).UTC(),
		}
		b, err := encodeFrame(&d)
		if err != nil {
			t.Fatal(err)
		}
		w := newWalker(bytes.NewReader(b), 0, int64(len(b)))
		st, err := w.next(nil)
		if err != nil || st.damage != "" || !reflect.DeepEqual(st.delivery, d) {
			t.Fatalf("got %+v %v", st, err)
		}
		if _, err := w.next(nil); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v, want the end", err)
		}
	})
}

func TestFrameLeavesOutConfiguration(t *testing.T) {
	t.Parallel()
	d := delivery(1)
	d.Provider, d.Settings = "didww", cdr.Settings{Currency: "USD"}
	want(t, "frame", frameOf(t, d), frameOf(t, delivery(1)))
}

func TestPayloadOfAnotherForm(t *testing.T) {
	t.Parallel()
	d := delivery(1)
	good := appendPayload(nil, &d)
	for name, b := range map[string][]byte{
		"nothing":       {},
		"other version": append([]byte{2}, good[1:]...),
		"too long":      append(bytes.Clone(good), 0),
		"too short":     good[:len(good)-1],
		"huge field":    append([]byte{1}, bytes.Repeat([]byte{0xff}, 9)...),
	} {
		if _, err := decodePayload(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	d := delivery(1)
	d.BodyProblem = strings.Repeat("x", maxPayload)
	if err := s.Append(t.Context(), d); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	want(t, "failing", s.Stats().Failing, false)
}
